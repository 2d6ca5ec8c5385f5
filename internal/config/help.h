// The option table as people read it.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::config {

struct Program {
  std::string_view name;     // "gpu-monitoring-api"
  std::string_view summary;  // one line
  std::string_view version;  // "0.1.0"
  std::string_view usage = "[flags]";
  std::string_view details = {};  // paragraphs after the usage, wrapped already
  std::size_t columns = 100;      // no line of options is longer
};

// What --help prints: every row that is not hidden.
std::string HelpText(const Program& program, Rows rows);
// What --version prints: "gpu-monitoring-api 0.1.0\n".
std::string VersionText(const Program& program);
// Prints on `out` what --help or --version asked for. False when neither did.
bool PrintIfWanted(const Values& values, const Program& program, Rows rows, std::ostream& out);
// The same rows as a Markdown table, for docs/CONFIG.md.
std::string MarkdownTable(Rows rows);

}  // namespace gpumon::config
