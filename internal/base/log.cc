#include "internal/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

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

spdlog::logger& Logger() {
  // Never destroyed: threads may log until the process ends.
  static spdlog::logger& logger = [&]() -> spdlog::logger& {
    auto* made = new spdlog::logger("gpumon", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
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
  // spdlog has a name of its own for `warn`.
  std::string line = "level=";
  line += kLevels[static_cast<std::size_t>(level)].name;
  line += " msg=" + Quoted(message);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += Quoted(field.value);
  }
  Logger().log(kLevels[static_cast<std::size_t>(level)].spd,
               spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace gpumon::log
