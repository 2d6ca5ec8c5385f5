#include "internal/wire/form.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>

#include "internal/base/text.h"

namespace gpumon::wire {

WallTime ToWallTime(double unix_seconds) {
  return WallTime(Millis(std::llround(unix_seconds * 1000)));
}

std::string Tag(std::string_view data, std::string_view warnings) {
  const std::hash<std::string_view> hash;
  const std::uint64_t both = hash(data) * 1099511628211U ^ hash(warnings);
  std::array<char, 24> text{};
  const int n = std::snprintf(text.data(), text.size(), "W/\"%016llx\"",
                              static_cast<unsigned long long>(both));
  return {text.data(), static_cast<std::size_t>(n)};
}

void AppendCsvText(std::string& out, std::string_view given) {
  const std::string text = ReplaceHidden(ToValidUtf8(given), "\xEF\xBF\xBD");
  const bool formula =
      !text.empty() && std::string_view("=+-@").find(text[0]) != std::string_view::npos;
  const bool quote = text.find_first_of("\",") != std::string::npos;
  if (quote) out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quote) out += '"';
}

void EndCsvRow(std::string& out, std::size_t begin) {
  if (out.size() == begin) out += "\"\"";
  out += "\r\n";
}

}  // namespace gpumon::wire
