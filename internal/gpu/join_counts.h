// What was left out or doubted while joining; each becomes a warning and a counter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gpumon::gpu {

struct JoinCounts {
  std::size_t no_gpu_label = 0;   // sample dropped
  std::size_t no_node_label = 0;  // rows kept with node_name null
  std::size_t bad_pid = 0;        // sample dropped
  std::size_t bad_value = 0;      // NaN, infinite or impossible: null
  std::size_t blank = 0;          // what exporters write where the device cannot tell: null
  std::size_t stale = 0;          // of a collection that failed or an exporter that hangs: null
  std::size_t conflicts = 0;      // two series of one time with different values: null
  std::size_t scaled = 0;         // GPUs whose pods' parts together were more than the GPU's value
  std::size_t duplicates = 0;     // series beyond the first of one (metric, key)
  std::size_t unknown_pods = 0;   // targets without `up`: nobody can tell whose pod they name
  std::size_t new_jobs = 0;       // scrape jobs whose targets' own pods were not asked for
  std::size_t unclear_id = 0;     // rows without UUID that may be either of several GPUs
  std::size_t twice = 0;          // MIG instances not shown: they may be others that are
  std::size_t mixed_units = 0;    // jobs whose targets mean two units by one name
  std::size_t moved = 0;          // GPUs whose nodes exporters call by different names
  std::size_t undecodable = 0;    // samples whose value was no number: NaN, in bad_value too

  JoinCounts& operator+=(const JoinCounts& more);
  // What one sample added to `before`: one of each at most.
  void CountOnce(const JoinCounts& before);
};

// A short text for each that is not 0.
std::vector<std::string> WarningsOf(const JoinCounts& counts);

}  // namespace gpumon::gpu
