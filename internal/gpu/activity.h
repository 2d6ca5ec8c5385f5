// Where in a range something happens to GPUs: what a closer look at it should be about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/gpu/range.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct ActivityWant {
  double start = 0;  // Unix seconds
  double end = 0;    // likewise, after it
  double step = 0;   // seconds; 0: as often as GPUs are scraped
  // A GPU above this temperature (degrees Celsius) is looked at closely.
  double temperature = 0;
  std::int64_t throttle_bits = 0;       // one that is throttled for any of these reasons, likewise
  std::vector<std::string> nodes = {};  // exact names; others' targets may count too; none: all
  double starting = 0;  // seconds for which a process counts as just started; 0: is not asked
  // What was shown so lately before `start` (seconds), and is not at it, is looked at before it
  // too: what becomes of it is told by what it was.
  double before = 0;
  // Seconds after `end`, all of them past, in which is decided what was open at it.
  double after = 0;
  bool targets_only = false;  // who showed what, and was up; nothing is looked at closely
};

// A scrape target that showed GPUs in the range, or one of their jobs that was down all the time.
struct ActivityTarget {
  enum class Up : std::uint8_t { kUnknown, kDown, kUp };

  std::string job;
  std::string instance;
  std::string node;             // of all its GPUs; empty where they name none, or several
  std::size_t gpus = 0;         // that it showed
  std::set<std::string> names;  // of these, as ActivityNamesOf
  std::vector<Up> up;           // by instant; none: `always`
  Up always = Up::kUnknown;
  // By instant: its process is one that was started less than ActivityWant::starting before. None:
  // never, or nobody tells.
  std::vector<bool> young = {};
  std::set<std::string> exporters = {};  // names of the schemas of what it showed

  Up At(std::size_t i) const { return up.empty() ? always : up[i]; }
};

// What a GPU is found by among ActivityTarget::names: its UUID, and its node and id.
std::vector<std::string> ActivityNamesOf(std::string_view uuid, std::string_view node,
                                         std::string_view gpu_id);

// Some instants, one after the other, and the targets (places among Activity::targets, sorted) with
// GPUs that something happens to. Outside of these spans nothing does.
struct ActivitySpan {
  std::size_t first = 0;
  std::size_t count = 0;
  std::vector<std::size_t> targets;
};

// Some of its instants, at equal distances.
struct ActivityGrid {
  std::size_t first = 0;
  std::size_t count = 0;
};

struct Activity {
  double start = 0;  // Unix seconds of the first instant
  double step = 0;   // seconds
  std::size_t steps = 0;
  // The instant that is ActivityWant::start, which what happens after it is compared with. Those
  // before it tell what was there until then.
  std::size_t begin = 0;
  std::size_t after = 0;  // so many of the last ones are later than ActivityWant::end
  double shift =
      0;  // seconds; by so much less than `step` the next one is later: last() is the end
  // A finer one would have been needed to see every sample, and would be too much; seconds, 0: not
  // so.
  double scraped_every = 0;
  bool too_long = false;  // that is so because of the range's length alone
  std::vector<ActivityTarget> targets;
  std::vector<ActivitySpan> spans;  // in order; of no instant twice, none over several grids()

  double At(std::size_t i) const {
    return start + step * static_cast<double>(i) - (i > begin ? shift : 0);
  }
  std::size_t last() const { return steps - 1 - after; }
  // The instant nearest to `time`, or one that is none.
  std::size_t Nearest(double time) const;
  // In order, all instants: each of no more than a range query may have.
  std::vector<ActivityGrid> Grids() const;
  // The spans of one of these, counted from its first instant, for RangeWant.
  std::vector<RangeSpan> SpansToWalk(const ActivityGrid& grid) const;
};

// Called once, on a worker thread.
using ActivityFound = std::function<void(Result<Activity>)>;

}  // namespace gpumon::gpu
