#include "handlers/live_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gpumon::handlers {
namespace {

using models::Text;

// Of rows that have gone, a few may stay.
constexpr std::size_t kSpareSlots = 1000;

bool Differs(double now, double sent) {
  if (std::isnan(now) || std::isnan(sent)) return std::isnan(now) != std::isnan(sent);
  return std::abs(now - sent) > LiveRows::kOldest;
}

bool ShowsTimes(const wire::Table& table, const wire::Page& page) {
  return std::any_of(page.fields.begin(), page.fields.end(), [&](std::uint16_t field) {
    const models::From from = table.fields()[field].from;
    return from == models::From::kTimestamp || from == models::From::kAge;
  });
}

}  // namespace

std::vector<std::string> RowKeys(const wire::Table& table) {
  std::vector<std::string> keys;
  keys.reserve(table.size());
  std::unordered_map<std::string, int> seen;
  seen.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::string key(table.text(row, Text::kNode));
    key.append(1, '/').append(table.text(row, Text::kGpuId));
    const auto instance = table.text(row, Text::kMigGpuInstance);
    const auto compute = table.text(row, Text::kMigComputeInstance);
    const auto uuid = table.text(row, Text::kMigUuid);
    if (!instance.empty()) {
      key.append(1, '/').append(instance).append(1, '/').append(compute);
    } else if (!uuid.empty()) {
      key.append(1, '/').append(uuid);
    }
    if (const int count = ++seen[key]; count > 1) key += '#' + std::to_string(count);
    keys.push_back(std::move(key));
  }
  return keys;
}

std::size_t LiveRows::SlotFor(const std::string& key) {
  const auto [place, is_new] = by_key_.emplace(key, slots_.size());
  if (is_new) slots_.push_back(Slot{.key = key});
  return place->second;
}

void LiveRows::Update(const wire::Table& table, const std::vector<std::string>& keys,
                      std::uint64_t seq) {
  wire::Page page = wire::WholePage(table);
  page.chosen_fields = !fields_.empty();
  if (page.chosen_fields) page.fields = fields_;
  texts_ = wire::EncodeRows(table, page, keys);
  for (Slot& slot : slots_) slot.present = false;
  slot_of_row_.clear();
  const bool times = ShowsTimes(table, page);
  const auto& gpus = table.snapshot().gpus;
  for (std::size_t row = 0; row < gpus.size(); ++row) {
    const std::size_t place = SlotFor(keys[row]);
    slot_of_row_.push_back(place);
    Slot& slot = slots_[place];
    slot.present = true;
    const double age = table.snapshot().as_of - gpus[row].oldest;
    const bool moved = times && (Differs(gpus[row].newest, slot.newest) || Differs(age, slot.age));
    const std::uint64_t fingerprint = texts_.rows[row].fingerprint;
    if (slot.changed != 0 && fingerprint == slot.fingerprint && !moved) continue;
    slot.fingerprint = fingerprint;
    slot.changed = seq;
    slot.newest = gpus[row].newest;
    slot.age = age;
  }
  std::string reasons = wire::EncodeSharedReasons(table, page);
  if (reasons != reasons_) {
    reasons_ = std::move(reasons);
    reasons_changed_ = seq;
  }
  seq_ = seq;
}

std::vector<std::size_t> LiveRows::Compact() {
  if (slots_.size() <= 2 * slot_of_row_.size() + kSpareSlots) return {};
  std::vector<std::size_t> moved(slots_.size(), kNowhere);
  std::vector<Slot> kept;
  by_key_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].present) continue;
    moved[i] = kept.size();
    by_key_.emplace(slots_[i].key, kept.size());
    kept.push_back(std::move(slots_[i]));
  }
  slots_ = std::move(kept);
  for (std::size_t& slot : slot_of_row_) slot = moved[slot];
  return moved;
}

void LiveSelection::Update(const LiveRows& live, std::vector<std::uint32_t> rows,
                           std::uint64_t seq) {
  rows_ = std::move(rows);
  std::vector<std::uint32_t> now;
  now.reserve(rows_.size());
  for (const std::uint32_t row : rows_) now.push_back(static_cast<std::uint32_t>(live.SlotOf(row)));
  std::sort(now.begin(), now.end());
  std::vector<Member> members;
  members.reserve(std::max(members_.size(), now.size()));
  auto next = now.begin();
  const auto come_before = [&](std::uint32_t slot) {
    while (next != now.end() && *next < slot) members.push_back({*next++, true, seq});
  };
  for (Member member : members_) {
    come_before(member.slot);
    const bool in = next != now.end() && *next == member.slot;
    if (in) ++next;
    if (in != member.in) member = {member.slot, in, seq};
    members.push_back(member);
  }
  come_before(std::numeric_limits<std::uint32_t>::max());
  members_ = std::move(members);
}

const LiveSelection::Member* LiveSelection::MemberOf(std::size_t slot) const {
  const auto found =
      std::lower_bound(members_.begin(), members_.end(), slot,
                       [](const Member& member, std::size_t s) { return member.slot < s; });
  return found != members_.end() && found->slot == slot ? &*found : nullptr;
}

LiveSelection::Changes LiveSelection::Since(const LiveRows& live, std::uint64_t seq) const {
  Changes changes;
  for (const std::uint32_t row : rows_) {
    const std::size_t slot = live.SlotOf(row);
    const Member* const member = MemberOf(slot);
    const bool came = member == nullptr || member->since > seq;
    if (came || live.ChangedAt(slot) > seq) changes.rows.push_back(row);
  }
  for (const Member& member : members_) {
    if (!member.in && member.since > seq) changes.removed.push_back(member.slot);
  }
  return changes;
}

// Slots keep their order.
void LiveSelection::Move(const std::vector<std::size_t>& new_slots) {
  std::erase_if(members_, [&](Member& member) {
    const std::size_t to = new_slots[member.slot];
    member.slot = static_cast<std::uint32_t>(to);
    return to == LiveRows::kNowhere;
  });
}

}  // namespace gpumon::handlers
