// Which rows of the list of GPUs have changed since when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/wire/encode.h"
#include "internal/wire/table.h"

namespace gpumon::handlers {

// Of each row a name that it keeps from one snapshot to the next: "node/gpu", of a MIG instance
// "node/gpu/instance/compute"; of several that would have one, the later ones end in "#2", "#3".
std::vector<std::string> RowKeys(const wire::Table& table);

// The newest rows with one choice of fields, encoded once for every selection of them. Rows live
// in slots, which they keep. Sequence numbers are the caller's: each update has a higher one.
// One thread at a time.
class LiveRows {
 public:
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  // `fields` of the table; empty: every shown one.
  explicit LiveRows(std::vector<std::uint16_t> fields) : fields_(std::move(fields)) {}

  // A row counts as changed when anything of it but its times has, or when these differ by more
  // than kOldest seconds from what was last sent: so a client never has a time that is newer than
  // the truth, nor one much older.
  static constexpr double kOldest = 10;
  void Update(const wire::Table& table, const std::vector<std::string>& keys, std::uint64_t seq);
  std::uint64_t seq() const { return seq_; }  // of the newest update; 0: none

  std::size_t slots() const { return slots_.size(); }
  std::size_t SlotOf(std::size_t row) const { return slot_of_row_[row]; }
  // When the row in that slot changed.
  std::uint64_t ChangedAt(std::size_t slot) const { return slots_[slot].changed; }
  const std::string& KeyOf(std::size_t slot) const { return slots_[slot].key; }
  std::string_view TextOf(std::size_t row) const { return texts_.Of(row); }
  std::size_t text_bytes() const { return texts_.text.size(); }
  // The reasons that rows share, as JSON, and when they changed.
  const std::string& reasons() const { return reasons_; }
  std::uint64_t ReasonsChangedAt() const { return reasons_changed_; }

  // Drops the slots of rows that have gone when they are many. The new slot of each old one, or
  // kNowhere; empty: nothing was dropped.
  std::vector<std::size_t> Compact();
  // Frees the rows' texts: nobody asks for them before the next update.
  void DropTexts() { texts_ = {}; }

 private:
  struct Slot {
    std::string key;
    std::uint64_t fingerprint = 0;
    std::uint64_t changed = 0;
    double newest = 0;  // as last sent: Unix seconds
    double age = 0;     // seconds
    bool present = false;
  };

  std::size_t SlotFor(const std::string& key);

  const std::vector<std::uint16_t> fields_;
  std::uint64_t seq_ = 0;
  std::vector<Slot> slots_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::vector<std::size_t> slot_of_row_;
  wire::RowTexts texts_;
  std::string reasons_;
  std::uint64_t reasons_changed_ = 0;
};

// Which of these rows pass a filter, and since when. One thread at a time.
class LiveSelection {
 public:
  // `rows` of the table that `live` was last updated with; no later than `seq`.
  void Update(const LiveRows& live, std::vector<std::uint32_t> rows, std::uint64_t seq);
  const std::vector<std::uint32_t>& rows() const { return rows_; }

  struct Changes {
    std::vector<std::uint32_t> rows;   // that came or changed, in the table's order
    std::vector<std::size_t> removed;  // slots
    bool empty() const { return rows.empty() && removed.empty(); }
  };
  // What a client lacks that knows of everything up to `seq`.
  Changes Since(const LiveRows& live, std::uint64_t seq) const;
  // After LiveRows::Compact.
  void Move(const std::vector<std::size_t>& new_slots);

 private:
  struct Member {
    std::uint32_t slot = 0;
    bool in = false;
    std::uint64_t since = 0;  // that it is in, or out
  };

  const Member* MemberOf(std::size_t slot) const;

  std::vector<Member> members_;  // of all that ever were, by slot
  std::vector<std::uint32_t> rows_;
};

}  // namespace gpumon::handlers
