// A /proc that a test writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/fakes/process/wait.h"

namespace gpumon::process {

class ProcFolder {
 public:
  ProcFolder() {
    directory_.Write("meminfo", "MemTotal:       1000000 kB\nMemFree:         5000 kB\n");
    SetUptime(1000);
  }

  std::string path() const { return directory_.path(); }
  void SetUptime(double seconds) const {
    directory_.Write("uptime", std::to_string(seconds) + " 0.00\n");
  }

  struct Entry {
    std::string command = {};  // arguments end with a zero each
    unsigned uid = 1000;
    std::uint64_t resident = 0;  // KiB
    std::uint64_t user = 0;      // clock ticks
    std::uint64_t system = 0;
    std::uint64_t started = 0;
    std::string cgroup = {};
  };
  void Put(unsigned pid, const Entry& entry) const {
    const std::string name = std::to_string(pid);
    std::filesystem::create_directories(directory_.File(name));
    directory_.Write(name + "/status", "Name:\tx\nUid:\t" + std::to_string(entry.uid) +
                                           "\t0\t0\t0\nVmRSS:\t  " +
                                           std::to_string(entry.resident) + " kB\n");
    // A name may look like the fields behind it.
    directory_.Write(name + "/stat", name + " (a) S 1 (b) S 1 2 3 4 5 6 7 8 9 10 " +
                                         std::to_string(entry.user) + ' ' +
                                         std::to_string(entry.system) + " 0 0 20 0 1 0 " +
                                         std::to_string(entry.started) + " 0 0\n");
    directory_.Write(name + "/cmdline", entry.command);
    directory_.Write(name + "/cgroup", entry.cgroup);
  }
  void Remove(unsigned pid) const {
    std::filesystem::remove_all(directory_.File(std::to_string(pid)));
  }

 private:
  const ScratchDirectory directory_{};
};

}  // namespace gpumon::process
