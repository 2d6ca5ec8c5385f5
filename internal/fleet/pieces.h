// Options of this folder that are lists in one text: "name=value, name=value".
#pragma once

#include <cstddef>
#include <string_view>

namespace gpumon::fleet {

// `text` without blanks at its ends.
inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// What stands before the first comma of `text`, trimmed; `text` goes on behind it.
inline std::string_view TakePiece(std::string_view& text) {
  const std::size_t comma = text.find(',');
  const std::string_view piece = Trim(text.substr(0, comma));
  text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  return piece;
}

}  // namespace gpumon::fleet
