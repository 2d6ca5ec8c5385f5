// What the kernel tells of processes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/exporter/cgroup.h"

namespace gpumon::exporter {

struct HostOptions {
  std::string proc = "/proc";          // of the processes whose ids the driver tells
  std::string passwd = "/etc/passwd";  // where a user's name stands; else its number is shown
  // Makes of a command line what may be seen of it.
  std::function<std::string(std::string_view)> show_command = [](std::string_view) {
    return std::string();
  };
};

// Empty is what is not known.
struct HostProcess {
  bool found = false;  // there is such a process
  std::string name;    // of its program, as nvml::ProgramNameOf has it
  std::string user;
  std::string command;                   // as shown, at most kLongestCommand bytes
  std::optional<double> cpu_percent;     // 100 is one core
  std::optional<double> memory_percent;  // of the host's
  ContainerIds container;
};
inline constexpr std::size_t kLongestCommand = 1024;

// One thread at a time. The kernel may block who asks for a process that hangs itself: have a
// thread that may be left behind.
class HostProcesses {
 public:
  explicit HostProcesses(HostOptions options) : options_(std::move(options)) {}

  // A round of questions at `now`.
  void Begin(SteadyTime now);
  // CPU is that since the round before; of a process that was not there then, over its life.
  HostProcess Describe(std::uint32_t pid);
  // Forgets processes that nobody asked for since Begin.
  void End();

 private:
  struct Past {
    std::uint64_t started = 0;  // clock ticks since the host's start
    std::uint64_t used = 0;     // clock ticks of CPU
    SteadyTime at{};
    std::optional<double> percent;
    std::uint64_t round = 0;
  };
  std::string UserOf(std::string_view uid) const;
  std::optional<double> CpuOf(std::uint32_t pid, std::string_view stat);

  const HostOptions options_;
  std::map<std::string, std::string, std::less<>> users_;  // by their numbers
  std::map<std::uint32_t, Past> past_;
  std::uint64_t round_ = 0;
  SteadyTime now_{};
  double uptime_ = 0;        // seconds
  double memory_total_ = 0;  // KiB
};

}  // namespace gpumon::exporter
