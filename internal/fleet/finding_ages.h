// Since when something has been the matter, as far as this process has seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/fleet/health.h"

namespace gpumon::fleet {

// When a finding began, in Unix seconds.
struct Began {
  std::optional<double> at;  // nothing: nobody knows
  bool or_before = false;    // nobody looked before that, or did not see its GPU

  bool operator==(const Began&) const = default;
};

// Thread-safe. Each look is at all GPUs of one instant, and at the machines that are known. A
// finding lasts while each look that sees the GPU sees one of the same severity on the same
// component; what the first look saw, or the first one after a minute without any, began nobody
// knows when.
class FindingAges {
 public:
  // Of people and pages that look again and again.
  FindingAges() = default;
  // Looks are one after the other however far apart they are; what the first one saw began then or
  // before.
  enum class Looks : std::uint8_t { kAreAll };
  explicit FindingAges(Looks) : gap_(std::numeric_limits<double>::infinity()) {}

  struct Found {
    std::string gpu;  // or machine: any text that tells it from others and stays the same
    const std::vector<HealthFinding>* findings = nullptr;
  };
  // For each of `all` and each finding the instant of the look that saw it first. A look at an
  // earlier instant than the last one changes nothing.
  std::vector<std::vector<Began>> Look(double as_of, std::span<const Found> all);

  // True after such a look, and once a minute until Learn.
  bool WantsPast(SteadyTime now);
  // `past` looked at instants up to the first look, which is its last one; it is empty then. What
  // began in it, or before, has that begin from now on.
  void Learn(FindingAges& past);

 private:
  using Key = std::tuple<std::string, std::string, Severity>;
  struct Entry {
    Began began;
    double seen = 0;
  };

  std::map<Key, Entry> Take();

  Began BeganAt(const std::string& gpu, double as_of, bool first) const REQUIRES(mutex_);

  const double gap_ = 60;  // seconds

  Mutex mutex_;
  std::optional<double> last_ GUARDED_BY(mutex_);
  std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
  std::set<std::string> there_ GUARDED_BY(mutex_);  // GPUs that the last look saw
  bool learned_ GUARDED_BY(mutex_) = false;
  std::optional<SteadyTime> asked_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::fleet
