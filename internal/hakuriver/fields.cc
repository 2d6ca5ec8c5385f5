#include "internal/hakuriver/fields.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "internal/base/text.h"

namespace gpumon::hakuriver {
namespace {

using json::Value;

template <class T>
std::optional<T> Read(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

// The digits of a JSON number or of a text.
std::string_view DigitsOf(const Value& value) {
  if (const std::string* const text = value.AsNumberText()) return *text;
  if (const std::string* const text = value.AsString()) return *text;
  return {};
}

// `shape` has a `0` where a digit must stand.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

// "2026-03-01T09:15:02.418233", with a blank for the T and without the fraction too.
bool IsLocalTime(std::string_view text) {
  if (!HasShape(text, "0000-00-00T00:00:00") && !HasShape(text, "0000-00-00 00:00:00")) {
    return false;
  }
  std::string_view rest = text.substr(19);
  if (rest.empty()) return true;
  if (rest.front() != '.' || rest.size() < 2 || rest.size() > 10) return false;
  return rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

std::string TextOf(const Value& value) {
  if (const std::string* const text = value.AsString()) {
    return *text == "N/A" ? std::string() : ToValidUtf8(*text);
  }
  if (const std::string* const text = value.AsNumberText()) return *text;
  if (const auto truth = value.AsBool()) return *truth ? "true" : "false";
  return {};
}

std::string IdOf(const Value& value) {
  const std::string_view digits = DigitsOf(value);
  const auto number = Read<std::int64_t>(digits);
  return number && *number >= 0 ? std::string(digits) : std::string();
}

std::optional<double> NumberOf(const Value& value) {
  const auto number = Read<double>(DigitsOf(value));
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<double> AmountOf(const Value& value) {
  const auto number = NumberOf(value);
  return number && *number >= 0 ? number : std::nullopt;
}

std::optional<std::int64_t> IntegerOf(const Value& value) {
  if (const auto whole = Read<std::int64_t>(DigitsOf(value))) return whole;
  // 8.0: within what a double holds exactly.
  constexpr double kMost = 9007199254740992;
  const auto number = NumberOf(value);
  if (!number || std::abs(*number) > kMost || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<std::int64_t> CountOf(const Value& value) {
  const auto number = IntegerOf(value);
  return number && *number >= 0 ? number : std::nullopt;
}

std::vector<std::int64_t> CountsOf(const Value& value) {
  std::vector<std::int64_t> counts;
  for (const Value& one : value.elements()) {
    if (const auto count = CountOf(one)) counts.push_back(*count);
  }
  return counts;
}

std::optional<bool> BoolOf(const Value& value) {
  if (const auto truth = value.AsBool()) return truth;
  const std::string text = TextOf(value);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

Time TimeOf(const Value& value) {
  if (value.AsNumberText() != nullptr) {
    const auto seconds = AmountOf(value);
    constexpr double kMostSeconds = 253402300799;  // the year 9999
    if (!seconds || *seconds == 0 || *seconds > kMostSeconds) return {};
    const WallTime time(Millis(std::llround(*seconds * 1000)));
    return {FormatTime(time), time};
  }
  const std::string* const text = value.AsString();
  if (text == nullptr || text->starts_with("0001-") || text->starts_with("0000-")) return {};
  if (IsLocalTime(*text)) return {*text, std::nullopt};
  // Not plain digits: those would be seconds, which nobody writes as a text.
  const auto time = text->find('-') == std::string::npos ? std::nullopt : ParseTime(*text);
  return time ? Time{*text, time} : Time{};
}

}  // namespace gpumon::hakuriver
