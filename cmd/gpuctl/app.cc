#include "cmd/gpuctl/app.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <vector>

#include "cmd/gpuctl/doctor.h"
#include "internal/base/process.h"
#include "internal/base/text.h"
#include "internal/config/help.h"
#include "internal/config/option_value.h"
#include "version.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kProgram = "gpuctl";

constexpr std::array kCommands = {
    Command{"doctor", "Says where each number comes from, and what is wrong.", kDoctorUsage,
            kDoctorDetails, DoctorOptions, RunDoctor},
};

const Command* FindCommand(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const Command& command) { return command.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

void PrintCommands(std::ostream& out) {
  out << kProgram << ' ' << kVersion
      << "\nAsks a running gpu-monitoring-api.\n\nUsage: gpuctl COMMAND [flags]\n\nCommands:\n";
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

int Refuse(std::string_view message, std::ostream& err) {
  err << kProgram << ": " << message << '\n';
  return kUsage;
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

int RunHelp(std::span<const std::string> names, std::ostream& out, std::ostream& err) {
  if (names.empty()) {
    PrintCommands(out);
    return kWell;
  }
  const Command* const command = FindCommand(names.front());
  if (command == nullptr) return RefuseCommand(names.front(), err);
  if (names.size() > 1) {
    return Refuse("unexpected argument " + config::ShownValue({}, names[1]) +
                      "; help takes one command; see gpuctl --help",
                  err);
  }
  PrintHelp(*command, out);
  return kWell;
}

int RunCommand(const Command& command, std::span<const std::string> arguments,
               const config::Environment& environment, std::ostream& out, std::ostream& err) {
  const auto values = config::Parse(command.options(), arguments, environment);
  if (!values) return Refuse(values.error().message, err);
  if (values->help_wanted()) {
    PrintHelp(command, out);
    return kWell;
  }
  if (values->version_wanted()) {
    out << config::VersionText({.name = kProgram, .summary = "", .version = kVersion});
    return kWell;
  }
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
  const Command* const command = FindCommand(first);
  if (command == nullptr) return RefuseCommand(first, err);
  return RunCommand(*command, arguments.subspan(1), environment, out, err);
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
