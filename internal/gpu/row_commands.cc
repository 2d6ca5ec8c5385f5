#include "internal/gpu/row_commands.h"

#include <string>
#include <string_view>
#include <unordered_map>

#include "internal/base/text.h"

namespace gpumon::gpu {
namespace {

using models::Text;

// A command line may be megabytes long.
constexpr std::size_t kMostCharacters = 4096;

std::string ShownText(std::string_view command, CommandStyle style) {
  std::string text = ShowCommand(command, style);
  const std::size_t kept = FrontCharacters(text, kMostCharacters).size();
  if (kept == text.size()) return text;
  text.resize(kept);
  return text + "\xE2\x80\xA6";  // an ellipsis
}

void ShowTexts(std::vector<models::GpuProcess>& rows, Text which, CommandStyle style,
               models::Arena& arena) {
  // Ranks of one job run one command.
  std::unordered_map<std::string_view, std::string_view> shown;
  for (models::GpuProcess& row : rows) {
    const std::string_view command = row.text(which);
    const auto [known, is_new] = shown.try_emplace(command);
    if (is_new) {
      const std::string text = ShownText(command, style);
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
