// Whose a target is that is down, by the names of what it showed.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "internal/prom/value.h"

namespace gpumon::gpu {

// Generations of one exporter share some names: a target is of those exporters whose names no other
// one has all of.
class ShownClaims {
 public:
  // `second` is an answer to SecondLookQuery; `found` are the exporters that show their marks now.
  ShownClaims(const prom::InstantVector& second, std::set<std::string> found);

  // `rank`: places of exporters in the registry.
  bool IsOf(std::size_t target, const std::string& exporter,
            const std::map<std::string, std::size_t>& rank) const;

 private:
  const std::set<std::string> found_;
  std::map<std::size_t, std::map<std::string, std::set<std::string>>> names_;
};

}  // namespace gpumon::gpu
