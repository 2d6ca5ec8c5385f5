// The thread that does for connections what no event of theirs does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/http/server.h"

namespace gpumon::http {

class Connection;

// Sends on what a socket did not take at once, when it is writable again; goes on with pipelined
// requests whose predecessor was answered from another thread; and sweeps all connections for
// time-outs several times within the shortest of them. Thread-safe.
class Flusher {
 public:
  explicit Flusher(const Limits& limits);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // `before_sweep` runs on the thread before each sweep.
  void Start(std::function<void()> before_sweep);
  // Joins the thread. Connections are kept until they Forget().
  void Stop();

  // Keeps a connection alive and swept until it is forgotten.
  void Add(std::uint64_t id, std::shared_ptr<Connection> connection);
  void Forget(std::uint64_t id);
  std::vector<std::shared_ptr<Connection>> All() const;
  std::shared_ptr<Connection> Get(std::uint64_t id) const;  // null: forgotten

  // Calls OnWritable() of connection `id` once, when `fd` takes bytes or is broken. `again`: the
  // fd was watched before.
  void Watch(int fd, std::uint64_t id, bool again);
  void Unwatch(int fd);  // before the fd is closed
  // Calls Resume() of connection `id` soon.
  void PostResume(std::uint64_t id);

  // Sweeps often from now on.
  void Hurry();
  // Waits until a sweep that began after this call found no connection at work and `idle` holds.
  // False when `until` passed first.
  bool AwaitQuiet(SteadyTime until, const std::function<bool()>& idle);

 private:
  void Run(const std::function<void()>& before_sweep);
  void Sweep();
  void Wake();

  const Millis interval_;
  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> hurry_{false};
  std::thread thread_;

  mutable Mutex mutex_;
  CondVar swept_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> to_resume_ GUARDED_BY(mutex_);
  std::uint64_t sweeps_begun_ GUARDED_BY(mutex_) = 0;
  std::uint64_t last_quiet_sweep_ GUARDED_BY(mutex_) = 0;  // number of the last that found no work
};

}  // namespace gpumon::http
