#include "internal/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

namespace gpumon {
namespace {

// Length of the UTF-8 character at the front of `text`, or 0 (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::size_t CharacterLength(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && at(1) < 0xA0) return 0;
    if (lead == 0xED && at(1) >= 0xA0) return 0;
    return 3;
  }
  if (lead < 0xF5) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && at(1) < 0x90) return 0;
    if (lead == 0xF4 && at(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

// Reads exactly `digits` decimal digits at `pos` and moves past them.
std::optional<int> Digits(std::string_view text, std::size_t& pos, std::size_t digits) {
  if (pos + digits > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[pos + i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  pos += digits;
  return value;
}

bool Take(std::string_view text, std::size_t& pos, char c) {
  if (pos >= text.size() || text[pos] != c) return false;
  ++pos;
  return true;
}

constexpr std::int64_t kYear10000Ms = 253402300800000;

std::optional<WallTime> FromMillis(double millis) {
  const double whole = std::round(millis);
  if (!(whole >= 0) || whole >= static_cast<double>(kYear10000Ms)) return std::nullopt;
  return WallTime(Millis(static_cast<std::int64_t>(whole)));
}

std::optional<WallTime> ParseUnix(std::string_view text) {
  // from_chars would also take "inf", "nan", exponents, "1." and ".5".
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos ||
      !digit(text.front()) || !digit(text.back())) {
    return std::nullopt;
  }
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return FromMillis(seconds * 1000);
}

// "Z" or "+hh:mm" at `pos`, in minutes; nothing may follow.
std::optional<int> ParseOffset(std::string_view text, std::size_t pos) {
  if (pos + 1 == text.size() && (text[pos] == 'Z' || text[pos] == 'z')) return 0;
  if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return std::nullopt;
  const int sign = text[pos++] == '+' ? 1 : -1;
  const auto hours = Digits(text, pos, 2);
  if (!hours || !Take(text, pos, ':')) return std::nullopt;
  const auto minutes = Digits(text, pos, 2);
  if (!minutes || pos != text.size() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t HiddenCharacterLength(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (text.empty()) return 0;
  const unsigned lead = at(0);
  if (lead < 0x20 || lead == 0x7f) return 1;
  if (lead == 0xC2) return at(1) >= 0x80 && at(1) < 0xA0 ? 2 : 0;
  if (lead == 0xD8) return at(1) == 0x9C ? 2 : 0;                   // U+061C
  if (lead == 0xEF) return at(1) == 0xBB && at(2) == 0xBF ? 3 : 0;  // U+FEFF
  if (lead == 0xF3) {                                               // U+E0000 to U+E007F
    const bool tag = at(1) == 0xA0 && (at(2) == 0x80 || at(2) == 0x81) && at(3) >= 0x80;
    return tag ? 4 : 0;
  }
  if (lead != 0xE2) return 0;
  const bool mark =
      (at(1) == 0x80 && (at(2) == 0x8B || at(2) == 0x8E || at(2) == 0x8F)) ||  // U+200B, E, F
      (at(1) == 0x80 && at(2) >= 0xA8 && at(2) <= 0xAE) ||                     // U+2028 to U+202E
      (at(1) == 0x81 && at(2) >= 0xA0 && at(2) <= 0xA4) ||                     // U+2060 to U+2064
      (at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9);                       // U+2066 to U+2069
  return mark ? 3 : 0;
}

bool HasHiddenCharacter(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (HiddenCharacterLength(text) > 0) return true;
  }
  return false;
}

std::string ReplaceHidden(std::string_view text, std::string_view instead) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t hidden = HiddenCharacterLength(text);
    if (hidden > 0) {
      out += instead;
    } else {
      out += text.front();
    }
    text.remove_prefix(std::max<std::size_t>(hidden, 1));
  }
  return out;
}

std::string_view Front(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

std::string_view FrontCharacters(std::string_view text, std::size_t characters) {
  if (text.size() <= characters) return text;
  std::size_t end = 0;
  for (; characters > 0 && end < text.size(); --characters) {
    end += std::max<std::size_t>(CharacterLength(text.substr(end)), 1);
  }
  return text.substr(0, end);
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string FormatTime(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<Millis> clock(time - day);
  std::array<char, 64> text{};
  int n = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                        static_cast<int>(clock.minutes().count()),
                        static_cast<int>(clock.seconds().count()));
  std::string out(text.data(), static_cast<std::size_t>(n));
  if (clock.subseconds().count() != 0) {
    n = std::snprintf(text.data(), text.size(), ".%03d",
                      static_cast<int>(clock.subseconds().count()));
    out.append(text.data(), static_cast<std::size_t>(n));
  }
  return out + 'Z';
}

std::optional<WallTime> ParseTime(std::string_view text) {
  using namespace std::chrono;
  if (auto unix_time = ParseUnix(text)) return unix_time;
  std::size_t pos = 0;
  const auto y = Digits(text, pos, 4);
  if (!y || !Take(text, pos, '-')) return std::nullopt;
  const auto mo = Digits(text, pos, 2);
  if (!mo || !Take(text, pos, '-')) return std::nullopt;
  const auto d = Digits(text, pos, 2);
  if (!d || !(Take(text, pos, 'T') || Take(text, pos, 't'))) return std::nullopt;
  const auto h = Digits(text, pos, 2);
  if (!h || !Take(text, pos, ':')) return std::nullopt;
  const auto mi = Digits(text, pos, 2);
  if (!mi || !Take(text, pos, ':')) return std::nullopt;
  const auto s = Digits(text, pos, 2);
  if (!s) return std::nullopt;
  double fraction = 0;
  if (Take(text, pos, '.')) {
    const std::size_t from = pos;
    double scale = 0.1;
    while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
      fraction += scale * (text[pos++] - '0');
      scale /= 10;
    }
    if (pos == from) return std::nullopt;
  }
  const auto offset = ParseOffset(text, pos);
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d))};
  if (!offset || !date.ok() || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;
  const auto since =
      sys_days(date).time_since_epoch() + hours(*h) + minutes(*mi - *offset) + seconds(*s);
  return FromMillis(static_cast<double>(duration_cast<Millis>(since).count()) + fraction * 1000);
}

std::string FormatNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

bool GlobMatch(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace gpumon
