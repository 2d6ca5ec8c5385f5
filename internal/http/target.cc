#include "internal/http/target.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "internal/base/text.h"

namespace gpumon::http {
namespace {

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// unreserved and sub-delims; no `@`, so no user information.
bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

// A reg-name of RFC 3986, an IPv4 address among them.
bool IsName(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '%') {
      if (i + 2 >= name.size() || !IsHexDigit(name[i + 1]) || !IsHexDigit(name[i + 2])) {
        return false;
      }
      i += 2;
    } else if (!IsNameCharacter(name[i])) {
      return false;
    }
  }
  return true;
}

bool IsV6(std::string_view address) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET6, std::string(address).c_str(), bytes.data()) == 1;
}

bool IsPort(std::string_view text) {
  if (text.empty()) return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

}  // namespace

std::optional<Target> ParseTarget(std::string_view method, std::string_view target) {
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  if (target == "*") {
    if (method != "OPTIONS") return std::nullopt;
    return Target{"*", "", ""};
  }
  std::string_view authority;
  if (!target.empty() && target.front() != '/') {
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = target.substr(0, colon);
    if (!EqualsIgnoreCase(scheme, "http") && !EqualsIgnoreCase(scheme, "https")) {
      return std::nullopt;
    }
    target.remove_prefix(colon + 3);
    authority = target.substr(0, target.find_first_of("/?"));
    if (authority.empty() || !IsValidHost(authority)) return std::nullopt;
    target.remove_prefix(authority.size());
  }
  const std::size_t mark = target.find('?');
  Target out{std::string(target.substr(0, mark)), "", std::string(authority)};
  if (mark != std::string_view::npos) out.query = target.substr(mark + 1);
  if (out.path.empty()) out.path = "/";
  return out;
}

void SetHost(Headers& headers, const std::string& authority) {
  if (authority.empty()) return;
  for (Header& header : headers) {
    if (!EqualsIgnoreCase(header.name, "Host")) continue;
    header.value = authority;
    return;
  }
  headers.push_back({"Host", authority});
}

bool IsValidHost(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || !IsV6(host.substr(1, end - 1))) return false;
    host.remove_prefix(end + 1);
    return host.empty() || (host.front() == ':' && IsPort(host.substr(1)));
  }
  const std::size_t colon = host.find(':');
  if (!IsName(host.substr(0, colon))) return false;
  return colon == std::string_view::npos || IsPort(host.substr(colon + 1));
}

}  // namespace gpumon::http
