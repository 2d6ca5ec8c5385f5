#include "cmd/gpuctl/family_help.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "internal/config/help.h"
#include "version.h"

namespace gpumon::ctl {
namespace {

using config::OptionRow;
using Members = std::vector<const Command*>;

std::string_view SecondWord(const Command& command) {
  return command.name.substr(command.name.find(' ') + 1);
}

const OptionRow* FindRow(const Command& command, std::string_view flag) {
  const config::Rows rows = command.options();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const OptionRow& its) { return its.flag == flag; });
  return row == rows.end() ? nullptr : &*row;
}

// "get, list: ", or "" where all have it.
std::string Owners(const Members& members, std::string_view flag) {
  std::string words;
  std::size_t count = 0;
  for (const Command* const command : members) {
    const OptionRow* const row = FindRow(*command, flag);
    if (row == nullptr || row->hidden) continue;
    words += (words.empty() ? "" : ", ") + std::string(SecondWord(*command));
    ++count;
  }
  return count == members.size() ? "" : words + ": ";
}

// By the name backend-ai-health-checker it is one of them.
bool IsMember(const Command& command, std::string_view family) {
  return command.name.starts_with(std::string(family) + ' ') ||
         (family == "check" && command.name == "monitor");
}

std::string DetailsOf(const Members& members) {
  std::string text = "Commands:\n";
  for (const Command* const command : members) {
    text += "  " + std::string(command->name) + "\n        " + std::string(command->summary) + '\n';
  }
  text += '\n';
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool said =
        std::any_of(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const Command* before) { return before->details == members[i]->details; });
    if (!said) text += members[i]->details;
  }
  return text;
}

}  // namespace

std::string FamilyHelp(std::span<const Command> commands, std::string_view family) {
  Members members;
  for (const Command& command : commands) {
    if (IsMember(command, family)) members.push_back(&command);
  }
  std::vector<OptionRow> rows;
  std::deque<std::string> texts;  // rows are views of them
  for (const Command* const command : members) {
    for (OptionRow row : command->options()) {
      const bool there = std::any_of(rows.begin(), rows.end(),
                                     [&](const OptionRow& one) { return one.flag == row.flag; });
      if (row.hidden || there) continue;
      row.help = texts.emplace_back(Owners(members, row.flag) + std::string(row.help));
      rows.push_back(row);
    }
  }
  const std::string name = "gpuctl " + std::string(family);
  const std::string details = DetailsOf(members);
  return config::HelpText({.name = name,
                           .summary = "The help of all its commands.",
                           .version = kVersion,
                           .usage = "COMMAND [flags]",
                           .details = details,
                           .columns = 80},
                          rows);
}

}  // namespace gpumon::ctl
