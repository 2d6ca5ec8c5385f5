#include "cmd/gpuctl/link.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gpumon::ctl {
namespace {

constexpr std::string_view kHealthChecker = "backend-ai-health-checker";
constexpr std::string_view kFlow = "flow";
constexpr std::array<std::string_view, 5> kNames = {kHealthChecker, kFlow, "hakuriver.client",
                                                    "hakuriver.task", "hakuriver.vps"};
constexpr std::span<const std::string_view> kHakuRivers = std::span(kNames).subspan(2);
constexpr std::string_view kSubmit = "submit";
constexpr std::string_view kConfig = "--config";
constexpr std::string_view kHakuConfig = "--hakuriver-config";
// The same word in both.
constexpr std::array<std::string_view, 2> kShared = {"monitor", "--version"};

// What Flow does on a machine itself: what stands behind the task is that machine's business.
constexpr std::array<std::string_view, 2> kElsewhere = {"ssh", "logs"};

std::vector<std::string> FlowArguments(std::vector<std::string> arguments) {
  if (arguments.empty() ||
      std::find(kElsewhere.begin(), kElsewhere.end(), arguments[0]) == kElsewhere.end()) {
    return arguments;
  }
  std::vector<std::string> linked = {std::string(kFlow), arguments[0]};
  if (arguments.size() > 1) linked.push_back(arguments[1]);
  return linked;
}

// `program` is one of kHakuRivers.
std::vector<std::string> HakuRiverArguments(std::string_view program,
                                            std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments[0] == "--version") return arguments;
  const auto submit = std::find(arguments.begin(), arguments.end(), kSubmit);
  // Its own flags and the command behind them are nothing that gpuctl knows.
  if (submit != arguments.end()) arguments = {std::string(kSubmit)};
  for (std::string& argument : arguments) {
    // Its file is another than those that --config means elsewhere.
    if (argument == kConfig || argument.starts_with(std::string(kConfig) + '=')) {
      argument.replace(0, kConfig.size(), kHakuConfig);
    }
  }
  const std::size_t dot = program.find('.');
  arguments.insert(arguments.begin(),
                   {std::string(program.substr(0, dot)), std::string(program.substr(dot + 1))});
  return arguments;
}

bool IsShared(const std::vector<std::string>& arguments, std::size_t at) {
  return at < arguments.size() &&
         std::find(kShared.begin(), kShared.end(), arguments[at]) != kShared.end();
}

}  // namespace

std::span<const std::string_view> LinkNames() {
  return kNames;
}

std::vector<std::string> LinkedArguments(std::string_view program,
                                         std::vector<std::string> arguments) {
  const std::size_t slash = program.rfind('/');
  if (slash != std::string_view::npos) program.remove_prefix(slash + 1);
  if (program == kFlow) return FlowArguments(std::move(arguments));
  if (std::find(kHakuRivers.begin(), kHakuRivers.end(), program) != kHakuRivers.end()) {
    return HakuRiverArguments(program, std::move(arguments));
  }
  if (program != kHealthChecker) return arguments;
  const std::size_t at = !arguments.empty() && arguments[0] == "help" ? 1 : 0;
  if (!IsShared(arguments, at)) {
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(at), "check");
  }
  return arguments;
}

}  // namespace gpumon::ctl
