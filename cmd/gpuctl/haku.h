// gpuctl nodes, tasks, vps, status, logs, kill, pause, resume: a HakuRiver cluster, and what our
// own API has of the same.
#pragma once

#include <iosfwd>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::ctl {

config::Rows NodesOptions();
config::Rows TasksOptions();
config::Rows VpsOptions();
config::Rows StatusOptions();
config::Rows LogsOptions();
config::Rows ActOptions();
// Of the three programs that a HakuRiver host comes with.
config::Rows UpstreamOptions();

// Exit codes as app.h's Exit; kUsage also where there is no such task, or its state forbids it.
int RunNodes(const config::Values& values, std::ostream& out, std::ostream& err);
int RunTasks(const config::Values& values, std::ostream& out, std::ostream& err);
int RunVps(const config::Values& values, std::ostream& out, std::ostream& err);
int RunStatus(const config::Values& values, std::ostream& out, std::ostream& err);
int RunLogs(const config::Values& values, std::ostream& out, std::ostream& err);
int RunKill(const config::Values& values, std::ostream& out, std::ostream& err);
int RunPause(const config::Values& values, std::ostream& out, std::ostream& err);
int RunResume(const config::Values& values, std::ostream& out, std::ostream& err);
// By their own names: hakuriver.client, hakuriver.task, hakuriver.vps. kFindings where the host
// answers an error, which is printed all the same.
int RunHakuClient(const config::Values& values, std::ostream& out, std::ostream& err);
int RunHakuTask(const config::Values& values, std::ostream& out, std::ostream& err);
int RunHakuVps(const config::Values& values, std::ostream& out, std::ostream& err);
// Their commands.
inline constexpr std::string_view kHakuClientVerbs = "nodes health status kill command";
inline constexpr std::string_view kHakuTaskVerbs = "stdout stderr kill command";
inline constexpr std::string_view kHakuVpsVerbs = "status kill command";

inline constexpr std::string_view kNodesUsage = "[--source api|hakuriver] [-o WORD] [flags]";
inline constexpr std::string_view kHakuListDetails =
    R"(Asks a running gpu-monitoring-api, as gpuctl get does, or a HakuRiver host
(--source hakuriver; the default where only HAKURIVER_URL is set).

HakuRiver hosts write their own local time without a zone: it is shown as they
wrote it. "-" is a value that nobody knows.

--selector, --sort-by, --watch are for the API; --status and --limit, where they
are, for a HakuRiver host.

Exit codes:
  0  printed, be it no row
  2  wrong usage
  3  who is asked does not answer as it should
  4  not all of the output could be written

)";
inline constexpr std::string_view kVpsUsage = "[--all] [-o WORD] [flags]";
inline constexpr std::string_view kVpsDetails =
    R"(The VPS of a HakuRiver host that are pending, assigning, running or paused, with
the port of each for ssh; --all: those that have ended too.

Exit codes: 0 printed, 2 wrong usage, 3 the host does not answer as it should,
4 not all of the output could be written.

)";
inline constexpr std::string_view kStatusUsage = "TASK [-o table|json] [flags]";
inline constexpr std::string_view kStatusDetails =
    R"(TASK is the number of a HakuRiver task, command or VPS; or, of a running
gpu-monitoring-api, NAMESPACE/NAME of a pod or Job. Which of the two it is also
says who is asked, unless --source does.

Exit codes: 0 printed, 2 wrong usage or no such task, 3 who is asked does not
answer as it should, 4 not all of the output could be written.

)";
inline constexpr std::string_view kLogsUsage = "TASK [--stderr] [--tail N] [flags]";
inline constexpr std::string_view kLogsDetails =
    R"(Prints what a command task of a HakuRiver host wrote; --stderr: its standard
error. A VPS writes no log. Of a pod, NAMESPACE/NAME, this says which command
prints it.

Exit codes: 0 printed, be it nothing, 2 wrong usage, no such task or a VPS,
3 the host does not answer as it should, 4 not all of the output could be
written.

)";
inline constexpr std::string_view kActUsage = "TASK [--yes] [flags]";
inline constexpr std::string_view kActDetails =
    R"(Asks the HakuRiver host for it, nobody else: gpu-monitoring-api only reads. On a
terminal it asks first, elsewhere it wants --yes. The state follows within
seconds: gpuctl status TASK.

Exit codes: 0 asked for, 2 wrong usage, no such task, a state that forbids it, or
not confirmed, 3 the host does not answer as it should.

)";
inline constexpr std::string_view kUpstreamUsage = "COMMAND [ARGUMENT...] [flags]";
inline constexpr std::string_view kUpstreamDetails =
    R"(For whoever types the command lines of HakuRiver itself; the links
hakuriver.client, hakuriver.task and hakuriver.vps mean these:

  client  nodes, health [HOST], status ID, kill ID, command ID pause|resume
  task    stdout ID, stderr ID, kill ID, command ID pause|resume
  vps     status, kill ID, command ID pause|resume

Prints the line "HTTP Status Code: 200" and then the host's own JSON, indented;
of a log its text alone. Nothing is asked before kill, as HakuRiver does not.

--hakuriver-config (by these names --config too) is HakuRiver's own file:
host_reachable_address and host_port of its section [network] are where the
host is, unless a flag or variable says so.

Exit codes: 0 an answer, 1 an error of the host's, which is printed, 2 wrong
usage, 3 the host does not answer.

)";

}  // namespace gpumon::ctl
