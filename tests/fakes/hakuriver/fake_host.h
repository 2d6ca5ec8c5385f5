// A HakuRiver host with two nodes and a few tasks, of any generation.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/hakuriver/models.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::hakuriver {

struct FakeTask {
  std::string id;
  std::string type = "command";  // or "vps"
  std::string status = "running";
  std::string command = "python";
  std::string node = "gn01";  // "": null
  std::vector<int> gpus = {};
  std::optional<int> exit_code = {};
  std::string error_message = {};
  std::optional<int> ssh_port = {};
  // Nothing: no file yet.
  std::optional<std::string> out = {};
  std::optional<std::string> err = {};
  bool finished() const;
};

// The tasks that each host has at first; all ids are beyond what a double holds.
inline constexpr const char* kRunningTask = "7193847561234567169";    // has logs; on gn01, GPU 0
inline constexpr const char* kCompletedTask = "7193847561234567170";  // has logs
inline constexpr const char* kFailedTask = "7193847561234567171";     // exit code 1
inline constexpr const char* kRunningVps = "7193847561234567172";     // ssh port 40022
inline constexpr const char* kStoppedVps = "7193847561234567173";
inline constexpr const char* kPendingTask = "7193847561234567174";  // no log files
inline constexpr const char* kUnknownTask = "7193847561234567999";

// gn01 is online with two GPUs, gn02 offline. Answers as the sources of that generation do, its
// defects too. Thread-safe.
class FakeHost {
 public:
  explicit FakeHost(Generation generation);

  // With the prefix.
  std::string url() const;
  // To break it: queued replies come first. What it was asked for is there too.
  fault::FaultServer& server() { return server_; }

  // As if another version were installed on it.
  void Become(Generation generation);
  // Under a path of a reverse proxy: "/haku".
  void SetPrefix(std::string prefix);
  // C: wants that one from now on.
  void SetToken(std::string token);
  // It stops sampling, as generation A does; nodes go on sending heartbeats.
  void StopSampling();
  // It never took a sample: generation A's sampler ended at its first.
  void NeverSample();
  // A second passes on it.
  void Tick();
  void RemoveNodes();
  void AddTask(FakeTask task);
  // "" when there is none.
  std::string StatusOf(const std::string& id) const;

 private:
  fault::Reply Answer(const fault::Request& request);
  std::optional<fault::Reply> Refusal(const fault::Request& request) const REQUIRES(mutex_);
  fault::Reply Route(const std::string& path, const fault::Request& request) REQUIRES(mutex_);
  fault::Reply HealthOf(const std::string& hostname) const REQUIRES(mutex_);
  fault::Reply TaskList(const fault::Request& request) const REQUIRES(mutex_);
  fault::Reply VpsList(bool active) const REQUIRES(mutex_);
  fault::Reply StatusReply(const std::string& id) const REQUIRES(mutex_);
  fault::Reply LogReply(const std::string& id, bool out, const std::string& lines) const
      REQUIRES(mutex_);
  fault::Reply KillReply(const std::string& id) REQUIRES(mutex_);
  fault::Reply CommandReply(const std::string& id, const std::string& word) REQUIRES(mutex_);
  FakeTask* Find(const std::string& id) REQUIRES(mutex_);
  const FakeTask* Find(const std::string& id) const REQUIRES(mutex_);
  fault::Reply Unknown(bool log) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  Generation generation_ GUARDED_BY(mutex_);
  std::string prefix_ GUARDED_BY(mutex_);
  std::string token_ GUARDED_BY(mutex_);
  bool nodes_ GUARDED_BY(mutex_) = true;
  bool sampling_ GUARDED_BY(mutex_) = true;
  bool has_samples_ GUARDED_BY(mutex_) = true;
  int second_ GUARDED_BY(mutex_) = 0;
  int sampled_ GUARDED_BY(mutex_) = 0;
  std::vector<FakeTask> tasks_ GUARDED_BY(mutex_);
  fault::FaultServer server_;  // last: its threads use everything above
};

}  // namespace gpumon::hakuriver
