#include "internal/checks/columns.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "internal/base/text.h"

namespace gpumon::checks {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode's East Asian Width W and F, in blocks.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2E80, 0x303E},
    Range{0x3041, 0x33FF},   Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},
    Range{0xA000, 0xA4CF},   Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},
    Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},
    Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF},
    Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD},
};

constexpr std::array kZero = {
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x064B, 0x065F},
    Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF},
    Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F},
};

template <class Ranges>
bool Holds(const Ranges& ranges, std::uint32_t point) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return point >= range.first && point <= range.last;
  });
}

std::uint32_t CodePoint(std::string_view character) {
  const auto front = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return front;
  constexpr std::array<std::uint32_t, 5> kMasks = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t point = front & kMasks[std::min<std::size_t>(character.size(), 4)];
  for (const char c : character.substr(1)) {
    point = (point << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return point;
}

std::size_t WidthOf(std::string_view character) {
  const std::uint32_t point = CodePoint(character);
  if (Holds(kZero, point)) return 0;
  return Holds(kWide, point) ? 2 : 1;
}

// How much of `text` fits, in bytes; one character at least.
std::size_t Fitting(std::string_view text, std::size_t width) {
  std::size_t taken = 0;
  std::size_t columns = 0;
  while (taken < text.size()) {
    const std::string_view character = FrontCharacters(text.substr(taken), 1);
    columns += WidthOf(character);
    if (columns > width && taken > 0) break;
    taken += character.size();
  }
  return taken;
}

}  // namespace

std::string Shown(std::string_view text) {
  return ReplaceHidden(ToValidUtf8(text), "?");
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view character = FrontCharacters(text, 1);
    width += WidthOf(character);
    text.remove_prefix(character.size());
  }
  return width;
}

std::string Padded(std::string_view text, std::size_t width) {
  const std::size_t taken = DisplayWidth(text);
  return std::string(text) + std::string(width > taken ? width - taken : 0, ' ');
}

std::vector<std::string> Wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  do {
    std::size_t cut = Fitting(text, width);
    if (cut < text.size()) {
      const std::size_t blank = text.rfind(' ', cut);
      if (blank != std::string_view::npos && blank > 0) cut = blank;
    }
    lines.emplace_back(text.substr(0, cut));
    text.remove_prefix(cut);
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  } while (!text.empty());
  return lines;
}

}  // namespace gpumon::checks
