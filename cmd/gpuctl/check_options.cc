#include <array>
#include <vector>

#include "cmd/gpuctl/check.h"
#include "cmd/gpuctl/log_flags.h"
#include "internal/checks/presets.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::string_view kFormats = "table|json|summary";
constexpr std::string_view kHostPorts = "[NAME=]host:port, comma-separated, or off";
constexpr std::string_view kUrls = "[NAME=]http(s)://host[:port], comma-separated, or off";

constexpr OptionRow Service(std::string_view flag, std::string_view env, std::string_view help,
                            std::string_view allowed) {
  return {.flag = flag, .env = env, .kind = Kind::kTextList, .help = help, .allowed = allowed};
}

constexpr OptionRow Format(std::string_view fallback) {
  return {.flag = "--format",
          .fallback = fallback,
          .kind = Kind::kWord,
          .help = "What to print.",
          .allowed = kFormats,
          .letter = "-f"};
}

constexpr std::array kMonitorRows = {
    OptionRow{.flag = "--interval",
              .fallback = "30",
              .kind = Kind::kInteger,
              .help = "Seconds from the begin of one round to that of the next.",
              .min = 1,
              .max = 86400,
              .letter = "-i"},
    OptionRow{.flag = "--max-checks",
              .fallback = "0",
              .kind = Kind::kInteger,
              .help = "How many rounds; 0: without end.",
              .min = 0,
              .max = 1'000'000'000,
              .letter = "-m"},
};

constexpr std::array kCommonRows = {
    OptionRow{.flag = "--verbose",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Of each check that is not healthy: why, what to do, what was tried, and "
                      "the last 20 lines of its container's log.",
              .letter = "-v"},
    OptionRow{.flag = "--timeout",
              .fallback = "30",
              .kind = Kind::kInteger,
              .help = "Seconds that each check has; the whole takes no longer.",
              .min = 1,
              .max = 3600,
              .letter = "-t"},
    OptionRow{.flag = "--exit-zero",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Exit with 0 whatever the checks say."},
    OptionRow{.flag = "--preset",
              .env = "CHECK_PRESET",
              .fallback = "halfstack",
              .kind = Kind::kWord,
              .help = "Whose names and ports: backend.ai-halfstack's, those of lablup's own "
                      "compose file, or none.",
              .allowed = checks::kPresetNames},
    OptionRow{.flag = "--config",
              .env = "CHECK_CONFIG_FILE",
              .kind = Kind::kPath,
              .help = "YAML file with options; its keys are the environment names in lower case.",
              .allowed = "a file of at most 1 MiB that can be read"},
    OptionRow{.flag = "--config-dir",
              .env = "CHECK_CONFIG_DIR",
              .fallback = ".",
              .help = "The folder where the configuration files of Backend.AI should be."},
    OptionRow{.flag = "--config-files",
              .env = "CHECK_CONFIG_FILES",
              .kind = Kind::kTextList,
              .help = "Their names, instead of the preset's.",
              .allowed = "names, comma-separated, or off"},
    OptionRow{.flag = "--docker-host",
              .env = "DOCKER_HOST",
              .fallback = "unix:///var/run/docker.sock",
              .help = "Where the Docker Engine answers.",
              .allowed = "unix:///path or tcp://host:port"},
    OptionRow{.flag = "--containers",
              .env = "CHECK_CONTAINERS",
              .kind = Kind::kTextList,
              .help = "The containers that should run, instead of the preset's.",
              .allowed = "names or services of Docker Compose, comma-separated, or off"},
    Service("--postgres", "CHECK_POSTGRES", "PostgreSQL, instead of the preset's.", kHostPorts),
    Service("--redis", "CHECK_REDIS", "Redis, instead of the preset's.", kHostPorts),
    OptionRow{.flag = "--postgres-user",
              .env = "CHECK_POSTGRES_USER",
              .fallback = "postgres",
              .help = "Who logs in to PostgreSQL."},
    OptionRow{.flag = "--postgres-database",
              .env = "CHECK_POSTGRES_DATABASE",
              .fallback = "backend",
              .help = "The database that is opened."},
    OptionRow{.flag = "--postgres-pass-file",
              .env = "CHECK_POSTGRES_PASS_FILE",
              .help = "A file with the password as its one line. Without it PGPASSWORD or "
                      "~/.pgpass count, as for psql.",
              .allowed = "a file of one line"},
    OptionRow{.flag = "--redis-user",
              .env = "CHECK_REDIS_USER",
              .help = "Who logs in to Redis 6 or later."},
    OptionRow{.flag = "--redis-pass-file",
              .env = "CHECK_REDIS_PASS_FILE",
              .help = "A file with the password as its one line. Without it REDISCLI_AUTH counts, "
                      "as for redis-cli.",
              .allowed = "a file of one line"},
    Service("--etcd", "CHECK_ETCD", "etcd, instead of the preset's.", kUrls),
    Service("--manager", "CHECK_MANAGER", "Backend.AI managers, instead of the preset's.", kUrls),
    Service("--agent", "CHECK_AGENT", "Backend.AI agents' service addresses.", kUrls),
    Service("--prometheus", "CHECK_PROMETHEUS", "Prometheus, instead of the preset's.", kUrls),
    Service("--grafana", "CHECK_GRAFANA", "Grafana, instead of the preset's.", kUrls),
    OptionRow{.flag = "--slow-after",
              .env = "CHECK_SLOW_AFTER",
              .fallback = "1s",
              .kind = Kind::kDuration,
              .help = "A good answer that took longer is degraded; 0s: however long it took.",
              .min = 0,
              .max = 3'600'000},
    OptionRow{.flag = "--all-smi",
              .env = "CHECK_ALL_SMI",
              .help = "An all-smi that tells of the GPUs, instead of this machine's NVML, "
                      "nvidia-smi or macOS.",
              .allowed = "an http:// or https:// URL, with or without /metrics"},
    OptionRow{.flag = "--no-color",
              .env = "NO_COLOR",
              .help = "Anything: no colour, on a terminal too.",
              .allowed = "anything",
              .bare = "1"},
};

constexpr std::array kGpuRows = {
    OptionRow{.flag = "--detailed",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Instead of the table a block for each GPU, with its processes.",
              .letter = "-d"},
};

template <class Rows>
void Add(const Rows& rows, std::vector<OptionRow>& all) {
  all.insert(all.end(), rows.begin(), rows.end());
}

}  // namespace

config::Rows CheckOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows = {Format("table")};
    Add(kCommonRows, rows);
    Add(LogFlags(), rows);
    return rows;
  }();
  return kAll;
}

config::Rows GpuCheckOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kGpuRows.begin(), kGpuRows.end());
    const config::Rows others = CheckOptions();
    rows.insert(rows.end(), others.begin(), others.end());
    return rows;
  }();
  return kAll;
}

config::Rows MonitorOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kMonitorRows.begin(), kMonitorRows.end());
    rows.push_back(Format("summary"));
    Add(kCommonRows, rows);
    Add(LogFlags(), rows);
    return rows;
  }();
  return kAll;
}

}  // namespace gpumon::ctl
