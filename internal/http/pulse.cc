#include "internal/http/pulse.h"

namespace gpumon::http {

std::shared_ptr<Pulse::Mark> Pulse::Add() {
  auto mark = std::make_shared<Mark>();
  MutexLock lock(mutex_);
  watched_.push_back({mark, 0});
  return mark;
}

void Pulse::Look() {
  bool all_move = true;
  MutexLock lock(mutex_);
  for (Watched& watched : watched_) {
    const std::uint64_t steps = watched.mark->steps_;
    if (steps % 2 == 1 && steps == watched.seen) all_move = false;
    watched.seen = steps;
  }
  if (all_move) ++beats_;
}

}  // namespace gpumon::http
