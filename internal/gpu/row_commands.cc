#include "internal/gpu/row_commands.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace gpumon::gpu {
namespace {

using models::Text;

void ShowTexts(std::vector<models::GpuProcess>& rows, Text which, CommandStyle style,
               models::Arena& arena) {
  // Ranks of one job run one command.
  std::unordered_map<std::string_view, std::string_view> shown;
  for (models::GpuProcess& row : rows) {
    const std::string_view command = row.text(which);
    const auto [known, is_new] = shown.try_emplace(command);
    if (is_new) {
      const std::string text = ShowCommand(command, style);
      known->second = text == command ? command : arena.Keep(text);
    }
    row.set_text(which, known->second);
  }
}

}  // namespace

void ShowCommands(std::vector<models::GpuProcess>& rows, CommandStyle style, models::Arena& arena) {
  if (style == CommandStyle::kFull) return;
  ShowTexts(rows, Text::kCommand, style, arena);
  // Without its name a row would not say what runs; the first word is no argument.
  const bool hidden = style == CommandStyle::kHidden;
  ShowTexts(rows, Text::kProcessName, hidden ? CommandStyle::kName : style, arena);
}

}  // namespace gpumon::gpu
