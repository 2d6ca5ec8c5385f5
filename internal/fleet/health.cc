#include "internal/fleet/health.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;

constexpr std::int64_t kHwSlowdown = 0x8;
constexpr std::int64_t kSwThermal = 0x20;
constexpr std::int64_t kHwThermal = 0x40;
constexpr std::int64_t kPowerBrake = 0x80;
static_assert((kHwSlowdown | kSwThermal | kHwThermal | kPowerBrake) == kThrottledBits);
static_assert((kHwThermal | kPowerBrake) == kThrottledByHardwareBits);

std::string Number(double value) {
  return FormatNumber(std::round(value * 10) / 10);
}

// Counts what is known, and multiplies what is found.
class Assessment {
 public:
  Assessment(const GpuMetrics& gpu, const HealthRules& rules) : gpu_(gpu), rules_(rules) {
    health_.components.fill(Level::kUnknown);
  }

  Health Take() {
    Temperature();
    Utilization();
    Memory();
    Throttling();
    Ecc();
    Power();
    XidAndRows();
    Nvlink();
    constexpr double kInputs = 5;
    health_.confidence = known_ / kInputs;
    if (known_ > 0) health_.score = 100 * score_;
    health_.level = LevelOf(health_.score, rules_);
    std::stable_sort(health_.findings.begin(), health_.findings.end(),
                     [](const auto& a, const auto& b) { return a.severity > b.severity; });
    return std::move(health_);
  }

 private:
  std::optional<double> Get(Quantity quantity) const {
    return gpu_.readings.Get(static_cast<std::size_t>(quantity));
  }
  Level& LevelOfComponent(Component component) {
    return health_.components[static_cast<std::size_t>(component)];
  }
  // The first is known to be well until somebody says otherwise.
  void SetLevel(Component component, Level level) {
    Level& its = LevelOfComponent(component);
    if (its == Level::kUnknown || level > its) its = level;
  }
  void Find(Severity severity, std::string_view component, std::string text, double factor,
            Action action) {
    score_ *= factor;
    health_.findings.push_back({severity, component, std::move(text), factor, action});
  }
  void FindOf(Component component, Level level, std::string text, double factor, Action action) {
    SetLevel(component, level);
    Find(level == Level::kCritical ? Severity::kCritical : Severity::kWarning, NameOf(component),
         std::move(text), factor, action);
  }

  void Temperature() {
    const auto value = Get(Quantity::kTemperature);
    if (!value) return;
    ++known_;
    SetLevel(Component::kTemperature, Level::kHealthy);
    const auto above = [&](double threshold) {
      return Number(*value) + " °C, above " + Number(threshold);
    };
    if (*value > rules_.temperature_critical) {
      FindOf(Component::kTemperature, Level::kCritical, above(rules_.temperature_critical),
             rules_.temperature_critical_factor, Action::kInspect);
    } else if (*value > rules_.temperature_warning) {
      FindOf(Component::kTemperature, Level::kDegraded, above(rules_.temperature_warning),
             rules_.temperature_warning_factor, Action::kNone);
    }
  }

  void Utilization() {
    const auto value = Get(Quantity::kUtilization);
    if (!value) return;
    ++known_;
    if (*value < rules_.utilization_low) {
      Find(Severity::kInfo, "utilization",
           "idle: " + Number(*value) + " %, below " + Number(rules_.utilization_low),
           rules_.utilization_low_factor, Action::kNone);
    } else if (*value > rules_.utilization_high) {
      Find(Severity::kInfo, "utilization",
           "saturated: " + Number(*value) + " %, above " + Number(rules_.utilization_high),
           rules_.utilization_high_factor, Action::kNone);
    }
  }

  void Memory() {
    const auto value = Get(Quantity::kMemoryUsedPercent);
    if (!value) return;
    ++known_;
    SetLevel(Component::kMemory, Level::kHealthy);
    const auto above = [&](double threshold) {
      return Number(*value) + " % used, above " + Number(threshold);
    };
    if (*value > rules_.memory_critical) {
      FindOf(Component::kMemory, Level::kCritical, above(rules_.memory_critical),
             rules_.memory_critical_factor, Action::kCheckApplication);
    } else if (*value > rules_.memory_warning) {
      FindOf(Component::kMemory, Level::kDegraded, above(rules_.memory_warning),
             rules_.memory_warning_factor, Action::kCheckApplication);
    }
  }

