// Which of two refreshes answers: the one with what is known, or one with what is there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/gpu/detector.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Nobody could tell who is there, and `why` is the code of that answer: `snapshot`, of what `asked`
// asks, is partial and says so.
void Doubt(const Detected& asked, std::string_view why, models::Snapshot& snapshot);

// Of a refresh with what is known and the news of what is there: that refresh, unless others are
// there; then one with those. Thread-safe; Heard and Ended are each called once.
class RefreshChoice {
 public:
  using Collection = Result<std::shared_ptr<models::Snapshot>>;
  using Done = std::function<void(Collection)>;
  using Start = std::function<void(DetectedPtr, Done)>;

  // Calls `done` once, from inside Heard, Ended or the refresh that `start` starts.
  RefreshChoice(DetectedPtr known, Start start, Done done);

  // An error: nobody could tell, and the other one is doubted.
  void Heard(Result<DetectedPtr> there);
  // Called once when the refresh with what is known is no longer waited for.
  void CanGiveUp(std::function<void()> give_up);
  // The refresh with what is known.
  void Ended(Collection result);

 private:
  const DetectedPtr known_;
  const Start start_;
  void Answer(const Done& done, Collection result);

  Mutex mutex_;
  Done done_ GUARDED_BY(mutex_);
  std::function<void()> give_up_ GUARDED_BY(mutex_);
  bool heard_ GUARDED_BY(mutex_) = false;
  bool others_ GUARDED_BY(mutex_) = false;     // are there
  std::string_view doubt_ GUARDED_BY(mutex_);  // why nobody could tell
  std::optional<Collection> result_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
