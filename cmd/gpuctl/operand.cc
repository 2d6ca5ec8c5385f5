#include "cmd/gpuctl/operand.h"

#include <algorithm>

namespace gpumon::ctl {
namespace {

// The argument behind it is its value.
bool TakesNext(std::string_view argument, config::Rows rows) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const config::OptionRow& its) {
    return its.flag == argument || (!its.letter.empty() && its.letter == argument);
  });
  return row != rows.end() && row->kind != config::Kind::kBool && row->bare.empty();
}

}  // namespace

std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flags,
                                     config::Rows rows) {
  for (std::size_t i = 0; i < arguments.size() && !flags.empty(); ++i) {
    if (arguments[i].starts_with('-')) {
      if (TakesNext(arguments[i], rows)) ++i;
    } else if (!arguments[i].empty()) {
      const std::size_t end = std::min(flags.find(' '), flags.size());
      arguments[i] = std::string(flags.substr(0, end)) + '=' + arguments[i];
      flags.remove_prefix(std::min(end + 1, flags.size()));
    }
  }
  return arguments;
}

}  // namespace gpumon::ctl
