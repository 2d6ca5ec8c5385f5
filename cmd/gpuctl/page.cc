#include "cmd/gpuctl/page.h"

#include <algorithm>

#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

// Where to cut `text` so that at most `width` bytes come first, between words; in a word only when
// `anywhere`, between characters.
std::size_t CutAt(std::string_view text, std::size_t width, bool anywhere) {
  if (text.size() <= width) return text.size();
  const std::size_t blank = text.rfind(' ', width);
  if (blank != std::string_view::npos) return blank;
  if (!anywhere) return 0;
  std::size_t cut = width;
  while (cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return cut;
}

}  // namespace

void Page::Wrap(std::string_view head, std::string_view text, std::size_t hang) {
  std::string start = ReplaceHidden(head, "?");
  const std::string all = ReplaceHidden(text, "?");
  std::string_view rest = all;
  hang = std::min({hang, start.size(), columns_ / 2});
  bool first = true;
  do {
    const std::size_t width = columns_ - std::min(start.size(), columns_ - 1);
    // A word that is too long for the first line may fit the next.
    const std::size_t cut = CutAt(rest, width, !first || hang == start.size());
    std::string line = start + std::string(rest.substr(0, cut));
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += line + '\n';
    rest.remove_prefix(cut);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    start.assign(hang, ' ');
    first = false;
  } while (!rest.empty());
}

std::string Padded(std::string_view text, std::size_t width, bool right) {
  const std::string blanks(width > text.size() ? width - text.size() : 0, ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

}  // namespace gpumon::ctl
