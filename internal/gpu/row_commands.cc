#include "internal/gpu/row_commands.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace gpumon::gpu {

void ShowCommands(std::vector<models::GpuProcess>& rows, CommandStyle style, models::Arena& arena) {
  if (style == CommandStyle::kFull) return;
  // Ranks of one job run one command.
  std::unordered_map<std::string_view, std::string_view> shown;
  for (models::GpuProcess& row : rows) {
    const std::string_view command = row.text(models::Text::kCommand);
    const auto [known, is_new] = shown.try_emplace(command);
    if (is_new) {
      const std::string text = ShowCommand(command, style);
      known->second = text == command ? command : arena.Keep(text);
    }
    row.set_text(models::Text::kCommand, known->second);
  }
}

}  // namespace gpumon::gpu
