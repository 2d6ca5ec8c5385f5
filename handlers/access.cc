#include "handlers/access.h"

#include <algorithm>
#include <cstddef>

#include "internal/base/text.h"

namespace gpumon::handlers {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// "Host: name:port" or "[v6]:port" without the port and the brackets.
std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool SameSecret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

// The Origin to answer with; "" when the request's is not welcome.
std::string AllowedOrigin(const Settings& settings, const http::Request& request) {
  const std::string* origin = http::Find(request.headers, "Origin");
  if (origin == nullptr || settings.cors_origins.empty()) return {};
  if (settings.cors_origins.front() == "*") return "*";
  const auto& allowed = settings.cors_origins;
  // Byte for byte: a browser writes an origin in one way.
  return std::find(allowed.begin(), allowed.end(), *origin) != allowed.end() ? *origin
                                                                             : std::string();
}

}  // namespace

Result<void> CheckHost(const Services& services, const http::Request& request) {
  const auto& allowed = services.settings.allowed_hosts;
  if (allowed.empty()) return {};
  const std::string* host = http::Find(request.headers, "Host");
  const std::string name = host == nullptr ? std::string() : Lower(WithoutPort(*host));
  if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return {};
  return Error(Code::kForbidden,
               "this server does not answer to the name in the Host header; see ALLOWED_HOSTS");
}

Result<void> CheckToken(const Services& services, const http::Request& request) {
  const std::string token = services.api_token();
  if (token.empty()) return {};
  constexpr std::string_view kScheme = "bearer ";
  std::vector<std::string_view> sent;
  for (const auto& header : request.headers) {
    if (EqualsIgnoreCase(header.name, "Authorization")) sent.push_back(header.value);
  }
  // Of two, a proxy may believe the other one.
  if (sent.size() > 1) {
    return Error(Code::kBadRequest, "the header Authorization stands twice in this request");
  }
  if (sent.size() == 1 && EqualsIgnoreCase(sent[0].substr(0, kScheme.size()), kScheme)) {
    const std::size_t begin = sent[0].find_first_not_of(' ', kScheme.size());
    if (begin != std::string_view::npos && SameSecret(sent[0].substr(begin), token)) return {};
  }
  return Error(Code::kUnauthorized,
               "this server wants an API token: send the header Authorization: Bearer TOKEN");
}

Result<void> CheckDebug(const Services& services, const http::Request& request) {
  switch (services.settings.debug) {
    case DebugAccess::kEverybody:
      return {};
    case DebugAccess::kLoopback:
      if (request.peer_is_loopback) return {};
      return Error(Code::kForbidden,
                   "debug routes answer clients on this machine only; DEBUG_ENDPOINTS=all opens "
                   "them to everybody");
    case DebugAccess::kOff:
      break;
  }
  return Error(Code::kNotFound, "there is no such path; GET " + services.settings.base_path +
                                    "/api lists the routes");
}

void AddCors(const Settings& settings, const http::Request* request, http::Headers& headers) {
  if (settings.cors_origins.empty()) return;
  const bool any = settings.cors_origins.front() == "*";
  if (!any) headers.push_back({"Vary", "Origin"});
  if (request == nullptr) return;
  const std::string origin = AllowedOrigin(settings, *request);
  if (origin.empty()) return;
  headers.push_back({"Access-Control-Allow-Origin", origin});
  headers.push_back({"Access-Control-Expose-Headers", "Age, ETag, Retry-After, X-Request-Id"});
}

void AddPreflight(const Settings& settings, const http::Request& request, http::Headers& headers) {
  if (AllowedOrigin(settings, request).empty()) return;
  headers.push_back({"Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"});
  headers.push_back({"Access-Control-Allow-Headers", "Authorization, If-None-Match, X-Request-Id"});
  headers.push_back({"Access-Control-Max-Age", "600"});
}

bool NoneMatch(const http::Request& request, std::string_view etag) {
  const std::string* header = http::Find(request.headers, "If-None-Match");
  if (header == nullptr) return false;
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  std::string_view rest = *header;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view tag = rest.substr(0, comma);
    while (tag.starts_with(' ') || tag.starts_with('\t')) tag.remove_prefix(1);
    while (tag.ends_with(' ') || tag.ends_with('\t')) tag.remove_suffix(1);
    if (tag == "*" || opaque(tag) == opaque(etag)) return true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace gpumon::handlers
