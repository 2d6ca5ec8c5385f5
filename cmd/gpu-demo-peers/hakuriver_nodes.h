// What a HakuRiver host tells of its nodes, as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/exporter/fleet.h"

namespace gpumon::demo {

// A node of the stand-in alone: offline for hours.
inline constexpr std::string_view kOfflineNode = "demo-offline";

// "2026-03-01T09:15:02.418000": local time without zone, as Python's datetime.now() has it.
std::string NaiveTime(WallTime time);

// The list of /api/nodes.
std::string NodesJson(const exporter::FleetState& state, WallTime now);
// The last minute of /api/health; less of a large fleet.
std::string HealthJson(const exporter::Fleet& fleet, WallTime now);
// The same with ?hostname; nothing when there is no such node.
std::optional<std::string> NodeHealthJson(const exporter::FleetState& state, WallTime now,
                                          std::string_view hostname);

}  // namespace gpumon::demo
