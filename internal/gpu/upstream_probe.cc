#include "internal/gpu/upstream_probe.h"

#include <pthread.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "internal/base/log.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {

struct UpstreamProbe::State {
  State(const Clock& clock_in, UpstreamClock& upstream_in)
      : clock(clock_in), upstream_clock(upstream_in) {}

  const Clock& clock;
  UpstreamClock& upstream_clock;
  Mutex mutex;
  CondVar changed;
  bool stopping GUARDED_BY(mutex) = false;
  bool under_way GUARDED_BY(mutex) = false;
  Reachability last GUARDED_BY(mutex);
  double told GUARDED_BY(mutex) = 0;  // how far off the log says that Prometheus's clock is
};

namespace {

// One line when the clocks come apart, move on or meet again: not one with each check.
void TellOfClock(double offset, double& told) {
  constexpr double kFar = kClockWorthTelling;
  const bool far = std::abs(offset) > kFar;
  if (far && std::abs(offset - told) > kFar) {
    log::Warning("Prometheus's clock is not ours; it is asked for the time of its Date header",
                 {{"ahead_s", std::round(offset)}});
    told = offset;
  } else if (!far && told != 0) {
    log::Info("Prometheus's clock is ours again", {{"ahead_s", std::round(offset)}});
    told = 0;
  }
}

}  // namespace

UpstreamProbe::UpstreamProbe(prom::Client& client, const Clock& clock,
                             UpstreamClock& upstream_clock, Millis interval, Millis timeout)
    : client_(client),
      clock_(clock),
      interval_(interval),
      timeout_(timeout),
      state_(std::make_shared<State>(clock, upstream_clock)) {}

UpstreamProbe::~UpstreamProbe() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void UpstreamProbe::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "upstream-probe");
}

Reachability UpstreamProbe::Last() const {
  MutexLock lock(state_->mutex);
  return state_->last;
}

void UpstreamProbe::AwaitFirst(Deadline deadline) {
  MutexLock lock(state_->mutex);
  while (!state_->last.checked && !state_->stopping) {
    if (!state_->changed.WaitUntil(state_->mutex, deadline.at())) return;
  }
}

void UpstreamProbe::Run() {
  while (true) {
    Check();
    const auto next = std::chrono::steady_clock::now() + interval_;
    MutexLock lock(state_->mutex);
    // The next check waits for this one: a hanging Prometheus is asked once at a time.
    while (!state_->stopping && (state_->under_way || std::chrono::steady_clock::now() < next)) {
      if (state_->under_way) {
        state_->changed.Wait(state_->mutex);
      } else {
        state_->changed.WaitUntil(state_->mutex, next);
      }
    }
    if (state_->stopping) return;
  }
}

void UpstreamProbe::Check() {
  {
    MutexLock lock(state_->mutex);
    state_->under_way = true;
  }
  const SteadyTime started = clock_.Steady();
  const double now = static_cast<double>(clock_.Wall().time_since_epoch().count()) / 1000.0;
  client_.Query(
      {"vector(1)", now}, Deadline::After(clock_, timeout_),
      [state = state_, started](Result<prom::QueryResult> answer) {
        Reachability seen;
        seen.checked = true;
        seen.reachable = answer.has_value();
        seen.latency_ms =
            std::chrono::duration<double, std::milli>(state->clock.Steady() - started).count();
        seen.checked_at = state->clock.Wall();
        if (!answer) {
          seen.why = std::move(answer.error());
        } else if (answer->server_time) {
          state->upstream_clock.Learn(*answer->server_time);
        }
        {
          MutexLock lock(state->mutex);
          state->last = std::move(seen);
          TellOfClock(state->upstream_clock.offset_seconds(), state->told);
          state->under_way = false;
        }
        state->changed.NotifyAll();
      });
}

}  // namespace gpumon::gpu
