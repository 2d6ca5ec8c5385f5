// A batch as different receivers want it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/fetch/client.h"
#include "internal/push/spool.h"

namespace gpumon::push {

enum class Format : std::uint8_t { kJson, kPushgateway, kDatadog };

struct Receiver {
  std::string url;    // no query
  std::string token;  // "" for none
  Format format = Format::kJson;
};

// The requests that bring a batch, in their order: it has arrived when each was answered 2xx. The
// same batch gives the same bytes. Each has the header Idempotency-Key.
// json: one POST with all snapshots. pushgateway: a PUT for each task, of its newest snapshot: a
// group holds what came last. datadog: one POST of series, in the form of the version that the
// URL's path names (v1, else v2).
// A line that is no snapshot is left out.
std::vector<fetch::Request> RequestsOf(const Receiver& receiver, const Batch& batch);

// "/task_id/TEXT", or "/task_id@base64/..." where TEXT could not stand in a path as it is.
std::string GroupingPart(std::string_view label, std::string_view text);

// What Pushgateway and Datadog are given of a GPU, in their order.
std::vector<std::string> MetricNames();

}  // namespace gpumon::push
