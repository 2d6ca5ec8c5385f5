#include "cmd/gpuctl/operand.h"

#include <algorithm>

namespace gpumon::ctl {
namespace {

config::Rows::iterator Find(std::string_view argument, config::Rows rows) {
  return std::find_if(rows.begin(), rows.end(), [&](const config::OptionRow& its) {
    return its.flag == argument || (!its.letter.empty() && its.letter == argument);
  });
}

// The argument behind it is its value.
bool TakesNext(std::string_view argument, config::Rows rows) {
  const auto row = Find(argument, rows);
  return row != rows.end() && row->kind != config::Kind::kBool && row->bare.empty();
}

}  // namespace

std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flags,
                                     config::Rows rows) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t list = kNone;  // the flag that takes all that are left
  std::vector<std::string> all;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool plain = !argument.empty() && !argument.starts_with('-');
    if (plain && list != kNone) {
      all[list] += ',' + argument;
    } else if (plain && !flags.empty()) {
      const std::string_view flag = flags.substr(0, flags.find(' '));
      flags.remove_prefix(std::min(flag.size() + 1, flags.size()));
      const auto row = Find(flag, rows);
      if (row != rows.end() && row->kind == config::Kind::kTextList) list = all.size();
      all.push_back(std::string(flag) + '=' + argument);
    } else {
      all.push_back(argument);
      if (!plain && TakesNext(argument, rows) && i + 1 < arguments.size()) {
        all.push_back(arguments[++i]);
      }
    }
  }
  return all;
}

}  // namespace gpumon::ctl
