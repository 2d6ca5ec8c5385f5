// A raw HTTP/1.1 client: what it sends is exactly what it was told to send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/json/document.h"

namespace gpumon::e2e {

struct Answer {
  int status = 0;  // 0: there was none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;       // without chunked framing, content coding untouched
  bool complete = false;  // everything its framing promised has come
  double seconds = 0;     // from the request's sending to the answer's last byte

  // The first header of that name, ASCII case ignored, or "".
  std::string Header(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
  // The body as JSON; null when it is none.
  json::Value Json() const;
  // `status` and body, for messages.
  std::string Text() const;
};

// Takes one answer from the beginning of `buffer`: how many bytes it was, or 0 when more must
// come. `closed`: nothing more will come. Interim answers (1xx) are skipped.
std::size_t ParseAnswer(std::string_view buffer, bool is_head, bool closed, Answer& answer);

// One connection. Waits at most Scaled(`limit`).
class Connection {
 public:
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return fd_ >= 0; }
  bool Send(std::string_view bytes);
  // The next answer; status 0 when the connection ended or the limit passed first.
  Answer Read(bool is_head = false, Millis limit = Millis(20'000));
  // The server closes after having sent nothing (more).
  bool AwaitClose(Millis limit);
  void ShutDownSending();
  // Closes with a reset.
  void Reset();

 private:
  int fd_ = -1;
  std::string buffer_;
  bool closed_ = false;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// The bytes of a request; adds `Host: localhost` unless `headers` has a Host.
std::string RequestText(std::string_view method, std::string_view target,
                        const Headers& headers = {}, std::string_view body = {});

// One request on a connection of its own.
Answer Fetch(std::uint16_t port, std::string_view target, const Headers& headers = {},
             std::string_view method = "GET", std::string_view body = {});

// Non-blocking, connecting; -1 when that failed at once.
int StartConnecting(std::uint16_t port);

std::string Gunzip(std::string_view compressed);

}  // namespace gpumon::e2e
