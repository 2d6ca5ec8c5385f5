// Labels that may change while a series goes on as another one.
#pragma once

#include <string>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

struct Passing {
  std::vector<std::string> pods;   // that name pods; sorted
  std::vector<std::string> uuids;  // that name GPUs; where one is there, `texts` may change too
  std::vector<std::string> texts;  // that say what an upgrade changes: index, driver; sorted
};
Passing PassingOf(const schema::Exporter& exporter);

// The labels that are none of these (each list sorted), as a text.
std::string KeyWithout(prom::LabelSet labels, const std::vector<std::string>& names,
                       const std::vector<std::string>& others = {});
// What stays the same while the passing ones change.
std::string KeyOf(prom::LabelSet labels, const Passing& passing);

}  // namespace gpumon::gpu
