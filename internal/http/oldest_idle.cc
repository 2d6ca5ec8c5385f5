#include "internal/http/oldest_idle.h"

#include <algorithm>
#include <chrono>

#include "internal/http/connection.h"
#include "internal/http/flusher.h"

namespace gpumon::http {
namespace {

// While all are busy newcomers are turned away without another look for so long.
constexpr Millis kInVain{5};

}  // namespace

bool OldestIdle::CloseOne(const Flusher& flusher) {
  MutexLock lock(mutex_);
  if (CloseNext(flusher)) return true;
  if (std::chrono::steady_clock::now() < look_again_) return false;
  Look(flusher);
  if (CloseNext(flusher)) return true;
  look_again_ = std::chrono::steady_clock::now() + kInVain;
  return false;
}

bool OldestIdle::CloseNext(const Flusher& flusher) {
  while (!idle_.empty()) {
    const Idle next = idle_.back();
    idle_.pop_back();
    const auto connection = flusher.Get(next.id);
    if (connection && connection->CloseIdle(next.since)) return true;
  }
  return false;
}

void OldestIdle::Look(const Flusher& flusher) {
  for (const auto& connection : flusher.All()) {
    if (const auto since = connection->IdleSince()) idle_.push_back({*since, connection->id()});
  }
  std::sort(idle_.begin(), idle_.end(),
            [](const Idle& a, const Idle& b) { return a.since > b.since; });
}

}  // namespace gpumon::http
