#include "cmd/gpuctl/link.h"

#include <algorithm>
#include <array>

namespace gpumon::ctl {
namespace {

constexpr std::string_view kHealthChecker = "backend-ai-health-checker";
// The same word in both.
constexpr std::array<std::string_view, 2> kShared = {"monitor", "--version"};

bool IsShared(const std::vector<std::string>& arguments, std::size_t at) {
  return at < arguments.size() &&
         std::find(kShared.begin(), kShared.end(), arguments[at]) != kShared.end();
}

}  // namespace

std::vector<std::string> LinkedArguments(std::string_view program,
                                         std::vector<std::string> arguments) {
  const std::size_t slash = program.rfind('/');
  if (slash != std::string_view::npos) program.remove_prefix(slash + 1);
  if (program != kHealthChecker) return arguments;
  const std::size_t at = !arguments.empty() && arguments[0] == "help" ? 1 : 0;
  if (!IsShared(arguments, at)) {
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(at), "check");
  }
  return arguments;
}

}  // namespace gpumon::ctl
