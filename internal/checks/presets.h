// What is checked where nobody says otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/checks/system.h"

namespace gpumon::checks {

enum class Kind : std::uint8_t {
  kPostgres,
  kRedis,
  kEtcd,
  kManager,
  kAgent,
  kPrometheus,
  kGrafana,
};

struct KindRow {
  Kind kind;
  std::string_view word;  // of its option: "postgres"
  std::string_view name;  // as shown: "PostgreSQL"
  bool is_web;            // it has a URL; else a host and a port
};
std::span<const KindRow> Kinds();
const KindRow& RowOf(Kind kind);

// One service.
struct Target {
  Kind kind;
  std::string name;
  std::string url;  // of a web service, no slash at its end; else ""
  std::string host;
  std::uint16_t port = 0;
};
// "127.0.0.1:8101", "[::1]:6379", "http://host:9090/base", each with or without "NAME=" before it.
// The error is a clause that does not quote the text.
Result<Target> ParseTarget(Kind kind, std::string_view text);
Port PortOf(const Target& target);

struct Preset {
  std::string_view name;
  std::vector<std::string> containers;
  std::vector<Target> targets;
  std::vector<std::string> config_files;
};
// "halfstack" has the names and ports of backend.ai-halfstack, "lablup" those of lablup's own
// compose file, "none" nothing. Null for another name.
const Preset* FindPreset(std::string_view name);
inline constexpr std::string_view kPresetNames = "halfstack|lablup|none";

}  // namespace gpumon::checks
