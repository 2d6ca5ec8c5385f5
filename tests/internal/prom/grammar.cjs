// Reads lines of three texts and a selector that was made of them, each in hexadecimal, and checks
// with Prometheus's own grammar that it has one filter of each and nothing else.
//   NODE_PATH=FOLDER node grammar.cjs FILE
"use strict";
const { readFileSync } = require("node:fs");
const { parser } = require("@prometheus-io/lezer-promql");

const matcher = (op) => `UnquotedLabelMatcher(LabelName,MatchOp(${op}),StringLiteral)`;
const SHAPE =
  "PromQL(VectorSelector(Identifier,LabelMatchers(" +
  ["EqlSingle", "Neq", "EqlRegex"].map(matcher).join(",") +
  ")))";

// What Go's strconv.Unquote makes of the escapes that may stand here, as bytes.
function unquote(literal) {
  const parts = [];
  for (const [piece] of literal.slice(1, -1).matchAll(/\\x[0-9a-f]{2}|\\.|[^\\]+/gsu)) {
    if (piece.startsWith("\\x")) parts.push(Buffer.from([parseInt(piece.slice(2), 16)]));
    else if (piece === "\\n") parts.push(Buffer.from("\n"));
    else if (piece === '\\"' || piece === "\\\\") parts.push(Buffer.from(piece.slice(1)));
    else if (piece.startsWith("\\")) throw new Error(`an escape that Go does not know: ${piece}`);
    else parts.push(Buffer.from(piece));
  }
  return Buffer.concat(parts);
}

// A regular expression of escaped marks matches itself without them.
const unescaped = (regex) => regex.toString("latin1").replace(/\\([\\.+*?()|[\]{}^$])/g, "$1");

function check(texts, selector) {
  const tree = parser.parse(selector);
  if (tree.toString() !== SHAPE) return tree.toString();
  const found = [];
  tree.iterate({
    enter(node) {
      if (node.name === "StringLiteral") found.push(unquote(selector.slice(node.from, node.to)));
    },
  });
  for (const [i, text] of texts.entries()) {
    const value = i === 2 ? unescaped(found[i]) : found[i].toString("latin1");
    if (value !== text.toString("latin1")) return `text ${i} came back as ${found[i]}`;
  }
  return "";
}

let count = 0;
for (const line of readFileSync(process.argv[2], "latin1").split("\n")) {
  if (line === "") continue;
  const fields = line.split(" ").map((field) => Buffer.from(field, "hex"));
  const selector = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fields[3]);
  const wrong = check(fields.slice(0, 3), selector);
  if (wrong !== "") {
    console.log(`${JSON.stringify(selector)}: ${wrong}`);
    process.exit(1);
  }
  ++count;
}
console.log(`${count} right`);
