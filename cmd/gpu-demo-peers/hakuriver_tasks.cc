#include "cmd/gpu-demo-peers/hakuriver_tasks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "internal/exporter/curves.h"
#include "internal/exporter/families.h"

namespace gpumon::demo {
namespace {

using exporter::FleetState;
using exporter::Phase;
using exporter::PodState;

// The fleet forgets an ended job so many seconds after its end: looks as far apart see each once.
constexpr std::int64_t kLook = 300;
constexpr int kPastLooks = 12;

WallTime TimeOf(std::int64_t unix_seconds) {
  return WallTime(std::chrono::seconds(unix_seconds));
}

std::int64_t SecondsOf(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// A snowflake: milliseconds, then what tells tasks of one of them apart.
std::int64_t IdOf(const PodState& pod) {
  return ((pod.created * 1000) << 22U) | static_cast<std::int64_t>(pod.hash & 0x3FFFFFU);
}

bool IsVps(const PodState& pod) {
  return pod.kind->owner_kind == "StatefulSet";
}

struct Ending {
  std::string_view status;
  int exit_code;
  std::string_view error;  // "": none
};
Ending EndingOf(const PodState& pod) {
  if (pod.phase == Phase::kSucceeded) return {"completed", 0, ""};
  if (pod.last_exit_code == 137) return {"killed_oom", -9, "Killed: out of memory (demo)"};
  return {"failed", 1, "Command ended with exit code 1 (demo)"};
}

void SetStatus(const PodState& pod, bool idle, std::int64_t now, Task& task) {
  if (pod.phase == Phase::kPending) {
    task.status = "pending";
    return;
  }
  task.started = task.submitted + Millis(1200);
  if (pod.finished) {
    const Ending ending = EndingOf(pod);
    task.status = ending.status;
    task.completed = TimeOf(*pod.finished);
    task.exit_code = ending.exit_code;
    if (!ending.error.empty()) task.error = ending.error;
    return;
  }
  // Whoever holds a GPU and does nothing is paused for most of the time.
  task.status = idle && now % 600 >= 120 ? "paused" : "running";
}

Task TaskOf(const FleetState& state, const PodState& pod, std::size_t index) {
  Task task;
  task.id = IdOf(pod);
  task.vps = IsVps(pod);
  task.name = "demo-" + pod.owner_name;
  task.command = exporter::CommandOf(*pod.kind, pod.hash);
  task.user = pod.user;
  task.image = pod.kind->image;
  if (pod.node >= 0) task.node = state.nodes[static_cast<std::size_t>(pod.node)].spec->name;
  task.cores = pod.gpus;
  task.memory_bytes = std::int64_t{8} * pod.gpus << 30U;
  task.submitted = TimeOf(pod.created);
  bool idle = false;
  for (const exporter::GpuState& gpu : state.gpus) {
    if (gpu.pod != static_cast<int>(index)) continue;
    task.gpus.push_back(gpu.index);
    idle = idle || gpu.trait == exporter::Trait::kIdleHeld;
  }
  if (task.vps) task.ssh_port = 2200 + static_cast<int>(exporter::Below(pod.hash, 71, 700));
  SetStatus(pod, task.vps && idle, state.unix_seconds, task);
  return task;
}

void Obey(const Command& command, Task& task) {
  if (task.ended() || command.at < task.submitted) return;
  if (command.kind != Command::Kind::kKill) {
    task.status = command.kind == Command::Kind::kPause ? "paused" : "running";
    return;
  }
  task.status = "killed";
  task.completed = command.at;
  task.exit_code = -9;
  task.error = "Killed by user (demo)";
}

// One more line after each `every` seconds of its run.
std::size_t LinesAt(const Task& task, WallTime now, std::int64_t every) {
  if (!task.started) return 0;
  const WallTime end = std::min(task.completed.value_or(now), now);
  const auto ran = std::chrono::floor<std::chrono::seconds>(end - *task.started).count();
  return 1 + static_cast<std::size_t>(std::max(ran, std::int64_t{0}) / every);
}

std::string StepLine(const Task& task, std::size_t step) {
  const auto hash = static_cast<std::uint64_t>(task.id);
  const double loss = 0.8 + 2.6 * std::exp(-static_cast<double>(step) / 60) +
                      exporter::Between(exporter::Mix(hash, step), 72, -0.03, 0.03);
  char line[80];
  const int size = std::snprintf(line, sizeof line, "step %6zu  loss %.4f  %5.1f samples/s", step,
                                 loss, exporter::Between(exporter::Mix(hash, step), 73, 90, 120));
  return {line, static_cast<std::size_t>(size)};
}

template <class LineOf>
std::string Lines(std::size_t count, std::size_t most, const LineOf& line_of) {
  std::string text;
  for (std::size_t i = count - std::min(count, most); i < count; ++i) text += line_of(i) + '\n';
  return text;
}

}  // namespace

std::vector<Task> TasksAt(const exporter::Fleet& fleet, WallTime now, const Commands& commands) {
  struct Seen {
    Task task;
    int look = 0;
  };
  std::map<std::int64_t, Seen> tasks;
  for (int look = Looks(fleet, kPastLooks + 1) - 1; look >= 0; --look) {
    const FleetState state =
        fleet.At(look == 0 ? now : TimeOf((SecondsOf(now) / kLook - (look - 1)) * kLook));
    for (std::size_t i = 0; i < state.pods.size(); ++i) {
      Task task = TaskOf(state, state.pods[i], i);
      Seen& seen = tasks[task.id];
      // One that has ended holds no GPU any more.
      if (task.gpus.empty()) task.gpus = std::move(seen.task.gpus);
      seen = {std::move(task), look};
    }
  }
  std::vector<Task> list;
  for (auto& [id, seen] : tasks) {
    // What is gone without having ended was no job: nobody remembers it.
    if (seen.look != 0 && !seen.task.ended()) continue;
    const auto command = commands.find(id);
    if (command != commands.end()) Obey(command->second, seen.task);
    list.push_back(std::move(seen.task));
  }
  std::reverse(list.begin(), list.end());
  return list;
}

std::string OutputOf(const Task& task, WallTime now, std::size_t lines) {
  return Lines(LinesAt(task, now, 2), lines, [&](std::size_t i) {
    return i == 0 ? "demo: made-up output of " + task.name : StepLine(task, i);
  });
}

std::string ErrorsOf(const Task& task, WallTime now, std::size_t lines) {
  return Lines(LinesAt(task, now, 60), lines, [&](std::size_t i) {
    return i == 0 ? "demo: made-up errors of " + task.name
                  : "warning: no checkpoint for " + std::to_string(i) + " min";
  });
}

}  // namespace gpumon::demo
