#include <array>
#include <string_view>
#include <vector>

#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/health.h"
#include "cmd/gpuctl/server_flags.h"
#include "internal/config/collect_options.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kHealthRows = {
    OptionRow{
        .flag = "--gpu", .fallback = "false", .kind = Kind::kBool, .help = "All tasks with GPUs."},
    OptionRow{.flag = "--all",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Tasks without GPUs too."},
    OptionRow{.flag = "--task", .help = "One task: NAMESPACE/OWNER, or a task_id of the store."},
    OptionRow{.flag = "--node", .help = "One node."},
    OptionRow{.flag = "--history",
              .fallback = "24",
              .kind = Kind::kInteger,
              .help = "What was stored of a task or node in the last so many hours.",
              .allowed = "1 to 720 hours",
              .min = 1,
              .max = 720},
    OptionRow{
        .flag = "--json", .fallback = "false", .kind = Kind::kBool, .help = "JSON in one line."},
    OptionRow{.flag = "--verbose",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Every issue and warning.",
              .letter = "-v"},
    OptionRow{.flag = "--watch",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Again and again, until Ctrl-C."},
    OptionRow{.flag = "--interval",
              .fallback = "5s",
              .kind = Kind::kDuration,
              .help = "With --watch: from one round to the next.",
              .min = 100,
              .max = 3'600'000},
    OptionRow{.flag = "--fail-on",
              .env = "FLOW_HEALTH_FAIL_ON",
              .fallback = "never",
              .kind = Kind::kWord,
              .help = "What the exit code tells of.",
              .allowed = "never|warnings|issues"},
    OptionRow{.flag = "--source",
              .fallback = "api",
              .kind = Kind::kWord,
              .help = "Who is asked; hakuriver where only HAKURIVER_URL is set.",
              .allowed = "api|hakuriver|gpud|store"},
};

constexpr std::array kGpudRows = {
    OptionRow{.flag = "--gpud-url",
              .kind = Kind::kTextList,
              .help = "GPUds to ask, instead of --gpud-bind and --gpud-port.",
              .allowed = "https://HOST[:PORT], comma-separated"},
    OptionRow{.flag = "--via",
              .kind = Kind::kTextList,
              .help = "Hosts where ssh starts curl.",
              .allowed = "[USER@]HOST[:PORT], comma-separated"},
    OptionRow{.flag = "--ssh-config",
              .env = "GPUCTL_SSH_CONFIG",
              .kind = Kind::kPath,
              .help = "ssh's configuration (ssh -F), instead of ~/.ssh/config."},
};

bool IsOfFlow(const OptionRow& row) {
  return row.env.starts_with("FLOW_") || row.flag == "--metrics-dir";
}

// Those of the collector, so that its variables and its file are good here too. `shown` are in
// --help.
void AddFlow(std::initializer_list<std::string_view> shown, std::vector<OptionRow>& rows) {
  for (OptionRow row : config::CollectOptionRows()) {
    if (!IsOfFlow(row)) continue;
    row.hidden = true;
    for (const std::string_view flag : shown) row.hidden &= row.flag != flag;
    // A file of the collector's may be on its own machine alone.
    if (row.kind == Kind::kPath && row.hidden) row.kind = Kind::kText;
    rows.push_back(row);
  }
}

template <class Rows>
void Add(const Rows& rows, std::vector<OptionRow>& all) {
  all.insert(all.end(), rows.begin(), rows.end());
}

}  // namespace

config::Rows HealthOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kHealthRows.begin(), kHealthRows.end());
    Add(WithServerFlags({}), rows);
    Add(kGpudRows, rows);
    AddFlow({"--gpud-bind", "--gpud-port", "--metrics-dir", "--flow-config"}, rows);
    return WithHakuFlags(rows, HakuFlags::kBeside);
  }();
  return kAll;
}

config::Rows GpudOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows = {
        OptionRow{.flag = "--path", .help = "What to ask for: /v1/states."}};
    Add(TimeoutFlags(), rows);
    Add(kGpudRows, rows);
    AddFlow({"--gpud-bind", "--gpud-port", "--flow-config"}, rows);
    return rows;
  }();
  return kAll;
}

config::Rows InstallOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows = {
        OptionRow{.flag = "--prometheus-url",
                  .env = "PROMETHEUS_URL",
                  .help = "The Prometheus that the collector on that host asks.",
                  .allowed = "an http:// or https:// URL"}};
    AddFlow({"--gpud-version", "--gpud-bind", "--gpud-port", "--metrics-dir", "--metrics-interval",
             "--metrics-endpoint", "--metrics-format", "--metrics-batch-size",
             "--metrics-retention-days", "--metrics-compress-after-days", "--flow-config"},
            rows);
    return rows;
  }();
  return kAll;
}

config::Rows FlowOptions() {
  static constexpr std::array kRows = {
      OptionRow{.flag = "--task", .help = "The task: NAMESPACE/NAME, or a host's name."}};
  return kRows;
}

}  // namespace gpumon::ctl
