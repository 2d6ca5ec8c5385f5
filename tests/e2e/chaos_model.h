// Which answers of the server are right while Prometheus goes from one trouble to the next.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {

// One way for a Prometheus to be.
struct ChaosWay {
  std::string name;
  std::function<void(fault::FaultServer&)> begin;
  bool answers = false;  // queries of a set may all be answered
  bool fails = true;     // or not all of them
  int status = 0;        // where none is
  std::string code;
  // So long it is felt when it is over: its last answers come then, or what they asked for ends.
  Millis afterwards{0};
};

// All that `UpstreamFault`s are, but those that ask to be left alone for longer than a second; the
// ways in which networks are slow; and some in which a part of the queries fails.
std::vector<ChaosWay> ChaosWays();

struct ChaosPhase {
  const ChaosWay* way;
  SteadyTime begin;
  SteadyTime end;
};

// What the server was told, and how much longer things may take on a busy machine.
struct ChaosLimits {
  Millis ttl{100};
  Millis timeout{1500};
  Millis max_stale{2500};
  Millis slack{500};
};

enum class Asked { kList, kNeverStale, kNeverPartial, kPast, kHealth, kProbe };

struct SeenAnswer {
  Asked asked = Asked::kList;
  std::size_t part = 0;  // which list
  SteadyTime sent;
  SteadyTime came;
  int status = 0;
  std::string code;  // of an error
  bool stale = false;
  bool partial = false;
  SteadyTime as_of;
  std::string wrong;  // what is wrong with it in itself
};

class ChaosModel {
 public:
  // `phases` follow each other; each begins no later than the one before ends.
  ChaosModel(std::vector<ChaosPhase> phases, ChaosLimits limits);

  // Why the answer cannot be right; "" when it can. Of each part in the order in which they came.
  std::string Judge(const SeenAnswer& answer);
  // Names of the ways between the two.
  std::string WaysBetween(SteadyTime from, SteadyTime to) const;

 private:
  using Is = std::function<bool(const ChaosWay&)>;

  std::string JudgeList(const SeenAnswer& answer) const;
  std::string JudgeFailure(const SeenAnswer& answer) const;
  std::string JudgeHealth(const SeenAnswer& answer) const;
  // Has there been such a way since then? Each is felt for its own time longer.
  bool Any(SteadyTime from, SteadyTime to, const Is& is) const;
  // The newest snapshot of the part that anybody had been shown by then; the clock's least value
  // when there is none.
  SteadyTime Known(std::size_t part, SteadyTime by) const;

  const std::vector<ChaosPhase> phases_;
  const ChaosLimits limits_;
  // By part: when it was seen, of when it was; both grow.
  std::map<std::size_t, std::map<SteadyTime, SteadyTime>> known_;
};

}  // namespace gpumon::e2e
