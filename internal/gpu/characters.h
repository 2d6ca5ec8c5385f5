// ASCII characters, whatever the locale is.
#pragma once

#include <string_view>

namespace gpumon::gpu {

constexpr bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool IsLetter(char c) {
  return IsLower(c) || IsUpper(c);
}
constexpr bool IsAlnum(char c) {
  return IsLetter(c) || IsDigit(c);
}
constexpr bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool IsQuote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

// `text`, without the quotes around it.
constexpr std::string_view WithoutQuotes(std::string_view text) {
  while (!text.empty() && IsQuote(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsQuote(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace gpumon::gpu
