// Whether the threads of a server come back from the calls that they make.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::http {

// Thread-safe. A thread marks its calls; a periodic task looks, and counts a beat when no thread
// is still in the call in which it was the last time. So beats stop while a thread hangs in a call,
// or the periodic task itself hangs; a thread that waits for work hinders nothing.
class Pulse {
 public:
  // One thread's mark; used by that thread.
  class Mark {
   public:
    void Enter() {
      if (depth_++ == 0) ++steps_;
    }
    void Leave() {
      if (--depth_ == 0) ++steps_;
    }

   private:
    friend class Pulse;
    int depth_ = 0;
    std::atomic<std::uint64_t> steps_{0};  // odd: in a call
  };

  // Marks a call while it lives.
  class Call {
   public:
    explicit Call(Mark& mark) : mark_(mark) { mark_.Enter(); }
    ~Call() { mark_.Leave(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Mark& mark_;
  };

  std::shared_ptr<Mark> Add() EXCLUDES(mutex_);
  // From the periodic task.
  void Look() EXCLUDES(mutex_);
  std::uint64_t beats() const { return beats_; }

 private:
  struct Watched {
    std::shared_ptr<const Mark> mark;
    std::uint64_t seen = 0;
  };

  Mutex mutex_;
  std::vector<Watched> watched_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> beats_{0};
};

}  // namespace gpumon::http
