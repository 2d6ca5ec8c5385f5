// How often a benchmark allocates. Needs allocations.cc, which replaces operator new.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

namespace gpumon::bench {

struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};

// Of the whole process, since its start.
Allocations CountAllocations();

// Adds the counters `allocs` and `alloc_bytes` per iteration since `before`. Call after the loop.
inline void ReportAllocations(benchmark::State& state, const Allocations& before) {
  const Allocations now = CountAllocations();
  state.counters["allocs"] = benchmark::Counter(static_cast<double>(now.count - before.count),
                                                benchmark::Counter::kAvgIterations);
  state.counters["alloc_bytes"] = benchmark::Counter(static_cast<double>(now.bytes - before.bytes),
                                                     benchmark::Counter::kAvgIterations);
}

}  // namespace gpumon::bench
