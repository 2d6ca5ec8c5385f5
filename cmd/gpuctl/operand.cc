#include "cmd/gpuctl/operand.h"

#include <algorithm>
#include <array>

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

TaskName TaskNameOf(const std::string& text) {
  constexpr std::array<std::string_view, 3> kWords = {"task/", "vps/", "workload/"};
  constexpr std::array<std::string_view, 2> kKinds = {"Pod/", "Job/"};
  TaskName task{text, {}};
  for (const std::string_view word : kWords) {
    if (!text.starts_with(word)) continue;
    const std::string rest = text.substr(word.size());
    const bool is_number =
        !rest.empty() && rest.find_first_not_of("0123456789") == std::string::npos;
    if (is_number || rest.find('/') != std::string::npos) task.name = rest;
  }
  for (const std::string_view kind : kKinds) {
    const bool is_kind =
        task.name.starts_with(kind) && task.name.find('/', kind.size()) != std::string::npos;
    if (!is_kind) continue;
    task.kind = kind.substr(0, kind.size() - 1);
    task.name.erase(0, kind.size());
    break;
  }
  return task;
}

std::string NodeNameOf(const std::string& text) {
  constexpr std::string_view kWord = "node/";
  return text.starts_with(kWord) ? text.substr(kWord.size()) : text;
}

}  // namespace gpumon::ctl
