// std::mutex with clang's thread-safety annotations, which libstdc++'s own lacks.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GPUMON_TSA(x) __attribute__((x))
#else
#define GPUMON_TSA(x)
#endif
#define GUARDED_BY(x) GPUMON_TSA(guarded_by(x))
#define REQUIRES(...) GPUMON_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) GPUMON_TSA(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS GPUMON_TSA(no_thread_safety_analysis)

namespace gpumon {

class GPUMON_TSA(capability("mutex")) Mutex {
 public:
  void Lock() GPUMON_TSA(acquire_capability()) { mutex_.lock(); }
  void Unlock() GPUMON_TSA(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class GPUMON_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GPUMON_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() GPUMON_TSA(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits may wake without cause: call in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when `until` passed first.
  template <class TimePoint>
  bool WaitUntil(Mutex& mutex, TimePoint until) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = cv_.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace gpumon
