// The fleet's pods as a HakuRiver's tasks: jobs and servers are commands, notebooks are VPS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/exporter/fleet.h"

namespace gpumon::demo {

struct Task {
  std::int64_t id = 0;  // 63 bits: beyond what a double can tell apart
  bool vps = false;
  std::string name;
  std::string command;  // one line of shell
  std::string user;
  std::string image;
  std::string status;     // HakuRiver's word
  std::string node;       // "": none yet
  std::vector<int> gpus;  // indexes on its node
  int cores = 0;
  std::int64_t memory_bytes = 0;
  WallTime submitted{};
  std::optional<WallTime> started;
  std::optional<WallTime> completed;
  std::optional<int> exit_code;
  std::optional<std::string> error;
  std::optional<int> ssh_port;  // of a VPS

  bool ended() const { return completed.has_value(); }
};

// What somebody did to a task; this alone does not follow from seed and time.
struct Command {
  enum class Kind { kKill, kPause, kResume };
  Kind kind = Kind::kKill;
  WallTime at{};
};
using Commands = std::map<std::int64_t, Command>;

// All that runs or waits at `now`, and what ended in the hour before; newest first.
std::vector<Task> TasksAt(const exporter::Fleet& fleet, WallTime now, const Commands& commands);

// What a command task has printed until `now`, whole lines; at most the last `lines` of them.
std::string OutputOf(const Task& task, WallTime now, std::size_t lines);
std::string ErrorsOf(const Task& task, WallTime now, std::size_t lines);

}  // namespace gpumon::demo
