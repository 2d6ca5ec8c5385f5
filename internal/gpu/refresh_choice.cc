#include "internal/gpu/refresh_choice.h"

#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {

void Doubt(const Detected& asked, std::string_view why, models::Snapshot& snapshot) {
  snapshot.partial = true;
  // Nor does anybody know that.
  std::erase(snapshot.warnings, NothingOf(snapshot.part));
  std::string warning = "Prometheus did not tell which exporters are there (";
  warning.append(why).append("): asked for ");
  for (const schema::Exporter* exporter : asked.exporters) {
    warning.append(exporter == asked.exporters.front() ? "" : ", ").append(exporter->name);
  }
  snapshot.warnings.push_back(warning + " alone, rows of others may be missing");
}

RefreshChoice::RefreshChoice(DetectedPtr known, Start start, Done done)
    : known_(std::move(known)), start_(std::move(start)), done_(std::move(done)) {}

void RefreshChoice::Heard(Result<DetectedPtr> there) {
  const bool others = there && (*there)->AsksOtherThan(*known_);
  Done done;
  std::function<void()> give_up;
  std::optional<Collection> result;
  {
    const MutexLock lock(mutex_);
    heard_ = true;
    others_ = others;
    if (others) give_up = std::exchange(give_up_, nullptr);
    if (!there) doubt_ = there.error().wire_name();
    if (others || result_) done = std::exchange(done_, nullptr);
    result = std::move(result_);
  }
  if (give_up) give_up();
  if (others) return start_(*std::move(there), std::move(done));
  if (result) Answer(done, std::move(*result));
}

void RefreshChoice::CanGiveUp(std::function<void()> give_up) {
  bool now = false;
  {
    const MutexLock lock(mutex_);
    now = others_;
    if (!now) give_up_ = std::move(give_up);
  }
  if (now) give_up();
}

void RefreshChoice::Ended(Collection result) {
  Done done;
  {
    const MutexLock lock(mutex_);
    if (!heard_) {
      result_ = std::move(result);
      return;
    }
    done = std::exchange(done_, nullptr);
  }
  // Null where another refresh has it.
  if (done) Answer(done, std::move(result));
}

void RefreshChoice::Answer(const Done& done, Collection result) {
  std::string_view doubt;
  {
    const MutexLock lock(mutex_);
    doubt = doubt_;
  }
  if (result && !doubt.empty()) Doubt(*known_, doubt, **result);
  done(std::move(result));
}

}  // namespace gpumon::gpu
