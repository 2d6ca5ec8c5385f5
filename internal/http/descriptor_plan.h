// How the process's file descriptors are shared out.
#pragma once

#include <cstddef>

#include "internal/base/result.h"

namespace gpumon::http {

// A connection costs two descriptors: the listener library's, low, and our duplicate, from
// `first_duplicate` up. (The library chooses a connection's thread by its number modulo the
// threads, so ours must not lie among its.)
struct DescriptorPlan {
  std::size_t connections = 0;  // served
  std::size_t refusals = 0;     // more that may be open while they are told 503
  std::size_t leaving = 0;      // closed by us, and not yet by the library
  int first_duplicate = 0;
};

// Raises RLIMIT_NOFILE as far as the process may and it helps, then plans for `wanted`
// connections, or fewer where the limit is low. At the limit the library would spin: kUnavailable,
// with the limit, the need and the next step, where that leaves too little to serve anybody. A
// program that asks before it opens anything is told that, and not what could not be opened first.
Result<DescriptorPlan> PlanDescriptors(std::size_t wanted, int threads);
// The plan for a given limit.
Result<DescriptorPlan> PlanDescriptors(std::size_t wanted, int threads, std::size_t limit);

}  // namespace gpumon::http
