// Which exporters tell of which machine, and how they do.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/gpu/detector.h"
#include "internal/gpu/host_names.h"
#include "internal/gpu/node_rows.h"
#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// What is known of scrape targets beside these answers.
struct TargetsKnown {
  const Detected& detected;
  // What targets showed before they fell silent; null: nothing is remembered of that time.
  const TargetMemory* memory = nullptr;
};

// Reads the answer to NodeQuery::kTargets. One that is down, or is up and shows no GPU any more, is
// still of the machines whose GPUs it showed. One that is down, where nobody remembers, is of the
// one that its labels name. What is given has to outlive it. One thread at a time.
class NodeTargets {
 public:
  using Told = std::map<std::string_view, ToldNode>;

  // Adds targets to `told`, and to `snapshot` those that tell of no machine's GPUs.
  NodeTargets(const TargetsKnown& known, const HostNames& names, Told& told,
              models::Snapshot& snapshot)
      : known_(known), names_(names), told_(told), snapshot_(snapshot) {}

  // Once.
  void Read(const prom::InstantVector& vector);
  // Some job scrapes node-exporter.
  bool knows_hosts() const;

 private:
  struct Scraped {
    prom::LabelSet labels;
    double at = std::numeric_limits<double>::quiet_NaN();  // Unix seconds
  };

  void LearnJobs(const prom::InstantVector& vector);
  bool ScrapesGpus(std::string_view job) const;
  bool IsFrozen(std::string_view exporter, std::size_t target) const;
  std::set<std::string> RecallNodes(const Subject& subject, std::size_t target, Millis age) const;
  void ReadTarget(prom::LabelSet labels, double value);
  ToldTarget& TargetOf(std::string_view node, std::string_view exporter, prom::LabelSet labels);
  void Finish();
  void FindSilent();
  void FindQuiet(std::size_t target, prom::LabelSet labels);
  bool MayStart(const Subject& subject, std::size_t target) const;
  void JudgeDown(prom::LabelSet labels);
  void SetDown(std::string_view node, std::string_view exporter, prom::LabelSet labels);

  const TargetsKnown& known_;
  const HostNames& names_;
  Told& told_;
  models::Snapshot& snapshot_;
  std::set<std::string> kept_;                                   // names that stand in no answer
  std::map<std::string_view, std::set<std::string_view>> jobs_;  // and the exporters they scrape
  std::vector<prom::LabelSet> down_;
  // By Contest::TargetOf, as what follows.
  std::vector<std::pair<std::size_t, ToldTarget*>> up_;
  std::set<std::pair<std::size_t, std::string_view>> up_nodes_;
  std::map<std::size_t, Scraped> scraped_;
  std::set<std::size_t> show_gpus_;
  std::map<std::size_t, double> started_;  // values of kStartedSeries
  std::map<std::size_t, double> last_up_;
};

}  // namespace gpumon::gpu
