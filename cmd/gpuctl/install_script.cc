#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/health.h"
#include "cmd/gpuctl/output.h"
#include "internal/config/address.h"

namespace gpumon::ctl {
namespace {

// What stands between @ is replaced. Only what IsPlain lets through is put in, so nothing of it
// means anything to the shell or to systemd.
constexpr std::string_view kScript = R"script(#!/bin/sh
# Sets up GPUd @VERSION@ on this host, and the collector of its health. Safe to run again.
set -eu

version='@VERSION@'
address='@ADDRESS@'
status=/run/flow-gpud-status # attempted, install_failed, start_failed, not_ready, running

say() { printf 'gpud-install: %s\n' "$*"; }
fail() { # STATUS WHY
  echo "$1" >"$status"
  say "$2" >&2
  exit 1
}

# Writes the unit NAME from standard input, and (re)starts it where that changed anything.
serve() {
  unit=/etc/systemd/system/$1.service
  cat >"$unit.new"
  if cmp -s "$unit.new" "$unit"; then
    rm "$unit.new"
  else
    mv "$unit.new" "$unit"
    systemctl daemon-reload
    systemctl stop "$1" 2>/dev/null || true
  fi
  systemctl enable --quiet "$1"
  systemctl start "$1"
}

if [ "$(id -u)" != 0 ]; then
  say 'this must be run as root' >&2
  exit 1
fi
if ! [ -e /dev/nvidiactl ] && ! command -v nvidia-smi >/dev/null 2>&1; then
  say 'no NVIDIA GPU here: nothing to do'
  exit 0
fi
echo attempted >"$status"

has_version() {
  case " $(gpud --version 2>/dev/null | tr '\n' ' ') " in
  *" $version "* | *" ${version#v} "*) return 0 ;;
  esac
  return 1
}
if ! has_version; then
  say "installing GPUd $version"
  script=$(mktemp)
  trap 'rm -f "$script"' EXIT
  curl -fsSL --retry 3 -o "$script" https://pkg.gpud.dev/install.sh ||
    fail install_failed 'https://pkg.gpud.dev/install.sh cannot be had'
  systemctl stop gpud 2>/dev/null || true
  sh "$script" "$version" || fail install_failed "GPUd $version cannot be installed"
  has_version || fail install_failed "GPUd $version was installed, but gpud --version differs"
fi

# `gpud up` has no option for an address, `gpud run` has.
serve gpud <<UNIT || fail start_failed 'systemd cannot start gpud: journalctl -u gpud'
[Unit]
Description=GPUd
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$(command -v gpud) run --listen-address=$address
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
UNIT

# It speaks HTTPS, with a certificate that nobody signed.
tries=0
until curl -sk --max-time 2 "https://@ASK@/healthz" >/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || fail not_ready "GPUd does not answer at $address: journalctl -u gpud"
  sleep 1
done
echo running >"$status"
say "GPUd $version answers at https://$address"

collector=$(command -v gpu-monitoring-api || true)
if [ -z "$collector" ]; then
  say 'gpu-monitoring-api is not installed here: nothing is collected'
  exit 0
fi
serve flow-metrics-streamer <<UNIT || fail running 'systemd cannot start flow-metrics-streamer'
[Unit]
Description=Collector of GPU health
Wants=network-online.target
After=network-online.target gpud.service

[Service]
@ENVIRONMENT@# Secrets such as FLOW_METRICS_AUTH_TOKEN.
EnvironmentFile=-/etc/default/flow-metrics-streamer
ExecStart=$collector collect
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
UNIT
say 'flow-metrics-streamer is running'
)script";

constexpr std::string_view kSwitchedOff =
    "#!/bin/sh\n# FLOW_HEALTH_MONITORING is false: there is nothing to set up.\n";
constexpr std::string_view kMetricsDir = "/var/log/flow";  // Flow's, on a host

void Replace(std::string_view what, std::string_view with, std::string& text) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/[]+-").find(c) != std::string_view::npos;
  });
}

// Of the collector, as that program calls them.
struct SettingRow {
  std::string_view name;
  std::string_view flag;
};
constexpr std::array kUrls = {
    SettingRow{"PROMETHEUS_URL", "--prometheus-url"},
    SettingRow{"FLOW_METRICS_ENDPOINT", "--metrics-endpoint"},
};

// What the collector does not ask for, or what stands in the script in any case.
constexpr std::array<std::string_view, 7> kElsewhere = {
    "--health-monitoring", "--flow-config", "--gpud-bind",       "--gpud-port",
    "--metrics-interval",  "--metrics-dir", "--metrics-endpoint"};

