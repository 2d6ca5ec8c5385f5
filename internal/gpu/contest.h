// Which of several series for one value counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "internal/gpu/row_times.h"
#include "internal/gpu/value_reader.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. Between series of one metric of one row the newest sample comes first, of
// one time those with a possible value, of these the device's before those of its pods, then the
// first in label order: never the order in which they were entered.
class Contest {
 public:
  struct Contender {
    std::uint32_t row = 0;
    std::uint8_t metric = 0;
    Reading reading;
    std::size_t target = 0;     // TargetOf its labels
    std::string labels;         // InLabelOrder
    models::Workload workload;  // without a pod: the device itself
    std::size_t part = 0;       // PartOf its labels; 0 of what is not added up
    double at = 0;              // Decide's: when it was sampled; -infinity where unknown
  };
  // All contenders for one value, the winner first.
  using Ranking = std::vector<const Contender*>;

  // Who was scraped: its job and address, hashed.
  static std::size_t TargetOf(prom::LabelSet labels);
  // A part of what is added up: the series' name and the values of the labels that tell parts
  // apart.
  static std::size_t PartOf(const std::vector<std::string>& parts, prom::LabelSet labels);
  struct Verdict {
    Reading reading;  // why there is none, when it, or a part of it, is not known or contradicted
    std::size_t doubles = 0;  // series that repeat another's device, pod or part
    std::vector<const Contender*> losers;
  };
  // What the series of `metric` say together. A sum is over the winners of each part; a part of
  // which nothing is measured, as it is not supported, is none. The largest or smallest is that of
  // the newest.
  static Verdict Judge(const schema::Metric& metric, const Ranking& ranking);
  // When the newest was sampled; -infinity where nobody knows.
  static double NewestTime(const Ranking& ranking);
  // There is a newer one.
  static bool IsOld(const Contender& one, double newest);
  // A label set as one text that sorts as label sets do, in whichever order the server sent it.
  static std::string InLabelOrder(prom::LabelSet labels);
  // The labels of a series whose time was asked for (PlannedQuery::Gives::kSeriesTimes), as its
  // values have them: `__series__` is its `__name__`.
  static std::vector<prom::Label> AsValued(prom::LabelSet timed);

  bool empty() const { return contenders_.empty(); }
  void Enter(Contender contender) { contenders_.push_back(std::move(contender)); }
  // The series `labels` (InLabelOrder) was sampled `at` (Unix seconds).
  void AddTime(std::string labels, double at) { times_.emplace(std::move(labels), at); }
  // Every value that was contended for, by row and metric, with the series' own times or else those
  // of their targets. Good until the next Enter.
  std::vector<Ranking> Decide(const RowTimes& times);

 private:
  std::vector<Contender> contenders_;
  std::unordered_map<std::string, double> times_;
};

}  // namespace gpumon::gpu
