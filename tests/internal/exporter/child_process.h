// The real gpu-exporter as a child process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gpumon::exporter {

struct Ended {
  int exit_code = -1;  // -1: a signal ended it
  std::string output;
  std::string errors;
};

// Ends the child with SIGKILL when the test forgot to wait for it. Standard output and error go
// to files in a directory of its own.
class ExporterProcess {
 public:
  explicit ExporterProcess(std::vector<std::string> arguments);
  ~ExporterProcess();
  ExporterProcess(const ExporterProcess&) = delete;
  ExporterProcess& operator=(const ExporterProcess&) = delete;

  // Waits until the program wrote `--port-file` (the constructor added that flag and `--port 0`
  // when `arguments` holds "--demo"); 0 when it ended first.
  std::uint16_t AwaitPort();
  void Signal(int signal) const;
  Ended Wait();

 private:
  std::string directory_;
  int watch_ = -1;   // inotify
  int exited_ = -1;  // pidfd
  pid_t pid_ = -1;
};

// One request on a connection of its own: the whole answer, head and body as they came.
std::string Fetch(std::uint16_t port, const std::string& request);
std::string Get(std::uint16_t port, const std::string& path, const std::string& headers = "");

}  // namespace gpumon::exporter
