#include "internal/gpu/join_counts.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace gpumon::gpu {

namespace {

constexpr std::array kAll = {
    &JoinCounts::no_gpu_label, &JoinCounts::no_node_label, &JoinCounts::bad_pid,
    &JoinCounts::bad_value,    &JoinCounts::blank,         &JoinCounts::stale,
    &JoinCounts::conflicts,    &JoinCounts::scaled,        &JoinCounts::duplicates,
    &JoinCounts::unknown_pods, &JoinCounts::unclear_id,    &JoinCounts::mixed_units,
    &JoinCounts::undecodable,  &JoinCounts::new_jobs,      &JoinCounts::twice,
    &JoinCounts::moved};

}  // namespace

JoinCounts& JoinCounts::operator+=(const JoinCounts& more) {
  for (const auto count : kAll) this->*count += more.*count;
  return *this;
}

void JoinCounts::CountOnce(const JoinCounts& before) {
  for (const auto count : kAll) this->*count = std::min(this->*count, before.*count + 1);
}

std::vector<std::string> WarningsOf(const JoinCounts& counts) {
  std::vector<std::string> warnings;
  const auto state = [&](std::size_t n, std::string_view one, std::string_view many) {
    if (n > 0) warnings.push_back(std::to_string(n) + ' ' + std::string(n == 1 ? one : many));
  };
  state(counts.no_gpu_label, "sample without a GPU label dropped",
        "samples without a GPU label dropped");
  state(counts.bad_pid, "sample without a valid pid dropped",
        "samples without a valid pid dropped");
  state(counts.no_node_label, "row without a node label", "rows without a node label");
  state(counts.bad_value, "impossible value dropped", "impossible values dropped");
  state(counts.blank, "value that an exporter writes where a device cannot tell shown as null",
        "values that exporters write where devices cannot tell shown as null");
  state(counts.stale, "old value of a failed collection or frozen exporter shown as null",
        "old values of failed collections or frozen exporters shown as null");
  state(counts.conflicts, "value that two series contradict each other about shown as null",
        "values that two series contradict each other about shown as null");
  state(counts.scaled, "GPU whose pods' parts were more than it has, and were scaled down",
        "GPUs whose pods' parts were more than they have, and were scaled down");
  state(
      counts.unknown_pods,
      "scrape target has no `up` here: its pods are not shown, they may be the exporter's own",
      "scrape targets have no `up` here: their pods are not shown, they may be the exporter's own");
  state(counts.new_jobs, "scrape job is new: its pods are not shown yet",
        "scrape jobs are new: their pods are not shown yet");
  state(counts.unclear_id, "row without a UUID stands alone: its node shows several GPUs by its id",
        "rows without a UUID stand alone: their nodes show several GPUs by their ids");
  state(counts.twice,
        "MIG instance known by its UUID alone is not shown: it may be one that another exporter "
        "shows without it",
        "MIG instances known by their UUIDs alone are not shown: they may be those that another "
        "exporter shows without them");
  state(counts.moved,
        "GPU whose node has different names by different exporters is shown under the best one's",
        "GPUs whose nodes have different names by different exporters are shown under the best "
        "one's");
  state(counts.mixed_units, "scrape job exports percent and a ratio by one name",
        "scrape jobs export percent and a ratio by one name");
  state(counts.duplicates, "duplicate series ignored", "duplicate series ignored");
  return warnings;
}

}  // namespace gpumon::gpu
