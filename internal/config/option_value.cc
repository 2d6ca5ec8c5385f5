#include "internal/config/option_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "internal/base/text.h"

namespace gpumon::config {
namespace {

struct UnitRow {
  std::string_view name;
  std::int64_t factor;
};
// Largest first: formatting takes the first that divides.
constexpr std::array kDurationUnits = {UnitRow{"h", 3'600'000}, UnitRow{"m", 60'000},
                                       UnitRow{"s", 1000}, UnitRow{"ms", 1}};
constexpr std::array kByteUnits = {
    UnitRow{"TiB", std::int64_t{1} << 40U}, UnitRow{"GiB", std::int64_t{1} << 30U},
    UnitRow{"MiB", std::int64_t{1} << 20U}, UnitRow{"KiB", std::int64_t{1} << 10U}, UnitRow{"", 1}};

auto Wrong(std::string why) {
  return Error(Code::kInvalidParameter, std::move(why));
}

// "080": octal to some, a typing mistake to others.
bool HasLeadingZero(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

template <class Units>
Result<std::int64_t> ParseWithUnit(std::string_view text, const Units& units,
                                   std::string_view what) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::result_out_of_range) return Wrong("is too large");
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc() || text.front() == '-') return Wrong("is not " + std::string(what));
  if (HasLeadingZero(text)) return Wrong("has a leading zero");
  for (const UnitRow& row : units) {
    if (row.name != unit) continue;
    if (count > std::numeric_limits<std::int64_t>::max() / row.factor) return Wrong("is too large");
    return count * row.factor;
  }
  if (unit.empty() && count == 0) return 0;
  return Wrong(unit.empty() ? "has no unit" : "is not " + std::string(what));
}

template <class Units>
std::string FormatWithUnit(std::int64_t value, const Units& units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  for (const UnitRow& row : units) {
    if (value % row.factor == 0) return std::to_string(value / row.factor) + std::string(row.name);
  }
  return std::to_string(value);
}

std::string Replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (const char c : text) {
    if (c == from) {
      out += to;
    } else {
      out += c;
    }
  }
  return out;
}

// `text` with the bytes of what a terminal would act on in hexadecimal digits.
std::string EscapeHidden(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t hidden = HiddenCharacterLength(text);
    for (const char c : text.substr(0, hidden)) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]};
    }
    if (hidden == 0) out += text.front();
    text.remove_prefix(std::max<std::size_t>(hidden, 1));
  }
  return out;
}

}  // namespace

Result<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return Wrong("is out of range");
  if (error != std::errc() || end != text.data() + text.size()) {
    return Wrong("is not a whole number");
  }
  if (text.front() == '-') return Wrong("has a sign");
  if (HasLeadingZero(text)) return Wrong("has a leading zero");
  return value;
}

Result<std::int64_t> ParseDuration(std::string_view text) {
  return ParseWithUnit(text, kDurationUnits, "a duration");
}

Result<std::int64_t> ParseBytes(std::string_view text) {
  return ParseWithUnit(text, kByteUnits, "a size in bytes");
}

Result<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Wrong("is neither true nor false");
}

Result<std::vector<std::string>> ParseList(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (entry.empty()) return Wrong("has an empty entry");
    out.emplace_back(entry);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

std::string FormatDuration(std::int64_t milliseconds) {
  return FormatWithUnit(milliseconds, kDurationUnits, "0s");
}

std::string FormatBytes(std::int64_t bytes) {
  return FormatWithUnit(bytes, kByteUnits, "0");
}

std::string AllowedText(const OptionRow& row) {
  if (row.kind == Kind::kWord) return Replaced(row.allowed, '|', ", ");
  if (!row.allowed.empty()) return std::string(row.allowed);
  switch (row.kind) {
    case Kind::kInteger:
      return std::to_string(row.min) + " to " + std::to_string(row.max);
    case Kind::kDuration:
      return FormatDuration(row.min) + " to " + FormatDuration(row.max) + " (like 500ms, 2s, 1m)";
    case Kind::kBytes:
      return FormatBytes(row.min) + " to " + FormatBytes(row.max) + " (like 1048576, 64MiB, 1GiB)";
    case Kind::kBool:
      return "true, false";
    case Kind::kPath:
      return "a file that can be read";
    case Kind::kUrlList:
      return "http:// or https:// URLs, comma-separated";
    case Kind::kTextList:
      return "texts, comma-separated";
    case Kind::kText:
    case Kind::kWord:
      break;
  }
  return "text without control characters";
}

std::string YamlKey(const OptionRow& row) {
  std::string key(row.env);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return key;
}

std::string ShownValue(const OptionRow& row, std::string_view text) {
  constexpr std::size_t kMost = 80;
  // A password may hold any character, so a URL cannot be cut where its password ends.
  const bool is_url = row.kind == Kind::kUrlList || text.find("://") != std::string_view::npos;
  const bool credentials = is_url && text.find_first_of("@?#") != std::string_view::npos;
  if (row.secret || credentials) return "the value (not shown, it may hold a secret)";
  const std::string valid = ToValidUtf8(text.substr(0, kMost));
  return '"' + EscapeHidden(valid) + (text.size() > kMost ? "...\"" : "\"");
}

}  // namespace gpumon::config
