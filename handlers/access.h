// Who may ask: Host, bearer token, debug rules, cross-origin rules; and the headers they bring.
#pragma once

#include <string>
#include <string_view>

#include "handlers/services.h"
#include "internal/base/result.h"
#include "internal/http/message.h"

namespace gpumon::handlers {

// kForbidden when ALLOWED_HOSTS is set and the Host header names none of them.
Result<void> CheckHost(const Services& services, const http::Request& request);

// kUnauthorized when API_BEARER_TOKEN_FILE is set and the request does not show its token. The
// comparison takes the same time for every wrong token of one length.
Result<void> CheckToken(const Services& services, const http::Request& request);

// kNotFound when debug routes are off, kForbidden when they are for loopback clients only and
// this is none.
Result<void> CheckDebug(const Services& services, const http::Request& request);

// Adds the CORS headers of an answer to `request` (GET, HEAD and OPTIONS only).
void AddCors(const Settings& settings, const http::Request* request, http::Headers& headers);
// And those of a preflight.
void AddPreflight(const Settings& settings, const http::Request& request, http::Headers& headers);

// If-None-Match names `etag` (weak comparison, lists and `*` too).
bool NoneMatch(const http::Request& request, std::string_view etag);

}  // namespace gpumon::handlers
