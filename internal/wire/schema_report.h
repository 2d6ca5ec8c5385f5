// Where each field comes from in this cluster, and what would fill its gaps.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "internal/schema/registry.h"
#include "internal/wire/encode.h"
#include "models/gpu.h"

namespace gpumon::wire {

// By row of GPUs: the row that stands for its board.
using Boards = std::span<const std::size_t>;

// The whole envelope of GET /api/v1/gpu/schema, of two snapshots that were made with `registry`:
// data {as_of, gpus, mig_instances, exporters, fields}. `fields` has one element for each field of
// both lists:
//   rows, known        how many rows there are, and how many of them have the field
//   sources            what gives it, the preferred first: a metric (unit as exported, the rule
//                      that makes the base unit of it, rows that show it, rows that show another
//                      source's value instead), labels, or other fields
//   reasons            why the other rows lack it, counted
//   would_fill         metrics that would give it: first those whose scrape target is down, then
//   those
//                      of exporters that are here
// `page` says whether the snapshots are stale, `commands_hidden` is as in Table.
std::string EncodeSchema(const schema::Registry& registry, const models::Snapshot& gpus,
                         Boards boards, const models::Snapshot& processes, std::string_view message,
                         const Page& page, bool commands_hidden);

}  // namespace gpumon::wire
