// Bytes on their way to a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/http/message.h"

namespace gpumon::http {

// Text and then at most one shared body, written to a non-blocking socket as far as it takes
// them. One thread at a time.
class Outbox {
 public:
  enum class Result {
    kEmpty,    // all is with the kernel
    kBlocked,  // the socket is full, or has had its share: go on when it is writable
    kLost,     // the connection is broken
  };

  // To append to, before any body.
  std::string& text() { return text_; }
  void SetBody(Body body) { body_ = std::move(body); }
  Result Flush(int fd);
  void Clear();

  bool empty() const { return pending() == 0; }
  std::size_t pending() const;
  std::uint64_t sent() const { return sent_; }  // bytes since the object was made
  // When the kernel last took bytes, or when there first were some to take.
  SteadyTime progress_at() const { return progress_at_; }
  void MarkProgress(SteadyTime now) { progress_at_ = now; }

 private:
  std::string text_;
  Body body_;
  std::size_t offset_ = 0;  // over text_ and body_
  std::uint64_t sent_ = 0;
  SteadyTime progress_at_{};
};

}  // namespace gpumon::http
