#include "internal/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "internal/base/line_writer.h"
#include "internal/base/text.h"

namespace gpumon::log {
namespace {

struct LevelRow {
  std::string_view name;
  Level level;
  spdlog::level::level_enum spd;
};
constexpr std::array kLevels = {
    LevelRow{"debug", Level::kDebug, spdlog::level::debug},
    LevelRow{"info", Level::kInfo, spdlog::level::info},
    LevelRow{"warn", Level::kWarning, spdlog::level::warn},
    LevelRow{"error", Level::kError, spdlog::level::err},
    LevelRow{"off", Level::kOff, spdlog::level::off},
};

constexpr char kPattern[] = "time=%Y-%m-%dT%H:%M:%S.%eZ %v";
// What a reader that pauses may be behind.
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

// `level=... msg=... key=value`: all of a line but its time.
std::string TextOf(Level level, std::string_view message, Fields fields) {
  // spdlog has a name of its own for `warn`.
  std::string text = "level=";
  text += kLevels[static_cast<std::size_t>(level)].name;
  text += " msg=" + Quoted(message);
  for (const auto& field : fields) {
    text += ' ';
    text += field.key;
    text += '=';
    text += Quoted(field.value);
  }
  return text;
}

std::string DroppedNote(std::uint64_t count) {
  if (!Enabled(Level::kWarning)) return {};
  const std::string text = TextOf(Level::kWarning, "log lines dropped", {{"count", count}});
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(kPattern, spdlog::pattern_time_type::utc)
      .format({"gpumon", spdlog::level::warn, spdlog::string_view_t(text.data(), text.size())},
              line);
  return {line.data(), line.size()};
}

LineWriter& Writer() {
  // Never destroyed: threads may log until the process ends.
  static LineWriter& writer = []() -> LineWriter& {
    auto* made = new LineWriter(STDERR_FILENO, kMostBytes, DroppedNote);
    std::atexit([] { Flush(kEndLimit); });
    return *made;
  }();
  return writer;
}

class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    Writer().Write({line.data(), line.size()});
  }
  void flush_() override {}
};

spdlog::logger& Logger() {
  // Never destroyed, as the writer.
  static spdlog::logger& logger = []() -> spdlog::logger& {
    auto* made = new spdlog::logger("gpumon", std::make_shared<WriterSink>());
    made->set_pattern(kPattern, spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    // Its own would write to standard error, and wait.
    made->set_error_handler([](const std::string&) {});
    return *made;
  }();
  return logger;
}

void AppendHex(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]};
}

}  // namespace

Result<Level> ParseLevel(std::string_view text) {
  for (const auto& row : kLevels) {
    if (row.name == text) return row.level;
  }
  return gpumon::Error(Code::kInvalidParameter, "allowed: debug, info, warn, error, off");
}

void SetLevel(Level level) {
  Logger().set_level(kLevels[static_cast<std::size_t>(level)].spd);
}

bool Enabled(Level level) {
  return level != Level::kOff && Logger().should_log(kLevels[static_cast<std::size_t>(level)].spd);
}

std::string Quoted(std::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
  if (plain) return std::string(value);
  const std::string text = ToValidUtf8(value);
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t hidden = HiddenCharacterLength(std::string_view(text).substr(i));
    if (text[i] == '"' || text[i] == '\\') {
      out += {'\\', text[i]};
    } else if (text[i] == '\n') {
      out += "\\n";
    } else if (hidden > 0) {
      for (const char c : text.substr(i, hidden)) AppendHex(out, c);
    } else {
      out += text[i];
    }
    i += std::max<std::size_t>(hidden, 1);
  }
  return out + '"';
}

void Write(Level level, std::string_view message, Fields fields) {
  if (!Enabled(level)) return;
  const std::string text = TextOf(level, message, fields);
  Logger().log(kLevels[static_cast<std::size_t>(level)].spd,
               spdlog::string_view_t(text.data(), text.size()));
}

bool Flush(Millis limit) {
  return Writer().Flush(limit);
}

std::uint64_t Dropped() {
  return Writer().dropped();
}

}  // namespace gpumon::log
