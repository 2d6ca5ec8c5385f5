// Lists of words that stand in one constant: "a|b|c". "" is one empty word.
#pragma once

#include <string_view>
#include <vector>

namespace gpumon {

// Until `is` says true.
template <class Is>
bool AnyWord(std::string_view words, const Is& is) {
  while (true) {
    const std::size_t bar = words.find('|');
    if (is(words.substr(0, bar))) return true;
    if (bar == std::string_view::npos) return false;
    words.remove_prefix(bar + 1);
  }
}

inline bool IsOneOf(std::string_view words, std::string_view word) {
  return AnyWord(words, [word](std::string_view one) { return one == word; });
}

// Views of `words`.
inline std::vector<std::string_view> WordsOf(std::string_view words) {
  std::vector<std::string_view> all;
  AnyWord(words, [&all](std::string_view one) {
    all.push_back(one);
    return false;
  });
  return all;
}

}  // namespace gpumon
