#include "internal/push/sender.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <memory>
#include <utility>

#include "internal/base/log.h"
#include "internal/fetch/url.h"

namespace gpumon::push {
namespace {

// Answers are read for their status alone.
constexpr std::size_t kMostAnswerBytes = std::size_t{1} << 20U;

// Seconds, or a date.
Millis ParseRetryAfter(const std::string& text, const Clock& clock) {
  if (text.empty()) return Millis(0);
  long seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0) {
    constexpr long kMost = 1'000'000;
    return Millis(std::min(seconds, kMost) * 1000);
  }
  const auto date = fetch::ParseDate(text);
  if (!date) return Millis(0);
  const double now = static_cast<double>(clock.Wall().time_since_epoch().count()) / 1000;
  return Millis(static_cast<std::int64_t>(std::clamp(*date - now, 0.0, 1e6) * 1000));
}

}  // namespace

Outcome OutcomeOf(int http_status) {
  constexpr int kTimeout = 408;
  constexpr int kTooLarge = 413;
  constexpr int kTooEarly = 425;
  constexpr int kTooMany = 429;
  if (http_status >= 200 && http_status <= 299) return Outcome::kArrived;
  if (http_status == kTooLarge) return Outcome::kTooLarge;
  if (http_status == kTimeout || http_status == kTooEarly || http_status == kTooMany) {
    return Outcome::kAgain;
  }
  return http_status >= 400 && http_status <= 499 ? Outcome::kRefused : Outcome::kAgain;
}

Sender::Sender(const SenderOptions& options, Spool& spool, fetch::Client& client,
               const Clock& clock)
    : options_(options), spool_(spool), client_(client), clock_(clock) {}

Sender::~Sender() {
  Stop(Millis(0));
}

void Sender::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "sender");
}

void Sender::Wake() {
  const MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyAll();
}

bool Sender::Stop(Millis limit) {
  {
    const MutexLock lock(mutex_);
    if (!stopping_) {
      stop_by_ = clock_.Steady() + limit;
      retry_until_ = clock_.Steady() + std::min(limit, kMostRetries);
    }
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  return spool_.counts().batches == 0;
}

Sender::Counts Sender::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

void Sender::Run() {
  bool ending = false;  // from before the last try
  while (true) {
    const Step step = SendOldest();
    if (ending && step != Step::kSent && !MayRetry(step)) return;
    const MutexLock lock(mutex_);
    ending = stopping_;
    if (ending && clock_.Steady() >= stop_by_) return;
    if (ending || step != Step::kNothing) continue;
    while (!woken_ && !stopping_) changed_.Wait(mutex_);
    woken_ = false;
    ending = stopping_;
  }
}

// After a while, while the end has time and what waits is nowhere else.
bool Sender::MayRetry(Step step) {
  if (step != Step::kFailed || spool_.Save().in_memory == 0) return false;
  constexpr Millis kMostWait{1'000};
  const MutexLock lock(mutex_);
  const SteadyTime until =
      std::min(retry_until_, clock_.Steady() + std::min(options_.first_wait, kMostWait));
  while (clock_.Steady() < until) changed_.WaitUntil(mutex_, until);
  return clock_.Steady() < retry_until_;
}

Sender::Step Sender::SendOldest() {
  const auto batch = spool_.Take();
  if (!batch) return Step::kNothing;
  const Try tried = Send(*batch);
  if (Settle(*batch, tried)) return Step::kSent;
  Pause(WaitFor(tried.retry_after));
  return Step::kFailed;
}

Sender::Try Sender::Send(const Batch& batch) {
  for (fetch::Request& request : RequestsOf(options_.receiver, batch)) {
    const auto response = Post(std::move(request));
    if (!response) return {Outcome::kAgain, response.error().message, Millis(0)};
    const Outcome outcome = OutcomeOf(response->status);
    if (outcome == Outcome::kArrived) continue;
    std::string why = "it answered " + std::to_string(response->status);
    if (response->status >= 300 && response->status <= 399) {
      why += ", a redirect, which is not followed; give the address it leads to";
    }
    return {outcome, std::move(why), ParseRetryAfter(response->retry_after, clock_)};
  }
  return {Outcome::kArrived, "", Millis(0)};
}

Result<fetch::Response> Sender::Post(fetch::Request request) {
  request.max_response_bytes = kMostAnswerBytes;
  const auto promise = std::make_shared<std::promise<Result<fetch::Response>>>();
  auto future = promise->get_future();
  client_.Fetch(
      std::move(request), Deadline::After(clock_, options_.timeout),
      [promise](Result<fetch::Response> response) { promise->set_value(std::move(response)); });
  // Who ends does not wait for an endpoint that hangs: what it says then is nobody's business.
  constexpr Millis kLook{50};
  while (future.wait_for(kLook) != std::future_status::ready) {
    const MutexLock lock(mutex_);
    if (stopping_ && clock_.Steady() >= stop_by_) {
      return Error(Code::kDraining, "there was no answer when the collector ended");
    }
  }
  return future.get();
}

bool Sender::Settle(const Batch& batch, const Try& tried) {
  if (tried.outcome == Outcome::kArrived) {
    spool_.Done(batch);
    if (!said_.empty()) log::Info("the metrics endpoint takes snapshots again");
    said_.clear();
    failures_in_a_row_ = 0;
    const MutexLock lock(mutex_);
    ++counts_.batches;
    counts_.snapshots += batch.lines.size();
    return true;
  }
  {
    const MutexLock lock(mutex_);
    ++counts_.failures;
  }
  if (tried.outcome == Outcome::kTooLarge && spool_.Split(batch)) {
    log::Debug("a batch was too large, and is sent as two", {{"snapshots", batch.lines.size()}});
    return true;
  }
  const bool too_large_to_split = tried.outcome == Outcome::kTooLarge && batch.lines.size() > 1;
  if (tried.outcome == Outcome::kAgain || too_large_to_split) {
    spool_.Return(batch);
    SayWhy(tried.why);
    return false;
  }
  spool_.PutAside(batch);
  log::Error("the metrics endpoint refuses a batch: it is put aside, below METRICS_DIR/spool/dead",
             {{"why", tried.why}, {"key", batch.key}, {"snapshots", batch.lines.size()}});
  return true;
}

void Sender::SayWhy(const std::string& why) {
  if (why == said_) return;
  said_ = why;
  log::Warning("the metrics endpoint takes no snapshots; they wait in the spool",
               {{"url", fetch::RedactUrl(options_.receiver.url)}, {"why", why}});
}

Millis Sender::WaitFor(Millis retry_after) {
  constexpr int kMostDoublings = 16;
  const int doublings = std::min(failures_in_a_row_++, kMostDoublings);
  const Millis wait = std::min(options_.longest_wait, options_.first_wait * (1 << doublings));
  // Half of it by chance, so that many who failed together do not come back together.
  std::uniform_int_distribution<std::int64_t> some(wait.count() / 2, wait.count());
  return std::max(Millis(some(random_)), std::min(retry_after, options_.longest_retry_after));
}

void Sender::Pause(Millis wait) {
  const SteadyTime until = clock_.Steady() + wait;
  const MutexLock lock(mutex_);
  while (!stopping_ && clock_.Steady() < until) changed_.WaitUntil(mutex_, until);
}

}  // namespace gpumon::push
