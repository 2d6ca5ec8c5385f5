#include "internal/gpu/down_samples.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "internal/gpu/contest.h"

namespace gpumon::gpu {
namespace {

// Whether series are of targets that are down. One target's mostly stand together.
class Judge {
 public:
  explicit Judge(const DownTargets& targets) : targets_(targets) {}

  bool IsDown(prom::LabelSet labels) {
    const std::string_view job = prom::Get(labels, "job");
    const std::string_view instance = prom::Get(labels, "instance");
    if (!known_ || job != job_ || instance != instance_) {
      known_ = true;
      job_ = job;
      instance_ = instance;
      is_down_ = targets_.Has(Contest::TargetOf(labels));
    }
    return is_down_;
  }

 private:
  const DownTargets& targets_;
  bool known_ = false;
  bool is_down_ = false;
  std::string_view job_;
  std::string_view instance_;
};

}  // namespace

std::optional<DownSamples> DownSamples::Split(const DownTargets& targets,
                                              const prom::InstantVector& vector) {
  if (targets.empty()) return std::nullopt;
  std::optional<DownSamples> sides;
  Judge judge(targets);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const bool is_down = judge.IsDown(vector.labels(i));
    if (is_down && !sides) {
      sides.emplace();
      for (prom::InstantVector* side : {&sides->up, &sides->down}) {
        side->labels_pool = vector.labels_pool;
        side->backing = vector.backing;
      }
      sides->up.samples.assign(vector.samples.begin(),
                               vector.samples.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (sides) (is_down ? sides->down : sides->up).samples.push_back(vector.samples[i]);
  }
  return sides;
}

void DownSamples::Drop(const DownTargets& targets, prom::InstantVector& vector) {
  if (targets.empty()) return;
  Judge judge(targets);
  std::erase_if(vector.samples, [&](const prom::InstantVector::Sample& sample) {
    return judge.IsDown({vector.labels_pool.data() + sample.first_label, sample.label_count});
  });
}

}  // namespace gpumon::gpu
