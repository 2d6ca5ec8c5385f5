// Sends what the spool holds, one batch at a time, the oldest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/push/format.h"
#include "internal/push/spool.h"

namespace gpumon::push {

struct SenderOptions {
  Receiver receiver;
  Millis timeout{10'000};       // of one request
  Millis first_wait{1000};      // after a failure; doubled by each that follows
  Millis longest_wait{60'000};  // but for a Retry-After
  Millis longest_retry_after{3'600'000};
};

// What becomes of a batch. 2xx: it has arrived. 413: it is split. 429, 408, 5xx, a redirect (it is
// not followed), a broken answer or none: the same batch again, later. Any other 4xx: nobody will
// ever take it, it is put aside.
enum class Outcome : std::uint8_t { kArrived, kAgain, kTooLarge, kRefused };
Outcome OutcomeOf(int http_status);

// A thread of its own, from Start to Stop. Says once what is the matter, and once when it is over.
// References must outlive it.
class Sender {
 public:
  struct Counts {
    std::uint64_t batches = 0;    // that arrived
    std::uint64_t snapshots = 0;  // in them
    std::uint64_t failures = 0;   // tries that did not
  };

  Sender(const SenderOptions& options, Spool& spool, fetch::Client& client, const Clock& clock);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void Start();
  // There is a new batch.
  void Wake();
  // Sends what waits, without a pause, until the first failure or for about `limit`; then ends.
  // What is in memory alone would be lost: it is tried again, for `limit` or kMostRetries.
  // True when nothing waits any more.
  bool Stop(Millis limit);
  static constexpr Millis kMostRetries{10'000};

  Counts counts() const;

 private:
  // How one try ended, and how long to wait before the next.
  struct Try {
    Outcome outcome = Outcome::kAgain;
    std::string why;  // for the log
    Millis retry_after{0};
  };
  void Run();
  enum class Step : std::uint8_t { kNothing, kSent, kFailed };
  Step SendOldest();
  Try Send(const Batch& batch);
  Result<fetch::Response> Post(fetch::Request request);
  // False: the same batch has to be sent again.
  bool Settle(const Batch& batch, const Try& tried);
  Millis WaitFor(Millis retry_after);
  void Pause(Millis wait);
  bool MayRetry(Step step);
  void SayWhy(const std::string& why);

  const SenderOptions options_;
  Spool& spool_;
  fetch::Client& client_;
  const Clock& clock_;
  std::minstd_rand random_{std::random_device{}()};
  int failures_in_a_row_ = 0;
  std::string said_;  // the last trouble that was logged

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;
  SteadyTime stop_by_ GUARDED_BY(mutex_){};
  SteadyTime retry_until_ GUARDED_BY(mutex_){};
  Counts counts_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace gpumon::push
