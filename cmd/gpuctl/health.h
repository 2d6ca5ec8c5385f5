// gpuctl health: how well nodes, tasks and their GPUs are. gpuctl gpud: what a GPUd says itself.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/config/options.h"

namespace gpumon::ctl {

config::Rows HealthOptions();
config::Rows GpudOptions();
config::Rows InstallOptions();
config::Rows FlowOptions();

// Exit codes as --fail-on says; else app.h's Exit.
int RunHealth(const config::Values& values, std::ostream& out, std::ostream& err);
int RunGpudGet(const config::Values& values, std::ostream& out, std::ostream& err);
int RunInstallScript(const config::Values& values, std::ostream& out, std::ostream& err);
// What gpuctl does not do itself: which command does.
int RunFlowSsh(const config::Values& values, std::ostream& out, std::ostream& err);
int RunFlowLogs(const config::Values& values, std::ostream& out, std::ostream& err);

struct InstallPlan {
  std::string version;  // "v0.5.1"
  std::string bind;     // an address
  std::string port;
  // Variables of gpu-monitoring-api collect.
  std::vector<std::pair<std::string, std::string>> settings;
};
// A start-up script for a host with GPUs, safe to run again.
std::string InstallScript(const InstallPlan& plan);

inline constexpr std::string_view kHealthUsage =
    "[NODE] [--gpu] [--all] [--task T] [--history H] [flags]";
inline constexpr std::string_view kHealthDetails =
    R"(Without a flag: all nodes. NODE or --node: one node with its GPUs. --gpu: all
tasks with GPUs; --all adds those without. --task: one task.

Where it asks (--source):
  api    a running gpu-monitoring-api. A task is a GPU workload there:
         NAMESPACE/OWNER, of whatever owns the pods, or NAMESPACE/POD
  hakuriver  a HakuRiver host: --hakuriver-url http://HOST:8000. A task is its
         number; the default where only HAKURIVER_URL is set
  gpud   GPUd itself: --gpud-url https://HOST:15132 (its certificate is its own,
         so who answers is not known), or through ssh with --via HOST: curl runs
         there and asks --gpud-bind and --gpud-port, which stay on loopback. A
         port that ssh forwards is --gpud-url https://127.0.0.1:PORT
  store  the files that gpu-monitoring-api collect writes (--metrics-dir)
--gpud-url and --via alone mean gpud.

--history H prints what was stored of a task or node in the last H hours.

Levels: healthy (80 to 100 %), degraded (60 to 79 %), critical (below 60 %),
unknown. docs/FLOW.md says more, and lists the FLOW_ variables and the keys of
~/.flow/config.yaml.

Exit codes:
  0  an answer; with --fail-on never (the default) whatever it says
  1  --fail-on warnings: there are warnings and no issues; --history: nothing
     was stored
  2  --fail-on warnings or issues: there are issues; or wrong usage, no such
     task, no such node
  3  who is asked does not answer as it should
  4  not all of the output could be written

Examples:
  gpuctl health --gpu
  gpuctl health gpu-node-1
  gpuctl health --task ml-team/llama --history 24 --json
  gpuctl health --via gn01,gn02 --watch

)";
inline constexpr std::string_view kGpudGetUsage = "PATH [--via HOST | --gpud-url URL] [flags]";
inline constexpr std::string_view kGpudGetDetails =
    R"(Prints one answer of a GPUd as it came: /v1/states, /v1/events, /v1/metrics,
/v1/info, /v1/components, /machine-info, /healthz, /metrics. On a terminal what
it would act on is shown as a question mark. /v1/events without a startTime
would be empty: the last 24 hours are asked for then.

Exit codes: 0 an answer, 2 wrong usage, 3 GPUd does not answer as it should.

)";
inline constexpr std::string_view kInstallUsage = "[--gpud-version V] [flags]";
inline constexpr std::string_view kInstallDetails =
    R"(Prints a script for a host with GPUs: for cloud-init, or `| ssh root@HOST sh`.
It installs that version of GPUd unless it is there and runs it as the service
gpud; and gpu-monitoring-api collect as the service flow-metrics-streamer, where
that program is installed. Running it again changes nothing that is right
already. On a host without an NVIDIA GPU it does nothing. How far it got stands
in /run/flow-gpud-status.

)";
inline constexpr std::string_view kFlowDetails =
    R"(gpuctl opens no shell and reads no files of other machines; this says which
command does.

)";

}  // namespace gpumon::ctl
