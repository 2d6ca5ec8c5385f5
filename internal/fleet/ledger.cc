#include "internal/fleet/ledger.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Text;

std::string TextOf(const GpuMetrics& row, Text which) {
  return std::string(row.text(which));
}

}  // namespace

std::int64_t Account::total() const {
  return std::accumulate(millis.begin(), millis.end(), std::int64_t{0});
}

Ledger::Ledger(LedgerBy by, std::int64_t start, std::int64_t step, std::int64_t end,
               const Prices& prices)
    : by_(by), start_(start), step_(step), end_(end), prices_(prices) {}

std::size_t Ledger::instants() const {
  return static_cast<std::size_t>((end_ - start_ + step_ - 1) / step_);
}

// From the instant `first` to the instant `next`.
std::int64_t Ledger::TimeOf(std::size_t first, std::size_t next) const {
  const auto at = [&](std::size_t i) {
    return std::min(start_ + step_ * static_cast<std::int64_t>(i), end_);
  };
  return at(next) - at(first);
}

Ledger::Key Ledger::KeyOf(const GpuMetrics& row) const {
  switch (by_) {
    case LedgerBy::kNode:
      return {TextOf(row, Text::kNode)};
    case LedgerBy::kModel:
      return {TextOf(row, Text::kGpuName)};
    case LedgerBy::kGpu:
      return {TextOf(row, Text::kNode), TextOf(row, Text::kGpuId), TextOf(row, Text::kUuid),
              TextOf(row, Text::kGpuName)};
    default:
      return {};
  }
}

std::vector<Ledger::Key> Ledger::HoldersOf(const Part& part) const {
  std::vector<Key> holders;
  if (by_ == LedgerBy::kUser) {
    for (const std::string_view user : part.users) holders.push_back({std::string(user)});
  } else {
    for (const auto& [name_space, pod] : part.pods) {
      Key key{std::string(name_space)};
      if (by_ == LedgerBy::kPod) key[1] = pod;
      holders.push_back(std::move(key));
    }
  }
  if (holders.empty()) holders.emplace_back();
  return holders;
}

void Ledger::Put(Group& group, State state, std::int64_t millis, const Known& known) {
  const bool idle = state == State::kIdleHeld;
  Account& account = group.account;
  account.millis[static_cast<std::size_t>(state)] += millis;
  group.gpus.insert(known.number);
  if (std::isnan(known.price)) {
    account.cost = known.price;
    if (idle) account.idle_cost = known.price;
    return;
  }
  Priced& priced = group.priced[known.price];
  priced.all += millis;
  if (idle) priced.idle += millis;
}

void Ledger::AddPart(const Part& part, std::int64_t millis, Known& known) {
  if (!IsByHolder()) return Put(*known.group, part.state, millis, known);
  const std::vector<Key> holders = HoldersOf(part);
  for (std::size_t i = 0; i < holders.size(); ++i) {
    Put(groups_[holders[i]], part.state, ShareOf(millis, holders.size(), i), known);
  }
}

void Ledger::FillGap(Known& known, std::size_t until) {
  if (known.next >= until) return;
  known.has_gaps = true;
  Group& group = IsByHolder() ? groups_[Key{}] : *known.group;
  Put(group, State::kUnknown, TimeOf(known.next, until), known);
  known.next = until;
}

void Ledger::Add(std::size_t i, const std::vector<Whole>& gpus) {
  for (const Whole& whole : gpus) {
    const GpuMetrics& row = *whole.gpu;
    std::array<std::string, 3> place{TextOf(row, Text::kUuid)};
    if (place[0].empty()) place = {"", TextOf(row, Text::kNode), TextOf(row, Text::kGpuId)};
    auto [at, is_new] = known_.try_emplace(place);
    if (!is_new && at->second.next > i) {  // one UUID on two nodes: another GPU
      place[1] = TextOf(row, Text::kNode);
      place[2] = TextOf(row, Text::kGpuId);
      std::tie(at, is_new) = known_.try_emplace(std::move(place));
    }
    Known& known = at->second;
    Group* const group = IsByHolder() ? nullptr : &groups_[KeyOf(row)];
    if (is_new) {
      known.number = known_.size();
      known.price =
          prices_.Of(row.text(Text::kGpuName)).value_or(std::numeric_limits<double>::quiet_NaN());
      known.group = group;
    }
    if (known.next > i) continue;  // nothing tells them apart
    FillGap(known, i);
    known.group = group;
    for (std::size_t part = 0; part < whole.parts.size(); ++part) {
      AddPart(whole.parts[part], ShareOf(TimeOf(i, i + 1), whole.parts.size(), part), known);
    }
    known.next = i + 1;
  }
}

std::vector<Account> Ledger::Finish() {
  for (auto& [place, known] : known_) {
    FillGap(known, instants());
    with_gaps_ += known.has_gaps ? 1 : 0;
  }
  std::vector<Account> accounts;
  for (auto& [key, group] : groups_) {
    group.account.key = key;
    group.account.gpus = group.gpus.size();
    for (const auto& [price, priced] : group.priced) {
      group.account.cost += CostOf(price, priced.all);
      group.account.idle_cost += CostOf(price, priced.idle);
    }
    group.account.cost = RoundedCost(group.account.cost);
    group.account.idle_cost = RoundedCost(group.account.idle_cost);
    accounts.push_back(std::move(group.account));
  }
  return accounts;
}

}  // namespace gpumon::fleet