  // By what the device says of itself, or else by its clock: a power cap is no reason by itself,
  // and the clock that it leaves may be.
  void Throttling() {
    const auto mask = Get(Quantity::kThrottleReasons);
    const auto clock = Get(Quantity::kSmClock);
    const auto highest = Get(Quantity::kSmClockMax);
    const auto load = Get(Quantity::kUtilization);
    const bool has_clock = clock && highest && load && *highest > 0;
    if (!mask && !has_clock) return;
    ++known_;
    SetLevel(Component::kClock, Level::kHealthy);
    if (mask && ThrottledBy(static_cast<std::int64_t>(*mask))) return;
    if (!has_clock) return;
    const double share = 100 * *clock / *highest;
    if (*load > rules_.clock_load && share < rules_.clock_throttled) {
      FindOf(Component::kClock, Level::kDegraded,
             "SM clock at " + Number(share) + " % of its highest under load, below " +
                 Number(rules_.clock_throttled),
             rules_.throttled_factor, Action::kInspect);
    }
  }

  bool ThrottledBy(std::int64_t bits) {
    if ((bits & kThrottledBits) == 0) return false;
    const bool by_hardware = (bits & kThrottledByHardwareBits) != 0;
    std::string what = "throttled by its hardware";
    if ((bits & kHwThermal) != 0) {
      what += ": too hot";
    } else if (by_hardware) {
      what += ": power brake";
    } else if ((bits & kSwThermal) != 0) {
      what = "throttled by its driver: too hot";
    }
    FindOf(Component::kClock, by_hardware ? Level::kCritical : Level::kDegraded, what,
           rules_.throttled_factor, Action::kInspect);
    return true;
  }

  void Ecc() {
    const auto corrected = Get(Quantity::kEccCorrectedVolatile);
    const auto uncorrected = Get(Quantity::kEccUncorrectedVolatile);
    const auto counted = rules_.ecc_corrected_counts ? corrected : std::nullopt;
    if (!uncorrected && !counted) return;
    ++known_;
    SetLevel(Component::kEcc, Level::kHealthy);
    const double errors = uncorrected.value_or(0) + counted.value_or(0);
    if (errors <= 0) return;
    const bool lost = uncorrected.value_or(0) > 0;
    FindOf(Component::kEcc, lost ? Level::kCritical : Level::kDegraded,
           "ECC errors since the driver was loaded: " + Number(uncorrected.value_or(0)) +
               " uncorrected, " + Number(corrected.value_or(0)) + " corrected",
           rules_.ecc_factor, lost ? Action::kReboot : Action::kNone);
  }

  void Power() {
    const auto power = Get(Quantity::kPower);
    const auto limit = Get(Quantity::kPowerLimit);
    if (!power || !limit || *limit <= 0) return;
    SetLevel(Component::kPower, Level::kHealthy);
    const double share = 100 * *power / *limit;
    // A GPU may draw what it may: a fact, no fault.
    if (share > rules_.power_warning) {
      Find(Severity::kInfo, NameOf(Component::kPower),
           Number(share) + " % of its power limit, above " + Number(rules_.power_warning), 1,
           Action::kNone);
    }
  }

  void XidAndRows() {
    if (const auto code = Get(Quantity::kXidLast)) {
      SetLevel(Component::kXid, Level::kHealthy);
      FindXid(XidOf(static_cast<int>(*code)));
    }
    if (const auto failed = Get(Quantity::kRowRemapFailure)) {
      SetLevel(Component::kEcc, Level::kHealthy);
      if (*failed > 0) {
        FindOf(Component::kEcc, Level::kCritical, "a row of memory could not be remapped",
               rules_.row_remap_failure_factor, Action::kInspect);
      }
    }
    if (Get(Quantity::kRowRemapPending).value_or(0) > 0) {
      FindOf(Component::kEcc, Level::kDegraded,
             "a row of memory is remapped when the GPU is next reset", 1, Action::kReboot);
    }
  }

