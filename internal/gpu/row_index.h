// Finds rows by the hash of their key, without an allocation per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gpumon::gpu {

// Open addressing over row numbers. Who asks keeps the rows and compares the keys.
class RowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void Reserve(std::size_t rows) {
    std::size_t size = 16;
    while (size < 2 * rows) size *= 2;
    if (size > slots_.size()) Rehash(size);
  }

  // The row with this hash for which `same` is true, or kNone.
  template <class Same>
  std::uint32_t Find(std::size_t hash, const Same& same) const {
    if (slots_.empty()) return kNone;
    for (std::size_t at = Start(hash); slots_[at].row != kNone; at = Next(at)) {
      if (slots_[at].hash == hash && same(slots_[at].row)) return slots_[at].row;
    }
    return kNone;
  }

  // `row` is not in the index yet.
  void Insert(std::size_t hash, std::uint32_t row) {
    Reserve(++size_);
    Place({hash, row});
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    std::uint32_t row = kNone;
  };

  std::size_t Start(std::size_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t Next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void Place(const Slot& slot) {
    std::size_t at = Start(slot.hash);
    while (slots_[at].row != kNone) at = Next(at);
    slots_[at] = slot;
  }
  void Rehash(std::size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.row != kNone) Place(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace gpumon::gpu
