import js from "@eslint/js";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  {
    rules: {
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Text of others is text." },
        { property: "outerHTML", message: "Text of others is text." },
        { property: "insertAdjacentHTML", message: "Text of others is text." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text of others is text.",
        },
      ],
    },
  },
);
