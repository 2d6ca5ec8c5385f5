#include "cmd/gpuctl/app.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <vector>

#include "cmd/gpuctl/check.h"
#include "cmd/gpuctl/completion.h"
#include "cmd/gpuctl/doctor.h"
#include "cmd/gpuctl/family_help.h"
#include "cmd/gpuctl/get.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/health.h"
#include "cmd/gpuctl/log_flags.h"
#include "cmd/gpuctl/man.h"
#include "cmd/gpuctl/operand.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/rules.h"
#include "cmd/gpuctl/top_screen.h"
#include "internal/base/process.h"
#include "internal/base/text.h"
#include "internal/config/help.h"
#include "internal/config/option_value.h"
#include "version.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kProgram = "gpuctl";

constexpr Command Check(std::string_view name, std::string_view summary,
                        int (*run)(const config::Values&, std::ostream&, std::ostream&)) {
  return {name, summary, kCheckUsageText, kCheckDetails, CheckOptions, run, kCheckUsage};
}

template <std::size_t kIndex>
constexpr Command Get(std::string_view name, std::string_view summary) {
  return {name, summary, kGetUsage, kGetDetails, GetOptions, RunGetOf<kIndex>, kUsage, "--name"};
}

constexpr Command Act(std::string_view name, std::string_view summary,
                      int (*run)(const config::Values&, std::ostream&, std::ostream&)) {
  return {name, summary, kActUsage, kActDetails, ActOptions, run, kUsage, "--task"};
}

constexpr Command Upstream(std::string_view name, std::string_view summary,
                           int (*run)(const config::Values&, std::ostream&, std::ostream&),
                           std::string_view verbs) {
  return {name,
          summary,
          kUpstreamUsage,
          kUpstreamDetails,
          UpstreamOptions,
          run,
          kUsage,
          "--verb --subject --word",
          verbs};
}

constexpr std::array kCommands = {
    Command{"doctor", "Says where each number comes from, and what is wrong.", kDoctorUsage,
            kDoctorDetails, DoctorOptions, RunDoctor},
    Command{"rules", "Prints alerts and recorded series for the exporter that is there.",
            kRulesUsage, kRulesDetails, RulesOptions, RunRules},
    Check("check all", "Checks all of the following.", RunCheckAll),
    Check("check docker", "Checks the containers.", RunCheckDocker),
    Check("check infrastructure", "Checks PostgreSQL, Redis and etcd.", RunCheckInfrastructure),
    Check("check services", "Checks Backend.AI, Prometheus and Grafana.", RunCheckServices),
    Command{"check gpu", "Checks the GPUs of this machine.", kGpuCheckUsageText, kCheckDetails,
            GpuCheckOptions, RunCheckGpu, kCheckUsage},
    Check("check system", "Checks this machine: Docker, memory, disks, ports, files.",
          RunCheckSystem),
    Command{"monitor", "Runs check all again and again.", kMonitorUsageText, kMonitorDetails,
            MonitorOptions, RunMonitor, kCheckUsage},
    Command{"top", "Shows the cluster, live.", kTopUsage, kTopDetails, TopOptions, RunTop},
    Get<0>("get gpus", "One row per GPU."),
    Get<1>("get processes", "One row per process on a GPU."),
    Get<2>("get nodes", "One row per node with GPUs."),
    Get<3>("get workloads", "One row per pod that holds GPUs."),
    Get<4>("get users", "One row per user with processes on GPUs."),
    Get<5>("get tasks", "One row per pod or Job that asks for GPUs."),
    Get<6>("get idle", "Who held GPUs and did not use them."),
    Get<7>("get events", "What happened to GPUs, the newest first."),
    Get<8>("get alerts", "What the rules of Prometheus call out."),
    Command{"completion bash", "Prints the script that completes in bash.", kCompletionUsage,
            kCompletionDetails, CompletionOptions, RunBashCompletion},
    Command{"completion zsh", "Prints the script that completes in zsh.", kCompletionUsage,
            kCompletionDetails, CompletionOptions, RunZshCompletion},
    Command{"man", "Prints or writes the manual pages.", kManUsage, kManDetails, ManOptions,
            RunMan},
    Command{"health", "Says how well nodes, tasks and their GPUs are.", kHealthUsage,
            kHealthDetails, HealthOptions, RunHealth, kUsage, "--node"},
    Command{"nodes", "Lists nodes, of the API or of a HakuRiver host.", kNodesUsage,
            kHakuListDetails, NodesOptions, RunNodes},
    Command{"tasks", "Lists tasks, of the API or of a HakuRiver host.", kNodesUsage,
            kHakuListDetails, TasksOptions, RunTasks},
    Command{"vps", "Lists the VPS of a HakuRiver host.", kVpsUsage, kVpsDetails, VpsOptions,
            RunVps},
    Command{"status", "Says all of one task.", kStatusUsage, kStatusDetails, StatusOptions,
            RunStatus, kUsage, "--task"},
    Command{"logs", "Prints what a task of a HakuRiver host wrote.", kLogsUsage, kLogsDetails,
            LogsOptions, RunLogs, kUsage, "--task"},
    Act("kill", "Kills a task of a HakuRiver host.", RunKill),
    Act("pause", "Pauses a task of a HakuRiver host.", RunPause),
    Act("resume", "Resumes a task of a HakuRiver host.", RunResume),
    Command{"gpud get", "Prints what a GPUd answers.", kGpudGetUsage, kGpudGetDetails, GpudOptions,
            RunGpudGet, kUsage, "--path"},
    Command{"gpud install-script", "Prints a script that sets up GPUd on a host.", kInstallUsage,
            kInstallDetails, InstallOptions, RunInstallScript},
    Command{"flow ssh", "Says which command opens a shell.", "[TASK]", kFlowDetails, FlowOptions,
            RunFlowSsh, kUsage, "--task"},
    Command{"flow logs", "Says which command prints logs.", "[TASK]", kFlowDetails, FlowOptions,
            RunFlowLogs, kUsage, "--task"},
    Upstream("hakuriver client", "Does as hakuriver.client.", RunHakuClient, kHakuClientVerbs),
    Upstream("hakuriver task", "Does as hakuriver.task.", RunHakuTask, kHakuTaskVerbs),
    Upstream("hakuriver vps", "Does as hakuriver.vps.", RunHakuVps, kHakuVpsVerbs),
};

