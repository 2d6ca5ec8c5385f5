// A client that sends exactly the bytes it is told, and reads what comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/http/message.h"

namespace gpumon::http {

struct RawAnswer {
  int status = 0;
  Headers headers;
  std::string body;  // chunks joined
  bool complete = false;

  std::string Value(std::string_view name) const {
    const std::string* value = Find(headers, name);
    return value == nullptr ? "" : *value;
  }
};

// One TCP connection to 127.0.0.1. One thread at a time.
class RawClient {
 public:
  // `receive_buffer` bytes in the kernel, 0: its default.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // All of it; false when the connection broke first.
  bool Send(std::string_view bytes) const;
  void EndSending() const;  // half-close
  void Reset();             // closes with RST
  void Close();

  // The next answer, its body as long as its head says; `head_only` for an answer to HEAD.
  // Nothing when the connection ended or `limit` passed before its head.
  std::optional<RawAnswer> Read(bool head_only = false, Millis limit = Millis(20000));
  // Send and Read.
  std::optional<RawAnswer> Ask(std::string_view bytes, bool head_only = false);
  // Everything until the server closes, or `limit`.
  std::string ReadAll(Millis limit = Millis(20000));
  // The server closed and nothing was left to read.
  bool IsClosed(Millis limit = Millis(20000));
  bool end_of_stream() const { return ended_; }

 private:
  // More bytes into `in_`; false at the end or when `until` passed.
  bool Fill(SteadyTime until);
  bool ReadChunks(RawAnswer& answer, SteadyTime until);

  int fd_ = -1;
  bool ended_ = false;
  std::string in_;
};

}  // namespace gpumon::http
