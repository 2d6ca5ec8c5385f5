#include "internal/checks/docker_state.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "internal/base/text.h"
#include "internal/checks/failure.h"
#include "internal/checks/texts.h"

namespace gpumon::checks {
namespace {

constexpr std::size_t kLongestLine = 400;
constexpr std::size_t kFrameHead = 8;

std::string NumberOf(const json::Value& value) {
  const auto number = value.AsInteger();
  return number ? std::to_string(*number) : "unknown";
}

// " since 2025-07-28T08:00"; "" for Docker's zero time, which is in the year 1.
std::string Since(const json::Value& at) {
  const auto time = ParseTime(TextOf(at));
  return time ? " since " + FormatTime(*time).substr(0, 16) : "";
}

std::string ExitOf(const json::Value& state) {
  return "(exit code: " + NumberOf(state["ExitCode"]) +
         (state["OOMKilled"].AsBool() == true ? ", out of memory)" : ")");
}

// The last line that the container's own probe printed.
std::string LastProbeOutput(const json::Value& health) {
  const auto& log = health["Log"].elements();
  if (log.empty()) return {};
  const std::vector<std::string> lines = LogLines(TextOf(log.back()["Output"]), 1);
  return lines.empty() ? "" : "; its probe says: " + lines.front();
}

Outcome OfRunning(const json::Value& state, const std::string& name) {
  const json::Value& health = state["Health"];
  const std::string word = TextOf(health["Status"]);
  const std::string what = "container " + name;
  if (health.is_null() || word == "none" || word == "healthy") {
    Outcome outcome;
    outcome.status = Status::kHealthy;
    outcome.details = "Running" + Since(state["StartedAt"]);
    return outcome;
  }
  if (word == "starting") {
    return Failed(Status::kDegraded, what, "starting: its health check has not passed yet",
                  "wait for it; docker inspect " + name + " shows what its health check says");
  }
  if (word == "unhealthy") {
    Outcome outcome =
        Failed(Status::kUnhealthy, what,
               "unhealthy: its health check failed " + NumberOf(health["FailingStreak"]) + " times",
               "docker inspect " + name + " shows what its health check says, docker logs " + name +
                   " what it does");
    outcome.error += LastProbeOutput(health);
    return outcome;
  }
  return Failed(Status::kUnknown, what, "its health is a word that is not known: \"" + word + '"',
                "");
}

struct StateRow {
  std::string_view word;
  Status status;
  std::string (*why)(const json::Value& inspected);
  std::string_view command;  // of the hint, before the name
};

// Beside "running".
constexpr std::array kStates = {
    StateRow{"paused", Status::kDegraded, [](const json::Value&) { return std::string("paused"); },
             "docker unpause "},
    StateRow{"restarting", Status::kUnhealthy,
             [](const json::Value& inspected) {
               return "restarting again and again " + ExitOf(inspected["State"]) +
                      ", restarts: " + NumberOf(inspected["RestartCount"]);
             },
             "docker logs "},
    StateRow{"exited", Status::kUnhealthy,
             [](const json::Value& inspected) { return "stopped " + ExitOf(inspected["State"]); },
             "docker logs "},
    StateRow{"created", Status::kUnhealthy,
             [](const json::Value&) { return std::string("created, but never started"); },
             "docker start "},
    StateRow{"removing", Status::kUnhealthy,
             [](const json::Value&) { return std::string("being removed"); },
             "docker ps -a --filter name="},
    StateRow{"dead", Status::kUnhealthy,
             [](const json::Value&) { return std::string("dead: it could not be removed"); },
             "docker rm -f "},
};

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

bool IsFrameHead(std::string_view bytes) {
  return bytes.size() >= kFrameHead && static_cast<unsigned char>(bytes[0]) <= 2 && bytes[1] == 0 &&
         bytes[2] == 0 && bytes[3] == 0;
}

// The text of the frames; `stream` itself when it has none.
std::string Text(std::string_view stream) {
  if (!IsFrameHead(stream)) return std::string(stream);
  std::string text;
  while (IsFrameHead(stream)) {
    const std::size_t size = BigEndian(stream.substr(4, 4));
    stream.remove_prefix(kFrameHead);
    text += stream.substr(0, size);
    stream.remove_prefix(std::min(size, stream.size()));
  }
  return text;
}

}  // namespace

Outcome JudgeContainer(const json::Value& inspected, const std::string& name) {
  const std::string word = TextOf(inspected["State"]["Status"]);
  if (word == "running") return OfRunning(inspected["State"], name);
  for (const StateRow& row : kStates) {
    if (row.word != word) continue;
    return Failed(row.status, "container " + name, row.why(inspected),
                  std::string(row.command) + name);
  }
  return Failed(Status::kUnknown, "container " + name,
                word.empty() ? std::string("Docker does not say its state")
                             : "its state is a word that is not known: \"" + word + '"',
                "docker inspect " + name);
}

std::vector<std::string> LogLines(std::string_view stream, std::size_t most) {
  const std::string text = Text(stream);
  std::vector<std::string> lines;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(FrontCharacters(line, kLongestLine));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines.size() > most)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

}  // namespace gpumon::checks
