// Where the time of GPUs went: an account that adds up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "internal/fleet/health_rules.h"
#include "internal/fleet/parts.h"
#include "internal/fleet/prices.h"
#include "internal/fleet/state.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// By what time is added up. Of one holder only what it holds is its own; the rest is nobody's.
enum class LedgerBy : std::uint8_t { kFleet, kNode, kModel, kGpu, kNamespace, kPod, kUser };

// What one group had of the window.
struct Account {
  // kNode: the node; kModel: the model; kGpu: node, id, UUID, model; kNamespace and kPod: the
  // namespace, then the pod; kUser: the user. Empty where nobody tells, or nobody holds it.
  std::array<std::string, 4> key;
  std::size_t gpus = 0;  // that it had any time of
  std::array<std::int64_t, kStates> millis{};
  // Of all of it, and of the time in which it was held and idle; NaN where one of its GPUs has no
  // price.
  double cost = 0;
  double idle_cost = 0;

  std::int64_t total() const;
};

// One thread at a time. Every GPU that is seen at any instant has the whole window: each instant
// stands for the time until the next one, the last for the time until the end. Where a GPU is not
// seen its state is unknown, and the time is its last group's (before it is first seen: its first
// one's; nobody's, where groups are holders).
//
// A GPU's time is split equally between its parts (MIG instances, each with a state of its own),
// that of a part equally between those who hold it; whole milliseconds, the first in order get what
// is left over, so that all sums are exact.
class Ledger {
 public:
  // `start`, `step`, `end` in milliseconds; instants are start, start + step, ... < end. `prices`
  // must outlive it.
  Ledger(LedgerBy by, std::int64_t start, std::int64_t step, std::int64_t end,
         const Prices& prices);

  // The GPUs at the instant `i`; in order, none twice.
  void Add(std::size_t i, const std::vector<Whole>& gpus);
  // Call once, last. Sorted by key.
  std::vector<Account> Finish();

  // After Finish.
  std::size_t gpus() const { return known_.size(); }
  // GPUs of which something is unknown since they were not seen at each instant.
  std::size_t gpus_with_gaps() const { return with_gaps_; }

 private:
  using Key = std::array<std::string, 4>;
  struct Priced {  // milliseconds
    std::int64_t all = 0;
    std::int64_t idle = 0;
  };
  struct Group {
    std::set<std::size_t> gpus;
    Account account;
    std::map<double, Priced> priced;  // by price
  };
  struct Known {
    std::size_t number = 0;
    double price = 0;      // NaN: none
    std::size_t next = 0;  // the first instant that it was not counted at
    Group* group = nullptr;
    bool has_gaps = false;
  };

  std::size_t instants() const;
  std::int64_t TimeOf(std::size_t first, std::size_t next) const;
  Key KeyOf(const models::GpuMetrics& row) const;
  std::vector<Key> HoldersOf(const Part& part) const;
  void AddPart(const Part& part, std::int64_t millis, Known& known);
  static void Put(Group& group, State state, std::int64_t millis, const Known& known);
  void FillGap(Known& known, std::size_t until);
  bool IsByHolder() const { return by_ >= LedgerBy::kNamespace; }

  const LedgerBy by_;
  const std::int64_t start_;
  const std::int64_t step_;
  const std::int64_t end_;
  const Prices& prices_;
  std::map<Key, Group> groups_;
  std::map<std::array<std::string, 3>, Known> known_;  // UUID, or node and id
  std::size_t with_gaps_ = 0;
};

}  // namespace gpumon::fleet
