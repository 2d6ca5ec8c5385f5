// How much memory the bodies of all requests under way may take together.
#pragma once

#include <cstddef>

namespace gpumon::fetch {

// Belongs to the I/O thread. The request that started first takes what it needs, up to its own
// cap, and counts nothing here: so one always gets on, ends, and makes room.
class BodyRoom {
 public:
  // Bytes for all other requests; each of them has `kOwn` beside that.
  explicit BodyRoom(std::size_t shared) : shared_(shared) {}

  static constexpr std::size_t kOwn = std::size_t{64} << 10U;

  bool Take(std::size_t bytes) {
    if (bytes > shared_ - taken_) return false;
    taken_ += bytes;
    return true;
  }
  void Give(std::size_t bytes) { taken_ -= bytes; }

 private:
  const std::size_t shared_;
  std::size_t taken_ = 0;
};

}  // namespace gpumon::fetch
