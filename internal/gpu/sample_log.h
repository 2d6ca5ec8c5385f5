// What a join did with the samples of one GPU, and what it says of all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/explained.h"
#include "internal/gpu/findings.h"
#include "internal/gpu/recorder.h"
#include "models/explanation.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. Keeps the samples of rows that may be the GPU: `known`, its rows of an
// earlier snapshot, tell them apart from the rest of the cluster.
class SampleLog final : public JoinRecorder {
 public:
  SampleLog(GpuName name, const std::vector<const models::GpuMetrics*>& known);

  void Saw(const Seen& seen) override;
  void Gone(const Seen& seen) override;
  void GoneTimed(const prom::InstantVector& times) override;
  void Timed(const schema::Exporter& exporter, std::uint32_t row, const models::GpuMetrics& so_far,
             prom::LabelSet labels, double at) override;
  void Ranked(const schema::Exporter& exporter, const Contest::Ranking& ranking) override;
  void Met(const schema::Exporter& exporter, std::uint32_t row, std::uint32_t at,
           const models::GpuMetrics& its, std::span<const std::uint8_t> shown) override;
  void Joined(std::span<const models::GpuMetrics> rows, const JoinCounts& counts) override;

  // After Joined. `snapshot` is of the same join.
  models::Explanation Explain(std::shared_ptr<const models::Snapshot> snapshot);
  JoinFacts TakeFacts();

 private:
  using RowKey = std::pair<const schema::Exporter*, std::uint32_t>;
  struct Entry {
    RowKey of;
    FamilyUse use;
    std::size_t leader;
    std::string order;   // its labels, InLabelOrder
    std::string series;  // the same without its name
    std::size_t target;
    double raw;
    Reading reading;
    models::ExplainedSample told;  // what is known at once
  };
  struct Time {
    std::string order;  // as Entry's
    std::string series;
    std::size_t target;
    double at;
  };
  struct Place {
    std::string order;
    std::size_t target;
    bool of_pod;
    bool old;
    std::size_t part;
  };
  // A row of one exporter in a row of the join.
  struct Part {
    RowKey of;
    models::GpuMetrics its;
    std::vector<std::uint8_t> shown;
  };
  struct Known {
    std::string node;
    std::string gpu_id;
    std::string uuid;
  };
  struct OfRow {
    std::string key;  // its texts
    models::GpuMetrics row;
    std::vector<models::ExplainedSample> samples;
  };
  using Contested = std::pair<RowKey, std::size_t>;

  // Another use of its metric may take it.
  static bool IsUnfit(const Reading& reading) {
    return reading.reason == models::NullReason::kNotExported;
  }
  bool MayBe(const models::GpuMetrics& row) const;
  void CountPods(const Seen& seen);
  bool IsToldElsewhere(const Entry& entry) const;
  double TimeOf(const Entry& entry) const;
  // What became of a sample, and by which rule: sample_judge.cc.
  void Judge(Entry& entry, const std::vector<Part>& parts, const models::GpuMetrics& row) const;
  static void JudgeShare(Entry& entry, const std::vector<Part>& parts);
  static bool JudgePart(Entry& entry, const std::vector<Place>& places);
  bool JudgeRanking(Entry& entry) const;
  bool JudgeMetric(Entry& entry, const std::vector<Part>& parts) const;

  const GpuName name_;
  std::vector<Known> known_;
  std::vector<Entry> entries_;
  std::vector<std::pair<std::string, models::ExplainedSample>> gone_;  // by Entry::order
  std::map<std::string, double> gone_times_;                           // likewise
  std::map<RowKey, std::vector<Time>> times_;
  std::map<Contested, std::vector<Place>> rankings_;
  std::map<std::uint32_t, std::vector<Part>> parts_;  // by row of the join
  std::vector<OfRow> rows_;

  std::map<const schema::Exporter*, std::vector<std::uint8_t>> pods_;  // by row: flags
  std::vector<const schema::Exporter*> first_;                         // by row of the join
  std::map<std::pair<std::string, std::string>, std::set<std::string>> overlaps_;
  JoinCounts counts_;
};

}  // namespace gpumon::gpu
