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

std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flag,
                                     config::Rows rows) {
  if (flag.empty()) return arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with('-')) {
      if (TakesNext(arguments[i], rows)) ++i;
    } else if (!arguments[i].empty()) {
      arguments[i] = std::string(flag) + '=' + arguments[i];
      break;
    }
  }
  return arguments;
}

}  // namespace gpumon::ctl
