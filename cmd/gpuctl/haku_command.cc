#include "cmd/gpuctl/haku_command.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/gpu/command.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kMasked = "***";

// The command, then its arguments.
using Parts = std::vector<std::string>;

std::string WholeLine(const Parts& parts) {
  std::string line;
  for (const std::string& part : parts) line.append(&part == &parts[0] ? "" : " ").append(part);
  return line;
}

Parts PartsOf(const hakuriver::Task& task) {
  Parts parts = {task.command};
  parts.insert(parts.end(), task.arguments.begin(), task.arguments.end());
  return parts;
}

std::ptrdiff_t Blanks(std::string_view text) {
  return std::count(text.begin(), text.end(), ' ');
}

// `shown` cut where `parts` end, which have as many words.
Parts CutByWords(const Parts& parts, std::string_view shown) {
  Parts cut;
  for (const std::string& part : parts) {
    std::size_t end = std::min(shown.find(' '), shown.size());
    for (std::ptrdiff_t more = Blanks(part); more > 0; --more) {
      end = std::min(shown.find(' ', end + 1), shown.size());
    }
    cut.emplace_back(shown.substr(0, end));
    shown.remove_prefix(std::min(end + 1, shown.size()));
  }
  return cut;
}

// Those before and behind everything that is masked as they are, the others masked whole.
Parts CutByEnds(const Parts& parts, std::string_view whole, std::string_view shown) {
  const auto before = static_cast<std::size_t>(
      std::mismatch(whole.begin(), whole.end(), shown.begin(), shown.end()).first - whole.begin());
  const auto behind = static_cast<std::size_t>(
      std::mismatch(whole.rbegin(), whole.rend(), shown.rbegin(), shown.rend()).first -
      whole.rbegin());
  Parts cut;
  std::size_t begin = 0;
  for (const std::string& part : parts) {
    const std::size_t end = begin + part.size();
    const bool clear = end < before || begin > whole.size() - behind;
    cut.push_back(clear ? part : std::string(kMasked));
    begin = end + 1;
  }
  return cut;
}

}  // namespace

std::string CommandLineOf(const hakuriver::Task& task) {
  return gpu::ShowCommand(WholeLine(PartsOf(task)), gpu::CommandStyle::kRedacted);
}

hakuriver::Task WithoutSecrets(hakuriver::Task task) {
  const Parts parts = PartsOf(task);
  const std::string whole = WholeLine(parts);
  const std::string shown = CommandLineOf(task);
  if (shown == whole) return task;
  Parts cut =
      Blanks(shown) == Blanks(whole) ? CutByWords(parts, shown) : CutByEnds(parts, whole, shown);
  // Of a shell's whole line something is left.
  task.command = parts.size() == 1 ? shown : std::move(cut[0]);
  task.arguments.assign(std::make_move_iterator(cut.begin() + 1),
                        std::make_move_iterator(cut.end()));
  return task;
}

}  // namespace gpumon::ctl
