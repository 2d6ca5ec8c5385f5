// How well a GPU is: a score, what it comes from, and what to do about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/fleet/health_rules.h"
#include "internal/fleet/xid.h"
#include "models/gpu.h"

namespace gpumon::fleet {

enum class Level : std::uint8_t { kHealthy, kDegraded, kCritical, kUnknown };
inline constexpr std::size_t kLevels = 4;
std::string_view NameOf(Level level);                                                 // "healthy"
inline constexpr std::string_view kLevelWords = "healthy|degraded|critical|unknown";  // all names

enum class Component : std::uint8_t {
  kTemperature,
  kPower,
  kMemory,
  kClock,
  kEcc,
  kXid,
  kNvlink,
  kHost  // AssessHost's
};
inline constexpr std::size_t kComponents = 8;
std::string_view NameOf(Component component);

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
std::string_view NameOf(Severity severity);
inline constexpr std::string_view kSeverityWords = "info|warning|critical";

// Bits of NVML's clock event reasons that hold a GPU back against its will. A power cap is normal
// under load, and what is configured or idle is no throttling.
inline constexpr std::int64_t kThrottledBits = 0xE8;
inline constexpr std::int64_t kThrottledByHardwareBits = 0xC0;  // of these: too hot, power brake

// What is the matter, or worth knowing.
struct HealthFinding {
  Severity severity = Severity::kInfo;
  // What it is about: a component's name, `utilization` or `gpu`.
  std::string_view component;
  std::string text;   // for people, with the value and what it is compared with
  double factor = 1;  // what it does to the score; 1: nothing
  Action action = Action::kNone;
  // Where there may be several of one component: what tells them from each other for good.
  std::string which = {};
};

using ComponentLevels = std::array<Level, kComponents>;

struct Health {
  // 0..100; nothing where nothing is known that a score could come from.
  std::optional<double> score;
  Level level = Level::kUnknown;
  // 0..1: the share of what a score comes from (temperature, utilization, memory, throttling, ECC
  // errors) that is known.
  double confidence = 0;
  ComponentLevels components{};         // kUnknown where nothing is known of it
  std::vector<HealthFinding> findings;  // the worst first
};

// Of one row of a snapshot: a GPU or a MIG instance. The factors are those of Flow's health
// monitoring; XID and row remapping are beside them. A reading of 0 for a field whose zero means
// nothing has been dropped before (internal/gpu).
Health Assess(const models::GpuMetrics& gpu, const HealthRules& rules);

// Of a GPU that is no longer shown, while its exporters are up. `name` tells it from others;
// nothing else is known of it.
Health AssessLost(std::string_view name, const HealthRules& rules);

// Scores are taken with this tolerance, in %: eight times 0.8 are 0.8 on average.
inline constexpr double kScoreTolerance = 1e-7;
Level LevelOf(std::optional<double> score, const HealthRules& rules);
// Rounded down: what is below 80 never reads 80.
std::int64_t ShownScore(double score);

// The health of several: the plain average of the scores that are known, the worst of each
// component.
class Average {
 public:
  void Add(const Health& one);
  // Without findings.
  Health Of(const HealthRules& rules) const;
  std::size_t size() const { return size_; }
  std::size_t count(Level level) const { return levels_[static_cast<std::size_t>(level)]; }

 private:
  double sum_ = 0;
  std::size_t scored_ = 0;
  double confidence_ = 0;
  std::size_t size_ = 0;
  std::array<std::size_t, kLevels> levels_{};
  ComponentLevels worst_ = {Level::kUnknown, Level::kUnknown, Level::kUnknown, Level::kUnknown,
                            Level::kUnknown, Level::kUnknown, Level::kUnknown, Level::kUnknown};
};

}  // namespace gpumon::fleet
