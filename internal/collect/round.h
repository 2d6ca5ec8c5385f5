// One round of the collector: ask, judge, keep, and give to the sender.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/fleet/health_rules.h"
#include "internal/gpu/source.h"
#include "internal/gpud/client.h"
#include "internal/push/spool.h"
#include "internal/store/snapshot.h"
#include "internal/store/writer.h"

namespace gpumon::collect {

struct RoundOptions {
  Millis prometheus_timeout{9000};
  Millis gpud_timeout{5000};
  Millis interval{60'000};
  std::size_t batch_size = 100;
  fleet::HealthRules rules;
};

// What came of a round.
struct RoundReport {
  std::size_t snapshots = 0;
  bool prometheus_answered = false;
  bool gpud_answered = false;
  bool stored = true;
};

// References must outlive it. One thread at a time. What is the matter is logged once, when it
// begins, changes and ends; an absent GPUd is none of that.
class Round {
 public:
  // `spool` is null without a remote endpoint.
  Round(const RoundOptions& options, gpu::Source& source, gpud::Client& gpud, store::Writer& writer,
        push::Spool* spool, const Clock& clock);

  // Blocks, for the two time-outs together at most. Snapshots are in the spool before they are in
  // the store: what is stored is sent.
  RoundReport Run();

 private:
  // Tells of one thing that may be the matter.
  class Trouble {
   public:
    Trouble(std::string_view begins, std::string_view ends) : begins_(begins), ends_(ends) {}
    void Is(const std::string& why);
    void IsNot();

   private:
    const std::string_view begins_;
    const std::string_view ends_;
    std::string said_;
  };

  std::vector<store::Snapshot> AskPrometheus(WallTime time, const std::string& gpud_note,
                                             RoundReport& report);
  std::vector<store::Snapshot> AskGpud(WallTime time, std::string& note, RoundReport& report);
  void Keep(const std::vector<store::Snapshot>& snapshots, RoundReport& report);
  void Spool(const std::vector<store::Line>& lines);

  const RoundOptions options_;
  gpu::Source& source_;
  gpud::Client& gpud_;
  store::Writer& writer_;
  push::Spool* const spool_;
  const Clock& clock_;
  WallTime events_since_;
  std::uint64_t dropped_ = 0;
  Trouble no_prometheus_{"Prometheus gives no snapshot", "Prometheus gives snapshots again"};
  Trouble partial_{"snapshots are incomplete", "snapshots are complete again"};
  Trouble no_store_{"snapshots are not stored", "snapshots are stored again"};
  Trouble no_spool_{"snapshots wait for the endpoint in memory alone",
                    "snapshots wait for the endpoint on disk again"};
};

}  // namespace gpumon::collect
