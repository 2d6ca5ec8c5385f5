// The names of all views, as the page's own table has them.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const source = readFileSync(join(import.meta.dirname, "../../web/src/views/index.ts"), "utf8");
export const VIEWS = [...source.matchAll(/name: "(\w+)"/g)].map((match) => match[1] ?? "");
