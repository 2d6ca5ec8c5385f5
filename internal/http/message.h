// HTTP messages as the rest of the product sees them: no Pistache, no Beast.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"

namespace gpumon::http {

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

// The first header of that name, ASCII case ignored; null when there is none.
const std::string* Find(const Headers& headers, std::string_view name);

// Adds the header `name` of the first whole line that has it, before the empty line that ends
// `head`, which may be anything. Does nothing when `headers` has one.
void AddFromHead(std::string_view head, std::string_view name, Headers& headers);

// A whole, framed request. `path` and `query` are the raw bytes of the target around its first
// `?` (percent-encoding untouched; an absolute-form target is already reduced to its path, and its
// authority has replaced the Host header).
struct Request {
  std::string method;  // as sent; HEAD stays HEAD
  std::string path;
  std::string query;      // without the `?`
  int version_minor = 1;  // HTTP/1.<minor>
  Headers headers;
  std::string body;
  std::string peer;  // "192.0.2.7" or "2001:db8::1"; no port
  bool peer_is_loopback = false;
  SteadyTime received_at;  // when its first byte came
};

using Body = std::shared_ptr<const std::string>;
inline Body MakeBody(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// An answer. The server adds Date, Content-Length (or chunked) and Connection, drops the body on
// HEAD (keeping its length), 204 and 304, and removes CR, LF and NUL from header values.
struct Response {
  int status = 200;
  Headers headers;
  Body body;  // shared, sent without copying; null = empty
};

// The reason phrase of RFC 9110, or "Unknown".
std::string_view ReasonPhrase(int status);

}  // namespace gpumon::http
