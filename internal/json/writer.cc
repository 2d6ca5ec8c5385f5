#include "internal/json/writer.h"

#include <rapidjson/internal/dtoa.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/plain_text.h"

namespace gpumon::json {
namespace {

constexpr std::size_t kFirstRoom = 256;
constexpr std::size_t kNumberRoom = 32;
// Integers up to here are exact as doubles and have no exponent in their text.
constexpr double kExactInteger = 9007199254740992.0;

bool IsPlainAscii(std::string_view text) {
  // Bytes of UTF-8 characters are plain only once the whole text is known to be UTF-8.
  return PlainLength(text, true) == text.size();
}

// Writes `c` as it stands between quotes and returns where to go on; 6 bytes at most.
char* Escape(char c, char* to) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto pair = [&to](char letter) {
    *to++ = '\\';
    *to++ = letter;
    return to;
  };
  switch (c) {
    case '"':
    case '\\':
      return pair(c);
    case '\b':
      return pair('b');
    case '\f':
      return pair('f');
    case '\n':
      return pair('n');
    case '\r':
      return pair('r');
    case '\t':
      return pair('t');
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20) {
    *to++ = c;
    return to;
  }
  to = std::copy_n("\\u00", 4, to);
  *to++ = kHex[byte >> 4U];
  *to++ = kHex[byte & 15U];
  return to;
}

}  // namespace

void Writer::Reserve(std::size_t expected_size) {
  if (expected_size > buffer_.size()) buffer_.resize(expected_size);
}

void Writer::Grow(std::size_t count) {
  buffer_.resize(std::max({buffer_.size() * 2, size_ + count + 1, kFirstRoom}));
}

std::string Writer::Take() {
  buffer_.resize(size_);
  size_ = 0;
  comma_ = false;
  return std::exchange(buffer_, {});
}

char* Writer::Quote(std::string_view text, std::size_t more) {
  if (IsPlainAscii(text)) {
    char* to = Room(text.size() + 2 + more);
    *to++ = '"';
    to += text.copy(to, text.size());
    *to++ = '"';
    return to;
  }
  std::string repaired;
  if (!IsValidUtf8(text)) {
    repaired = ToValidUtf8(text);
    text = repaired;
  }
  char* to = Room(text.size() * 6 + 2 + more);
  *to++ = '"';
  for (const char c : text) to = Escape(c, to);
  *to++ = '"';
  return to;
}

void Writer::Key(std::string_view name) {
  char* to = Quote(name, 1);
  *to++ = ':';
  SetEnd(to);
  comma_ = false;
}

std::string Writer::KeyText(std::string_view name) {
  Writer writer;
  writer.Key(name);
  return writer.Take();
}

void Writer::String(std::string_view text) {
  SetEnd(Quote(text, 0));
  comma_ = true;
}

void Writer::Number(double value) {
  if (!std::isfinite(value)) return Null();
  char* to = Room(kNumberRoom);
  if (std::fabs(value) < kExactInteger && value == std::trunc(value) &&
      (value != 0 || !std::signbit(value))) {
    to = std::to_chars(to, to + kNumberRoom, static_cast<std::int64_t>(value)).ptr;
    *to++ = '.';
    *to++ = '0';
  } else {
    to = rapidjson::internal::dtoa(value, to);
  }
  SetEnd(to);
  comma_ = true;
}

void Writer::Integer(std::int64_t value) {
  char* const to = Room(kNumberRoom);
  SetEnd(std::to_chars(to, to + kNumberRoom, value).ptr);
  comma_ = true;
}

void Writer::Unsigned(std::uint64_t value) {
  char* const to = Room(kNumberRoom);
  SetEnd(std::to_chars(to, to + kNumberRoom, value).ptr);
  comma_ = true;
}

}  // namespace gpumon::json