std::string_view FirstWord(const Command& command) {
  return command.name.substr(0, command.name.find(' '));
}

// "" where the name is one word.
std::string_view SecondWord(const Command& command) {
  const std::size_t blank = command.name.find(' ');
  return blank == std::string_view::npos ? std::string_view() : command.name.substr(blank + 1);
}

// As kubectl has it: one of a list is called as well as all of it.
bool IsOneOf(std::string_view list, const std::string& word) {
  return !word.empty() && (list == word || list == word + "s" || list == word + "es");
}

struct Found {
  const Command* command = nullptr;
  std::size_t words = 0;  // of the arguments, that name it
};

Found FindCommand(std::span<const std::string> arguments) {
  for (const Command& command : kCommands) {
    if (arguments.empty() || arguments[0] != FirstWord(command)) continue;
    const std::string_view second = SecondWord(command);
    if (second.empty()) return {&command, 1};
    if (arguments.size() > 1 && IsOneOf(second, arguments[1])) return {&command, 2};
  }
  return {};
}

// The first command that has `word` and a second one; null when there is none.
const Command* FindFamily(std::string_view word) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& command) {
    return FirstWord(command) == word && !SecondWord(command).empty();
  });
  return found == kCommands.end() ? nullptr : &*found;
}

void PrintCommands(std::ostream& out) {
  out << kProgram << ' ' << kVersion
      << "\nOne command line for the fleet, the node and the services around it.\n\nUsage: gpuctl "
         "COMMAND [flags]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    out << "  " << command.name << "\n        " << command.summary << '\n';
  }
  out << "  help [COMMAND]\n        Prints this text, or that of a command.\n\n"
         "gpuctl COMMAND --help says all of a command; --version prints the version.\n";
}

void PrintHelp(const Command& command, std::ostream& out) {
  const std::string name = std::string(kProgram) + ' ' + std::string(command.name);
  out << config::HelpText({.name = name,
                           .summary = command.summary,
                           .version = kVersion,
                           .usage = command.usage,
                           .details = command.details,
                           .columns = 80},
                          command.options());
}

int Refuse(std::string_view message, std::ostream& err, int code = kUsage) {
  PrintError(message, err);
  return code;
}

