// When the samples of rows were taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "internal/prom/value.h"

namespace gpumon::gpu {

// Which scrape targets fed which rows of one exporter, and the times of their samples. A row is
// as new as the newest and as old as the oldest of what fed it. One thread at a time.
//
// The samples of one scrape share its time, so mostly it is enough to know the targets' times.
// Where a target shows any other time than that of its own `up`, its exposition brings time stamps
// along (a federation, a push gateway): then only the time of each series tells.
class RowTimes {
 public:
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  // Unix seconds; NaN where unknown.
  struct Span {
    double newest = kUnknown;
    double oldest = kUnknown;
    bool bad = false;  // one was impossible, and is not counted

    void Add(double at);
    void Add(const Span& other);
  };

  // No time lies before 1970 or a day after `as_of`; one that does is bad.
  void SetAsOf(double as_of) { latest_ = as_of + kDay; }

  // A sample of `row` that counts, of the field in `slot`, shown by the target in `labels`.
  void Saw(std::uint32_t row, prom::LabelSet labels, std::size_t slot);
  // One of those lost to another series: what showed nothing else of the row fed it nothing.
  void Lost(std::uint32_t row, std::size_t target);

  // `series` (any number that tells series apart) of `row`, shown by `target`, was sampled `at`.
  // False when that cannot be.
  bool AddSeriesTime(std::uint32_t row, std::size_t target, std::size_t series, double at);
  // It lost to another series: its time is none of the row's.
  void LostSeries(std::size_t series) { lost_.insert(series); }
  // Series {job, instance, t}: a distinct sample time of that target in `t`; with t="up" the value
  // is the time of its `up`. How many were impossible.
  std::size_t AddTargetTimes(const prom::InstantVector& times);

  // Puts together what is known; before Of and NewestOf, and again when more has come or was lost.
  void Gather();
  // Of all that fed `row`.
  Span Of(std::uint32_t row) const;
  // Of what `target` showed of `row`; -infinity where unknown. Only its series' own times tell,
  // where it brings those along.
  double NewestOf(std::uint32_t row, std::size_t target) const;
  // Targets' times were added, and some target shows other times than that of its `up`.
  bool BringsItsOwn() const;

  // `target` showed a sample that counted, or lost since.
  bool HasSeen(std::size_t target) const {
    const auto place = places_.find(target);
    return place != places_.end() && fields_[place->second] != 0;
  }
  // Each target that HasSeen, as fn(target, job).
  template <class Fn>
  void ForEachTarget(Fn fn) const {
    for (std::size_t place = 0; place < targets_.size(); ++place) {
      if (fields_[place] != 0) fn(targets_[place], names_[place].job);
    }
  }
  // Each target that showed anything of `row`, whether or not it lost, as fn(target).
  template <class Fn>
  void ForEachTargetOf(std::uint32_t row, Fn fn) const {
    if (row < fed_.size() && fed_[row].target != kNone) fn(targets_[fed_[row].target]);
    const auto others = more_.find(row);
    if (others == more_.end()) return;
    for (const Fed& fed : others->second) fn(targets_[fed.target]);
  }
  // Each row with each target that fed it (Contest::TargetOf), as fn(row, target, fields): bits by
  // slot of the fields that this target showed of any row.
  template <class Fn>
  void ForEach(Fn fn) const {
    const auto tell = [&](std::uint32_t row, const Fed& fed) {
      if (fed.samples > 0) fn(row, targets_[fed.target], fields_[fed.target]);
    };
    for (std::uint32_t row = 0; row < fed_.size(); ++row) tell(row, fed_[row]);
    for (const auto& [row, others] : more_) {
      for (const Fed& fed : others) tell(row, fed);
    }
  }

 private:
  static constexpr double kDay = 86400;  // clocks differ
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Fed {
    std::uint32_t target = kNone;  // its place in targets_
    std::uint32_t samples = 0;
  };
  using Key = std::pair<std::uint32_t, std::uint32_t>;  // row, target
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct TargetTimes {
    Span samples;
    double up = kUnknown;

    bool BringsItsOwn() const;
  };

  // The place of the target that showed `labels`, which is mostly `likely` (kNone: nobody knows).
  std::uint32_t TargetOf(prom::LabelSet labels, std::uint32_t likely);
  std::uint32_t PlaceOf(std::size_t target);
  Fed& FedBy(std::uint32_t row, std::uint32_t target);
  bool Possible(double at) const { return at >= 0 && at <= latest_; }
  Span Of(std::uint32_t row, std::uint32_t target) const;
  Span OfTarget(std::size_t target) const;

  double latest_ = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> targets_;   // place -> Contest::TargetOf
  std::vector<std::uint64_t> fields_;  // place -> what it showed
  struct Name {
    std::string job;
    std::string instance;
    bool known = false;
  };
  std::vector<Name> names_;  // place -> where it showed anything
  std::unordered_map<std::size_t, std::uint32_t> places_;
  std::uint32_t last_ = kNone;  // the target of the series before: mostly the next one's too

  // Mostly one target feeds a row; others stand in more_.
  std::vector<Fed> fed_;
  std::unordered_map<std::uint32_t, std::vector<Fed>> more_;
  struct SeriesTime {
    Key of;
    std::size_t series;
    double at;  // NaN: impossible
  };
  std::vector<SeriesTime> series_;
  std::set<std::size_t> lost_;
  std::unordered_map<Key, Span, Hash> gathered_;  // of series_
  std::unordered_map<std::size_t, TargetTimes> target_times_;
};

}  // namespace gpumon::gpu
