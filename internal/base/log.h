// One line per event: time, level, message, then key=value. Written to standard error, by a thread
// of its own: nobody who logs waits for whoever reads it.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// A key and its value as text. Values are quoted and escaped by the writer where needed, so one
// event is always one line of printable UTF-8, whatever a client sent.
struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, double v) : key(k) {
    char text[32];
    value.assign(text, std::to_chars(text, text + sizeof text, v).ptr);
  }
};
using Fields = std::initializer_list<Field>;

// Thread-safe, all of them.
Result<Level> ParseLevel(std::string_view text);  // debug, info, warn, error, off
void SetLevel(Level level);
bool Enabled(Level level);
void Write(Level level, std::string_view message, Fields fields = {});
inline void Debug(std::string_view message, Fields fields = {}) {
  if (Enabled(Level::kDebug)) Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, Fields fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warning(std::string_view message, Fields fields = {}) {
  Write(Level::kWarning, message, fields);
}
inline void Error(std::string_view message, Fields fields = {}) {
  Write(Level::kError, message, fields);
}

// Waits until the lines so far are written; false when `limit` passed first. A normal end of the
// process does so for kEndLimit; before another one (_exit, abort) it is the caller's to do.
constexpr Millis kEndLimit{1000};
bool Flush(Millis limit);
// Lines that nobody took in time, since the start. Where they are missing one line says how many.
std::uint64_t Dropped();

// `value` as it stands in a log line: bare when it is plain, else in double quotes with
// backslash escapes for quotes, control characters, and characters that break lines or reverse
// text; a byte that is not UTF-8 becomes U+FFFD.
std::string Quoted(std::string_view value);

}  // namespace gpumon::log
