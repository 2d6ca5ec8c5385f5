// The request target and the Host field (RFC 9112 3.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "internal/http/message.h"

namespace gpumon::http {

// The raw bytes around the first `?` of the target.
struct Target {
  std::string path;
  std::string query;
  std::string authority;  // host[:port] of an absolute URL, else ""
};

// `/path?query`, `*` for OPTIONS only, or an absolute http(s) URL, which is reduced to its path
// ("/" when it has none). Nothing for any other form, and for a fragment.
std::optional<Target> ParseTarget(std::string_view method, std::string_view target);

// Puts the `authority` of an absolute target in the place of the Host header, which it overrules
// (RFC 9112 3.2.2). "" changes nothing.
void SetHost(Headers& headers, const std::string& authority);

// `host`, `host:port`, `[v6]`, `[v6]:port`; empty is valid (RFC 9110 7.2).
bool IsValidHost(std::string_view host);

}  // namespace gpumon::http
