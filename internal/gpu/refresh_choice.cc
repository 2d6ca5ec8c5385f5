#include "internal/gpu/refresh_choice.h"

#include <utility>

namespace gpumon::gpu {

RefreshChoice::RefreshChoice(DetectedPtr known, Start start, Done done)
    : known_(std::move(known)), start_(std::move(start)), done_(std::move(done)) {}

void RefreshChoice::Heard(DetectedPtr there) {
  const bool others = there && there->AsksOtherThan(*known_);
  Done done;
  std::optional<Collection> result;
  {
    const MutexLock lock(mutex_);
    heard_ = true;
    if (others || result_) done = std::exchange(done_, nullptr);
    result = std::move(result_);
  }
  if (others) return start_(std::move(there), std::move(done));
  if (result) done(std::move(*result));
}

void RefreshChoice::Ended(Collection result) {
  Done done;
  {
    const MutexLock lock(mutex_);
    if (heard_) {
      done = std::exchange(done_, nullptr);
    } else {
      result_ = std::move(result);
    }
  }
  // Only where it was not kept.
  if (done) done(std::move(result));
}

}  // namespace gpumon::gpu