  // Another code is another finding.
  void FindXid(const Xid& xid) {
    const std::size_t before = health_.findings.size();
    AddXid(xid);
    if (health_.findings.size() > before) {
      health_.findings.back().which = std::to_string(xid.code);
    }
  }

  void AddXid(const Xid& xid) {
    std::string text = "last XID " + std::to_string(xid.code);
    if (!xid.text.empty()) text.append(": ").append(xid.text);
    switch (xid.which) {
      case XidClass::kNone:
        return;
      case XidClass::kReset:
        return FindOf(Component::kXid, Level::kCritical, std::move(text), rules_.xid_reset_factor,
                      xid.action);
      case XidClass::kContained:
        return FindOf(Component::kXid, Level::kDegraded, std::move(text),
                      rules_.xid_contained_factor, xid.action);
      case XidClass::kUnknown:
        return FindOf(Component::kXid, Level::kDegraded, std::move(text), 1, xid.action);
      case XidClass::kApplication:
      case XidClass::kInformation:
        // It stays until the driver or the exporter is started again: no news of the GPU's health.
        return Find(Severity::kInfo, NameOf(Component::kXid), std::move(text), 1, xid.action);
    }
  }

  // Links repeat what was damaged on its way: a count says little of the present.
  void Nvlink() {
    const auto errors = Get(Quantity::kNvlinkErrors);
    if (!errors) return;
    SetLevel(Component::kNvlink, Level::kHealthy);
    if (*errors > 0) {
      Find(Severity::kInfo, NameOf(Component::kNvlink), Number(*errors) + " NVLink errors so far",
           1, Action::kNone);
    }
  }

  const GpuMetrics& gpu_;
  const HealthRules& rules_;
  Health health_;
  double score_ = 1;
  double known_ = 0;
};

}  // namespace

std::string_view NameOf(Level level) {
  static constexpr std::array<std::string_view, kLevels> kNames = {"healthy", "degraded",
                                                                   "critical", "unknown"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string_view NameOf(Component component) {
  static constexpr std::array<std::string_view, kComponents> kNames = {
      "temperature", "power", "memory", "clock", "ecc", "xid", "nvlink", "host"};
  return kNames[static_cast<std::size_t>(component)];
}

std::string_view NameOf(Severity severity) {
  static constexpr std::array<std::string_view, 3> kNames = {"info", "warning", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

Level LevelOf(std::optional<double> score, const HealthRules& rules) {
  if (!score) return Level::kUnknown;
  if (*score >= rules.healthy - kScoreTolerance) return Level::kHealthy;
  return *score >= rules.degraded - kScoreTolerance ? Level::kDegraded : Level::kCritical;
}

std::int64_t ShownScore(double score) {
  return static_cast<std::int64_t>(std::floor(score + kScoreTolerance));
}

Health Assess(const GpuMetrics& gpu, const HealthRules& rules) {
  return Assessment(gpu, rules).Take();
}

Health AssessLost(std::string_view name, const HealthRules& rules) {
  Health health;
  health.components.fill(Level::kUnknown);
  health.score = 100 * rules.lost_factor;
  health.level = LevelOf(health.score, rules);
  health.findings.push_back({Severity::kCritical, "gpu",
                             std::string(name) + " is no longer shown, and its exporters are up",
                             rules.lost_factor, Action::kReboot});
  return health;
}

void Average::Add(const Health& one) {
  ++size_;
  ++levels_[static_cast<std::size_t>(one.level)];
  confidence_ += one.confidence;
  if (one.score) {
    sum_ += *one.score;
    ++scored_;
  }
  for (std::size_t i = 0; i < kComponents; ++i) {
    const Level level = one.components[i];
    if (level == Level::kUnknown) continue;
    if (worst_[i] == Level::kUnknown || level > worst_[i]) worst_[i] = level;
  }
}

Health Average::Of(const HealthRules& rules) const {
  Health all;
  if (scored_ > 0) all.score = sum_ / static_cast<double>(scored_);
  all.level = LevelOf(all.score, rules);
  if (size_ > 0) all.confidence = confidence_ / static_cast<double>(size_);
  all.components = worst_;
  return all;
}

}  // namespace gpumon::fleet
