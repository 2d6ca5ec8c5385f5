// Bytes on their way to a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/http/message.h"

namespace gpumon::http {

// Text and shared bodies in the order in which they were put, written to a non-blocking socket as
// far as it takes them. A body is let go when its last byte is with the kernel. One thread at a
// time.
class Outbox {
 public:
  enum class Result {
    kEmpty,    // all is with the kernel
    kBlocked,  // the socket is full, or has had its share: go on when it is writable
    kLost,     // the connection is broken
  };

  // To append to: stands behind all that was put before.
  std::string& text();
  void AddBody(const Body& body);  // null: nothing
  Result Flush(int fd);
  void Clear();

  bool empty() const { return pending() == 0; }
  std::size_t pending() const;
  std::uint64_t sent() const { return sent_; }  // bytes since the object was made
  // When the kernel last took bytes, or when there first were some to take.
  SteadyTime progress_at() const { return progress_at_; }
  void MarkProgress(SteadyTime now) { progress_at_ = now; }

 private:
  // Text and then at most one body.
  struct Piece {
    std::string text;
    Body body;

    std::size_t size() const { return text.size() + (body ? body->size() : 0); }
  };

  void Took(std::size_t bytes);

  std::vector<Piece> pieces_;
  std::size_t offset_ = 0;  // in the first piece
  std::uint64_t sent_ = 0;
  SteadyTime progress_at_{};
};

}  // namespace gpumon::http
