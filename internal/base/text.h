// Small text questions that several layers ask.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/clock.h"

namespace gpumon {

bool IsValidUtf8(std::string_view text);
// `text` with every byte that is not part of a UTF-8 character replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);

// Length of the character at the front of `text` when a terminal or a viewer would act on it
// instead of showing it: C0 and C1 controls, DEL, the line and paragraph separators, marks that
// turn the direction of text, and what has no width (not the joiners, which writing needs). Else 0.
// Any bytes.
std::size_t HiddenCharacterLength(std::string_view text);
bool HasHiddenCharacter(std::string_view text);
// `text` with `instead` in the place of each such character.
std::string ReplaceHidden(std::string_view text, std::string_view instead);

// At most `bytes` bytes from the front of `text`, which is UTF-8: whole characters.
std::string_view Front(std::string_view text, std::size_t bytes);
// At most so many characters; a byte that is part of none counts as one.
std::string_view FrontCharacters(std::string_view text, std::size_t characters);

// ASCII only: header names, enum words.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// RFC 3339 in UTC with Z; milliseconds only when they are not zero: 2024-01-01T12:00:00.250Z.
std::string FormatTime(WallTime time);
// RFC 3339 with any offset, or Unix seconds with an optional fraction. Years 1970 to 9999.
std::optional<WallTime> ParseTime(std::string_view text);

// The shortest decimal text that reads back as the same double; "NaN", "+Inf", "-Inf".
std::string FormatNumber(double value);

// `text` matches `pattern`, where `*` stands for any run of bytes and nothing else is special.
// Linear in practice: no recursion, one backtrack point.
bool GlobMatch(std::string_view pattern, std::string_view text);

// The word of `words` nearest to `word`, for "did you mean"; "" when none is near: at most 3 edits
// (Levenshtein) and half of the longer word.
template <class Words>
std::string_view NearestWord(std::string_view word, const Words& words);
std::size_t EditDistance(std::string_view a, std::string_view b);

template <class Words>
std::string_view NearestWord(std::string_view word, const Words& words) {
  std::string_view best;
  std::size_t best_distance = 4;
  for (const auto& candidate : words) {
    const std::size_t distance = EditDistance(word, candidate);
    const std::size_t length = std::max(word.size(), std::string_view(candidate).size());
    if (distance < best_distance && 2 * distance <= length) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace gpumon
