// node embed.js DIST OUTPUT.cc: the files of a built page as a C++ source for internal/dashboard.
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { argv } from "node:process";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const [dist, output] = argv.slice(2);
if (dist === undefined || output === undefined) throw new Error("usage: embed.js DIST OUTPUT.cc");

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
