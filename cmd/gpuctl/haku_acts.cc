#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/operand.h"
#include "cmd/gpuctl/output.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

constexpr Millis kLogTimeout{30'000};
constexpr Millis kActTimeout{15'000};
constexpr std::size_t kMostLogBytes = std::size_t{64} << 20U;

struct ActRow {
  hakuriver::Action action;
  std::string_view word;
  std::string_view pod;  // what of kubectl comes nearest
};

std::string NamespaceOf(const std::string& pod) {
  return pod.substr(0, pod.find('/'));
}
std::string NameOf(const std::string& pod) {
  return pod.substr(pod.find('/') + 1);
}
bool IsPod(const std::string& task) {
  return task.find('/') != std::string::npos;
}

// Which of the two it is is not asked for: who wants it has no server of ours perhaps.
std::string KubectlLogs(const std::string& task, const std::string& kind) {
  const std::string logs = "kubectl logs -n " + NamespaceOf(task) + ' ';
  const std::string of_job = logs + "job/" + NameOf(task);
  if (kind == "Job") return of_job + " prints them";
  const std::string of_pod = logs + NameOf(task) + " prints them";
  return kind == "Pod" ? of_pod : of_pod + "; of a Job: " + of_job;
}

// False: said why not.
bool IsConfirmed(const ActRow& act, const config::Values& values, const HakuHost& host,
                 std::ostream& err) {
  if (values.Bool("--yes")) return true;
  const std::string what = std::string(act.word) + " task " +
                           TaskNameOf(values.Text("--task")).name + " of " + host.name();
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
    err << "gpuctl: nobody is there to confirm: " << what << "; --yes does it without asking\n";
    return false;
  }
  err << what << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (EqualsIgnoreCase(answer, "y") || EqualsIgnoreCase(answer, "yes")) return true;
  err << "gpuctl: not done\n";
  return false;
}

int Act(const ActRow& act, const config::Values& values, std::ostream& out, std::ostream& err) {
  const std::string task = TaskNameOf(values.Text("--task")).name;
  if (task.empty()) return HakuFail(NoTask(act.word), err);
  if (IsPod(task)) {
    PrintError(std::string(act.word) + " is for tasks of a HakuRiver host; for a pod: kubectl " +
                   std::string(act.pod) + " -n " + NamespaceOf(task) + ' ' + NameOf(task),
               err);
    return kUsage;
  }
  auto host = HakuHost::Make(values, HakuFlags::kAlone, kActTimeout, err);
  if (!host) return HakuFail(host.error(), err);
  if (!hakuriver::IsTaskId(task)) return HakuFail(NoTaskId(values), err);
  if (!IsConfirmed(act, values, *host, err)) return kUsage;
  const auto done = host->Ask<void>(
      [&](auto got) { host->client().Act(act.action, task, host->deadline(), got); });
  if (!done) return HakuFail(done.error(), err);
  out << "task " << task << ": " << act.word << " asked for\n";
  return kWell;
}

}  // namespace

int RunLogs(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto [task, kind] = TaskNameOf(values.Text("--task"));
  if (task.empty()) return HakuFail(NoTask("logs"), err);
  if (IsPod(task)) {
    PrintError("gpuctl keeps no logs of pods; " + KubectlLogs(task, kind), err);
    return kUsage;
  }
  if (!hakuriver::IsTaskId(task)) return HakuFail(NoTaskId(values), err);
  auto host = HakuHost::Make(values, HakuFlags::kAlone, kLogTimeout, err);
  if (!host) return HakuFail(host.error(), err);
  const bool errors = values.Bool("--stderr");
  const bool none = values.Given("--tail") && values.Integer("--tail") == 0;
  // Of none at all it is asked whether there is such a log.
  const hakuriver::LogQuestion question{
      task, errors ? hakuriver::Stream::kStderr : hakuriver::Stream::kStdout,
      none ? 1 : static_cast<std::size_t>(values.Integer("--tail")), kMostLogBytes};
  const auto log = host->Ask<hakuriver::Log>(
      [&](auto got) { host->client().GetLog(question, host->deadline(), got); });
  if (!log) return HakuFail(log.error(), err);
  if (!none) PrintForeign(log->text, out);
  out.flush();
  if (log->none_yet) {
    err << "gpuctl: task " << task << " has written nothing to its standard "
        << (errors ? "error" : "output") << " yet\n";
  }
  if (log->truncated) err << "gpuctl: this is the end of a log too large to be sent whole\n";
  return kWell;
}

int RunKill(const config::Values& values, std::ostream& out, std::ostream& err) {
  return Act({hakuriver::Action::kKill, "kill", "delete pod"}, values, out, err);
}
int RunPause(const config::Values& values, std::ostream& out, std::ostream& err) {
  return Act({hakuriver::Action::kPause, "pause", "describe pod"}, values, out, err);
}
int RunResume(const config::Values& values, std::ostream& out, std::ostream& err) {
  return Act({hakuriver::Action::kResume, "resume", "describe pod"}, values, out, err);
}

}  // namespace gpumon::ctl