std::string ValueOf(const config::Values& values, const config::OptionRow& row) {
  switch (row.kind) {
    case config::Kind::kInteger:
      return std::to_string(values.Integer(row.flag));
    case config::Kind::kDuration:
      return std::to_string(values.Duration(row.flag).count()) + "ms";
    case config::Kind::kBytes:
      return std::to_string(values.Bytes(row.flag));
    default:
      return values.Text(row.flag);
  }
}

// Those of Flow's variables and keys that somebody gave, under the names of the variables.
std::optional<Status> AddGiven(const config::Values& values, InstallPlan& plan, std::ostream& err) {
  for (const config::OptionRow& row : InstallOptions()) {
    const bool elsewhere =
        std::find(kElsewhere.begin(), kElsewhere.end(), row.flag) != kElsewhere.end();
    if (!row.env.starts_with("FLOW_") || elsewhere || !values.Given(row.flag)) continue;
    if (row.secret) {
      err << "gpuctl: " << row.env << " stays out of the script; put it into "
          << "/etc/default/flow-metrics-streamer on the host\n";
      continue;
    }
    std::string value = ValueOf(values, row);
    if (!IsPlain(value)) {
      return values.Refuse(row.flag, "cannot stand in a script as it is",
                           "letters, digits and ._:/[]+-; anything else goes to "
                           "/etc/default/flow-metrics-streamer on the host");
    }
    plan.settings.emplace_back(row.env, std::move(value));
  }
  return std::nullopt;
}

}  // namespace

std::string InstallScript(const InstallPlan& plan) {
  const bool is_v6 = plan.bind.find(':') != std::string::npos;
  const auto with_port = [&plan](const std::string& host) { return host + ':' + plan.port; };
  std::string ask = is_v6 ? '[' + plan.bind + ']' : plan.bind;
  const std::string address = with_port(ask);
  if (ask == "0.0.0.0") ask = "127.0.0.1";
  if (ask == "[::]") ask = "[::1]";
  std::string environment;
  for (const auto& [name, value] : plan.settings) {
    environment += "Environment=" + name + '=' + value + '\n';
  }
  std::string script(kScript);
  Replace("@VERSION@", plan.version, script);
  Replace("@ADDRESS@", address, script);
  Replace("@ASK@", with_port(ask), script);
  Replace("@ENVIRONMENT@", environment, script);
  return script;
}

int RunInstallScript(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto refuse = [&err](const Status& why) {
    PrintError(why.message, err);
    return kUsage;
  };
  if (!values.Bool("--health-monitoring")) {
    out << kSwitchedOff;
    return kWell;
  }
  const auto bind = config::ParseHost(values.Text("--gpud-bind"));
  if (!bind) return refuse(values.Refuse("--gpud-bind", bind.error().message));
  const std::string& version = values.Text("--gpud-version");
  if (!IsPlain(version)) return refuse(values.Refuse("--gpud-version", "is no version"));
  InstallPlan plan{version, *bind, std::to_string(values.Integer("--gpud-port")), {}};
  for (const SettingRow& row : kUrls) {
    const std::string& url = values.Text(row.flag);
    if (url.empty()) continue;
    if (const auto wrong = config::CheckUrl(url)) {
      return refuse(values.Refuse(row.flag, wrong->message));
    }
    if (config::HasUserInfo(url) || !IsPlain(url)) {
      return refuse(values.Refuse(row.flag, "cannot stand in a script as it is",
                                  "a URL of letters, digits and ._:/[]+-; anything else goes to "
                                  "/etc/default/flow-metrics-streamer on the host"));
    }
    plan.settings.emplace_back(row.name, url);
  }
  const std::string folder =
      values.Given("--metrics-dir") ? values.Text("--metrics-dir") : std::string(kMetricsDir);
  if (!folder.starts_with('/') || !IsPlain(folder)) {
    return refuse(values.Refuse("--metrics-dir", "cannot be used on another host",
                                "a whole path of letters, digits and ._:/[]+-"));
  }
  plan.settings.emplace_back("METRICS_DIR", folder);
  plan.settings.emplace_back("FLOW_METRICS_INTERVAL",
                             std::to_string(values.Integer("--metrics-interval")));
  plan.settings.emplace_back("FLOW_GPUD_BIND", plan.bind);
  plan.settings.emplace_back("FLOW_GPUD_PORT", plan.port);
  if (const auto wrong = AddGiven(values, plan, err)) return refuse(*wrong);
  out << InstallScript(plan);
  return kWell;
}

}  // namespace gpumon::ctl
