#include "cmd/gpuctl/log_flags.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--log-level",
              .env = "LOG_LEVEL",
              .fallback = "warn",
              .kind = Kind::kWord,
              .help = "What goes to standard error; debug: every step.",
              .allowed = "debug|info|warn|error|off"},
    OptionRow{.flag = "--rust-log",
              .env = "RUST_LOG",
              .help = "Its most talkative level counts where --log-level is not given.",
              .hidden = true},
};

}  // namespace

config::Rows LogFlags() {
  return kRows;
}

bool HasLogFlags(config::Rows rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const OptionRow& row) { return row.flag == kRows[0].flag; });
}

log::Level LogLevelOf(const config::Values& values) {
  const auto given = log::ParseLevel(values.Text("--log-level"));
  const log::Level level = given ? *given : log::Level::kWarning;
  if (values.Given("--log-level")) return level;
  constexpr std::array kVerbose = {std::pair{"trace", log::Level::kDebug},
                                   std::pair{"debug", log::Level::kDebug},
                                   std::pair{"info", log::Level::kInfo}};
  const std::string& directives = values.Text("--rust-log");
  for (const auto& [word, its_level] : kVerbose) {
    std::string_view rest = directives;
    while (!rest.empty()) {
      std::string_view directive = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), directive.size() + 1));
      const std::size_t equals = directive.find('=');
      if (equals != std::string_view::npos) directive.remove_prefix(equals + 1);
      if (EqualsIgnoreCase(directive, word)) return its_level;
    }
  }
  return level;
}

}  // namespace gpumon::ctl
