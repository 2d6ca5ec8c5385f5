// What the rules of the connected Prometheus call out: rows from the series that it writes of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/prom/value.h"
#include "internal/schema/registry.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// In the order in which they are asked.
enum class AlertQuery : std::uint8_t {
  kAlerts,  // ALERTS and ALERTS_FOR_STATE, as Prometheus and the rulers of its kin write them
  kHosts    // what machines are called
};
inline constexpr std::size_t kAlertQueries = 2;
std::string_view NameOf(AlertQuery query);
std::string_view PromqlOf(AlertQuery query);

// By AlertQuery; null: the query failed, which that of alerts may not.
using AlertAnswers = std::array<const prom::InstantVector*, kAlertQueries>;

// Where a severity stands, 0 first: what people write for critical, error, warning; any other word;
// what they write for information; none.
int RankOf(std::string_view severity);

// Fills `snapshot.alerts`, the same in any order of the series: firing first, then by RankOf,
// name, node, GPU and labels. An alert that is shown firing and pending is firing. A node is named
// as ReadNodes names it; of a label `instance` only one that Kubernetes or node-exporter knows. A
// GPU is what an exporter of `registry` calls one, by the one that knows most of the labels.
void ReadAlerts(const AlertAnswers& answers, const schema::Registry& registry,
                models::Snapshot& snapshot);

}  // namespace gpumon::gpu
