#include <array>
#include <vector>

#include "cmd/gpuctl/get.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/server_flags.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr OptionRow kTask{.flag = "--task", .help = "The task's number."};
constexpr std::array kLogRows = {
    kTask,
    OptionRow{.flag = "--stderr",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Its standard error, instead of its standard output.",
              .letter = "-e"},
    OptionRow{.flag = "--tail",
              .kind = Kind::kInteger,
              .help = "The last so many lines; all without it.",
              .max = 1'000'000},
};
constexpr std::array kActRows = {
    kTask,
    OptionRow{.flag = "--yes",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Do not ask first.",
              .letter = "-y"},
};
constexpr std::array kVpsRows = {
    OptionRow{.flag = "--all",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Those that have ended too."},
    OptionRow{.flag = "--output",
              .fallback = "table",
              .kind = Kind::kWord,
              .help = "What to print.",
              .allowed = "table|wide|json|csv|name",
              .letter = "-o"},
};
constexpr std::array kStatusRows = {
    OptionRow{.flag = "--task", .help = "The task: a number, or NAMESPACE/NAME."},
    OptionRow{.flag = "--output",
              .fallback = "table",
              .kind = Kind::kWord,
              .help = "What to print.",
              .allowed = "table|json",
              .letter = "-o"},
    kHakuSourceRow,
};
constexpr std::array kFilterRows = {
    OptionRow{.flag = "--status",
              .kind = Kind::kWord,
              .help = "Of a HakuRiver host: the tasks in that state alone.",
              .allowed = hakuriver::kTaskStates},
    OptionRow{.flag = "--limit",
              .fallback = "100",
              .kind = Kind::kInteger,
              .help = "Of a HakuRiver host: so many tasks at most.",
              .min = 1,
              .max = 100'000},
};
constexpr std::array kUpstreamRows = {
    OptionRow{.flag = "--verb", .help = "What to do: nodes, status and so on.", .hidden = true},
    OptionRow{.flag = "--subject", .help = "Of which task or node.", .hidden = true},
    OptionRow{.flag = "--word", .help = "Of the verb command: pause or resume.", .hidden = true},
    OptionRow{.flag = "--hakuriver-config", .help = "HakuRiver's own file, TOML."},
};

std::vector<OptionRow> ListRows(config::Rows more) {
  const config::Rows get = GetOptions();
  std::vector<OptionRow> rows(get.begin(), get.end());
  rows.push_back(kHakuSourceRow);
  rows.insert(rows.end(), more.begin(), more.end());
  return WithHakuFlags(rows, HakuFlags::kBeside);
}

}  // namespace

config::Rows NodesOptions() {
  static const std::vector<OptionRow> kAll = ListRows({});
  return kAll;
}

config::Rows TasksOptions() {
  static const std::vector<OptionRow> kAll = ListRows(kFilterRows);
  return kAll;
}

config::Rows VpsOptions() {
  static const std::vector<OptionRow> kAll = WithHakuFlags(kVpsRows, HakuFlags::kAlone);
  return kAll;
}

config::Rows StatusOptions() {
  static const std::vector<OptionRow> kAll =
      WithHakuFlags(WithServerFlags(kStatusRows), HakuFlags::kBeside);
  return kAll;
}

config::Rows LogsOptions() {
  static const std::vector<OptionRow> kAll = WithHakuFlags(kLogRows, HakuFlags::kAlone);
  return kAll;
}

config::Rows ActOptions() {
  static const std::vector<OptionRow> kAll = WithHakuFlags(kActRows, HakuFlags::kAlone);
  return kAll;
}

config::Rows UpstreamOptions() {
  static const std::vector<OptionRow> kAll = WithHakuFlags(kUpstreamRows, HakuFlags::kAlone);
  return kAll;
}

}  // namespace gpumon::ctl
