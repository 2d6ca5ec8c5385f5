// Batches that wait to be sent, on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::push {

struct Batch {
  std::string key;                 // the same for good, as its lines and their order are
  std::vector<std::string> lines;  // store::EncodeLine's
};

// One file for each batch, there whole or not at all: its name has its place in the order, its key
// and the number of its lines. It goes away once it is acknowledged, so what was not is sent again
// as it was, whatever happened in between. Where a batch cannot be written it stays in memory.
// Thread-safe; one thread takes batches. Folders below `folder`: `spool`, `spool/dead`.
class Spool {
 public:
  struct Limits {
    std::size_t max_bytes = std::size_t{256} << 20U;        // of what waits on disk
    std::size_t max_memory_bytes = std::size_t{64} << 20U;  // of what could not be written
    std::size_t max_dead = 256;                             // batches that were put aside
  };
  struct Counts {
    std::size_t batches = 0;    // that wait
    std::size_t snapshots = 0;  // in them
    std::size_t in_memory = 0;  // of these, that are not on disk
    std::uint64_t dropped = 0;  // snapshots that gave way since the start
    std::uint64_t aside = 0;    // snapshots of batches that were put aside since the start
  };

  Spool(const std::string& folder, const Limits& limits);

  // Finds what an earlier run left. A split that a crash cut short is undone.
  void Load();

  // A batch, from now on; the error says why it is in memory alone. The oldest that are not being
  // sent give way where there is too much.
  Result<void> Add(std::vector<std::string> lines);

  // The oldest: taken until one of the next three is called for it. Nothing: none waits. One whose
  // file cannot be read, or is not whole, is put aside, which is logged.
  std::optional<Batch> Take();
  // It was acknowledged.
  void Done(const Batch& batch);
  // It goes back to where it was.
  void Return(const Batch& batch);
  // Nobody will ever take it: into the folder `dead`.
  void PutAside(const Batch& batch);
  // It is too large: two halves take its place, with keys that follow from its own. False, and it
  // is returned, when they cannot be written or it has one line alone.
  bool Split(const Batch& batch);

  Counts counts() const;
  // Tries to write what is in memory alone; then the counts.
  Counts Save();

 private:
  struct Entry {
    std::uint64_t number = 0;
    std::string key;
    std::size_t count = 0;  // lines
    std::size_t bytes = 0;
    bool on_disk = false;
    bool taken = false;
    std::vector<std::string> lines;  // when it is in memory alone
    std::string Name() const;
  };
  using Entries = std::deque<Entry>;  // by number, then key

  static std::optional<Entry> ParseName(const std::string& name);
  Result<void> Write(const Entry& entry, const std::vector<std::string>& lines) const;
  std::optional<std::vector<std::string>> Read(const Entry& entry) const;
  Entries::iterator Find(const std::string& key) REQUIRES(mutex_);
  // What comes after it.
  Entries::iterator Remove(Entries::iterator entry) REQUIRES(mutex_);
  Entries::iterator MoveAside(Entries::iterator entry) REQUIRES(mutex_);
  void WriteWhatWaits() REQUIRES(mutex_);
  void MakeRoom() REQUIRES(mutex_);
  std::string PathOf(const Entry& entry) const { return folder_ + '/' + entry.Name(); }

  const std::string folder_;
  const Limits limits_;
  mutable Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);
  std::uint64_t next_number_ GUARDED_BY(mutex_) = 1;
  std::uint64_t dropped_ GUARDED_BY(mutex_) = 0;
  std::uint64_t aside_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gpumon::push
