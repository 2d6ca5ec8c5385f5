// Bytes -> requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "internal/base/status.h"
#include "internal/http/message.h"
#include "internal/http/server.h"

namespace gpumon::http {

// Frames the requests of one connection as their bytes come, in pieces of any size: the outcome
// does not depend on how they were cut. No I/O, no clock. One thread at a time.
//
// Boost.Beast's parser decides what is a request, with stricter rules in front of it: exactly one
// Host on HTTP/1.1, one all-digit Content-Length, no transfer coding but a single `chunked` on
// HTTP/1.1, CRLF line ends only, no folded lines, no control characters or bytes >= 0x80 in the
// head. Empty lines before a request are skipped; a Connection value that is no list of tokens is
// ignored; trailers are read and dropped.
class RequestParser {
 public:
  enum class State {
    kMore,     // more bytes are needed
    kHead,     // the head is whole, see head(); call AllowBody() or not, then Parse() again
    kDone,     // the request is whole: Take() it
    kRefused,  // refusal() says why; this connection carries no further request
  };

  // `limits` is copied.
  explicit RequestParser(const Limits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Reads from the front of `input` and tells in `consumed` how many of its bytes are done with;
  // the next call's input begins after them. May overwrite bytes of `input`.
  State Parse(std::span<char> input, std::size_t& consumed);

  // From kHead on: the request without its body. After kRefused: what was understood of it, if
  // has_request_line(), and its X-Request-Id even without that, if the line with it had come.
  const Request& head() const;
  bool has_request_line() const;
  // Some byte of a request came that is not whole yet.
  bool in_request() const;
  // From kHead on.
  bool keep_alive() const;                              // the client wants the connection kept
  bool expects_continue() const;                        // a body will come after `100 Continue`
  std::optional<std::uint64_t> content_length() const;  // none: no body, or chunked
  // The largest body taken; more is kRefused with kPayloadTooLarge. Limits::body_bytes unless set.
  void AllowBody(std::size_t bytes);

  const Status& refusal() const;
  // The whole request; the parser then waits for the next one. `peer` and `received_at` are left
  // for the caller to fill.
  Request Take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpumon::http
