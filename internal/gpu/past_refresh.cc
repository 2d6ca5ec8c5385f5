// The refresh of a past instant: it has its turn after those of the present, and looks for the
// exporters of that time.
#include <memory>
#include <optional>
#include <utility>

#include "internal/gpu/collector.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {

void Collector::CollectPast(const Set& set, Collected done) {
  const auto begun = std::make_shared<std::optional<SteadyTime>>();
  const auto saw = [this, begun, done = std::move(done)](Result<models::SnapshotPtr> result) {
    if (*begun) budget_.SawPast(clock_.Steady() - **begun);
    done(std::move(result));
  };
  const DetectedPtr known = detector_.Known();
  Set again = set;
  again.of = QueryBudget::Of::kPastToo;
  const auto choice = std::make_shared<RefreshChoice>(
      known,
      [this, again](DetectedPtr there, Drafted then) {
        Start(again, std::move(there), std::move(then));
      },
      saw);
  const auto look = [this, set, choice, begun](bool has_turn) {
    if (!has_turn) return choice->Heard(Error(PastInstantsTakeTooLong()));
    *begun = clock_.Steady();
    detector_.LookBack(set.time, set.deadline,
                       [choice](Result<DetectedPtr> there) { choice->Heard(std::move(there)); });
  };
  choice->CanGiveUp(Start(
      set, known, [choice](auto result) { choice->Ended(std::move(result)); }, look));
}

}  // namespace gpumon::gpu
