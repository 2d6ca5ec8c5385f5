#include "internal/prom/value.h"

namespace gpumon::prom {

std::string_view Get(LabelSet labels, std::string_view name) {
  for (const Label& label : labels) {
    // Most names of one length differ in their first character.
    if (label.name.size() == name.size() && !name.empty() && label.name[0] == name[0] &&
        label.name == name) {
      return label.value;
    }
  }
  return {};
}

InstantVector Joined(std::span<const InstantVector> vectors) {
  InstantVector all;
  const auto backings = std::make_shared<std::vector<Backing>>();
  for (const InstantVector& vector : vectors) {
    const auto first = static_cast<std::uint32_t>(all.labels_pool.size());
    all.labels_pool.insert(all.labels_pool.end(), vector.labels_pool.begin(),
                           vector.labels_pool.end());
    for (InstantVector::Sample sample : vector.samples) {
      sample.first_label += first;
      all.samples.push_back(sample);
    }
    backings->push_back(vector.backing);
  }
  // One pointer that keeps them all.
  if (!backings->empty()) all.backing = Backing(backings, backings->front().get());
  return all;
}

}  // namespace gpumon::prom