int RefuseCommand(const std::string& name, std::ostream& err) {
  // What stands behind `=` may be a secret.
  const std::string word = name.substr(0, name.find('='));
  const std::string shown = config::ShownValue({}, word);
  if (word == "--help" || word == "-h" || word == "--version") {
    return Refuse(word + " takes no value; see gpuctl --help", err);
  }
  if (name.starts_with('-')) {
    return Refuse("unknown flag " + shown +
                      "; the command comes first: gpuctl COMMAND [flags]; see gpuctl --help",
                  err);
  }
  std::vector<std::string> names = {"help"};
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string_view near = NearestWord(name, names);
  return Refuse("unexpected command " + shown +
                    (near.empty() ? std::string() : ", the nearest is " + std::string(near)) +
                    "; see gpuctl --help",
                err);
}

// `word` is the first of a family's names; the second is missing or wrong.
int RefuseFamily(const Command& first, std::span<const std::string> arguments, std::ostream& err) {
  const std::string word(FirstWord(first));
  std::vector<std::string> words;
  std::string all;
  for (const Command& command : kCommands) {
    if (FirstWord(command) != word) continue;
    words.emplace_back(SecondWord(command));
    all += (all.empty() ? "" : ", ") + words.back();
  }
  std::string line = word + " needs one of " + all;
  if (arguments.size() > 1 && !arguments[1].starts_with('-')) {
    const std::string_view near = NearestWord(arguments[1], words);
    line += ", not " + config::ShownValue({}, arguments[1]);
    if (!near.empty()) line += "; the nearest is " + std::string(near);
  }
  return Refuse(line + "; see gpuctl " + word + " --help", err, first.usage_code);
}

int RunHelp(std::span<const std::string> names, std::ostream& out, std::ostream& err) {
  if (names.empty()) {
    PrintCommands(out);
    return kWell;
  }
  const Found found = FindCommand(names);
  if (names.size() == 1 && FindFamily(names[0]) != nullptr) {
    out << FamilyHelp(kCommands, names[0]);
    return kWell;
  }
  if (found.command == nullptr) {
    const Command* const family = FindFamily(names[0]);
    return family == nullptr ? RefuseCommand(names[0], err) : RefuseFamily(*family, names, err);
  }
  if (names.size() > found.words) {
    return Refuse("unexpected argument " + config::ShownValue({}, names[found.words]) +
                      "; help takes one command; see gpuctl --help",
                  err);
  }
  PrintHelp(*found.command, out);
  return kWell;
}

int RunCommand(const Command& command, std::span<const std::string> arguments,
               const config::Environment& environment, std::ostream& out, std::ostream& err) {
  const std::vector<std::string> given =
      WithOperand({arguments.begin(), arguments.end()}, command.operand, command.options());
  const auto values = config::Parse(command.options(), given, environment);
  if (!values) return Refuse(values.error().message, err, command.usage_code);
  if (values->help_wanted()) {
    PrintHelp(command, out);
    return kWell;
  }
  if (values->version_wanted()) {
    out << config::VersionText({.name = kProgram, .summary = "", .version = kVersion});
    return kWell;
  }
  if (HasLogFlags(command.options())) log::SetLevel(LogLevelOf(*values));
  return command.run(*values, out, err);
}

int RunAny(std::span<const std::string> arguments, const config::Environment& environment,
           std::ostream& out, std::ostream& err) {
  if (arguments.empty()) return Refuse("a command is missing; see gpuctl --help", err);
  const std::string& first = arguments.front();
  if (first == "--version") {
    out << config::VersionText({.name = kProgram, .summary = "", .version = kVersion});
    return kWell;
  }
  if (first == "help") return RunHelp(arguments.subspan(1), out, err);
  if (first == "--help" || first == "-h") return RunHelp({}, out, err);
  const Found found = FindCommand(arguments);
  if (found.command != nullptr) {
    return RunCommand(*found.command, arguments.subspan(found.words), environment, out, err);
  }
  const Command* const family = FindFamily(first);
  if (family == nullptr) return RefuseCommand(first, err);
  if (arguments.size() > 1 && (arguments[1] == "--help" || arguments[1] == "-h")) {
    return RunHelp(arguments.first(1), out, err);
  }
  return RefuseFamily(*family, arguments, err);
}

}  // namespace

std::span<const Command> Commands() {
  return kCommands;
}

int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err) {
  const int code = RunAny(arguments, environment, out, err);
  if (IsWritten(out)) return code;
  err << kProgram << ": " << kUnwritten << '\n';
  return kNoOutput;
}

}  // namespace gpumon::ctl
