// node embed.js DIST OUTPUT.cc: the files of a built page as a C++ source for internal/dashboard.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { argv } from "node:process";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

// What the page contains of others, with what they ask to be said of them.
function licences() {
  const told = [];
  const tell = (name) => {
    const { version, dependencies } = JSON.parse(
      readFileSync(join("node_modules", name, "package.json"), "utf8"),
    );
    const text = readFileSync(join("node_modules", name, "LICENSE"), "utf8");
    told.push(`${name} ${version}\n\n${text.trim()}\n`);
    for (const other of Object.keys(dependencies ?? {})) tell(other);
  };
  for (const name of Object.keys(JSON.parse(readFileSync("package.json", "utf8")).dependencies)) {
    tell(name);
  }
  return [...new Set(told)].join("\n\n");
}

// Named by what is in it, as all files but the page are, and linked from there.
function addLicences(dist) {
  const text = licences();
  const name = `licences-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.txt`;
  writeFileSync(join(dist, "assets", name), text);
  const page = join(dist, "index.html");
  const link = `<link rel="license" href="./assets/${name}" />`;
  writeFileSync(page, readFileSync(page, "utf8").replace("</head>", `  ${link}\n  </head>`));
}

const [dist, output] = argv.slice(2);
if (dist === undefined || output === undefined) throw new Error("usage: embed.js DIST OUTPUT.cc");

addLicences(dist);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort((a, b) => (basename(a) < basename(b) ? -1 : 1));

function array(name, bytes) {
  const rows = [];
  for (let i = 0; i < bytes.length; i += 24) rows.push(bytes.subarray(i, i + 24).join(","));
  return `constexpr unsigned char ${name}[] = {\n${rows.join(",\n")}};\n`;
}

let arrays = "";
let table = "";
for (const [i, file] of files.entries()) {
  const type = TYPES[extname(file)];
  if (type === undefined) throw new Error(`${file}: embed.js knows no type of it`);
  const bytes = readFileSync(file);
  arrays += array(`kBytes${i}`, bytes) + array(`kGzip${i}`, gzipSync(bytes, { level: 9 }));
  table += `    {"${basename(file)}", "${type}", View(kBytes${i}), View(kGzip${i})},\n`;
}

const source = `#include "internal/dashboard/assets.h"

namespace gpumon::dashboard {
namespace {

${arrays}
template <std::size_t kSize>
std::string_view View(const unsigned char (&bytes)[kSize]) {
  return {reinterpret_cast<const char*>(bytes), kSize};
}

}  // namespace

std::span<const Asset> Assets() {
  static const Asset kAssets[] = {
${table}  };
  return kAssets;
}

}  // namespace gpumon::dashboard
`;
writeFileSync(output + ".part", source);
renameSync(output + ".part", output);
