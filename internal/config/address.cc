#include "internal/config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::config {
namespace {

Status Wrong(std::string why) {
  return Status{Code::kInvalidParameter, std::move(why)};
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsIpv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool IsHostName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);  // a name that is already complete
  return !text.empty() && text.size() <= 253 && IsAlphanumeric(text.front()) &&
         IsAlphanumeric(text.back()) && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool padded = text.size() > 1 && text.front() == '0';
  const bool whole = end == text.data() + text.size() && !text.empty() && !padded;
  return whole && error == std::errc() ? std::optional(port) : std::nullopt;
}

struct Authority {
  std::string host;  // IPv6 in its brackets
  std::optional<std::uint16_t> port;
};

// host[:port] of a URL; the userinfo is already gone.
Result<Authority> ParseAuthority(std::string_view text) {
  Authority out;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !IsIpv6(std::string(text.substr(1, end - 1)))) {
      return Error(Wrong("has no valid IPv6 address between its brackets"));
    }
    out.host = text.substr(0, end + 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!IsHostName(out.host)) return Error(Wrong("has no valid host name"));
  }
  if (rest.empty()) return out;
  out.port = rest.front() == ':' ? ParsePort(rest.substr(1)) : std::nullopt;
  if (!out.port || *out.port == 0) return Error(Wrong("has no valid port (1 to 65535)"));
  return out;
}

bool IsLinkLocalIpv4(std::uint32_t address) {
  return address >> 16U == 0xA9FEU;  // 169.254
}

std::uint32_t FourBytes(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8U | bytes[i];
  return value;
}

bool IsLinkLocalIpv6(const std::string& text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return false;
  const std::uint8_t* const bytes = address.s6_addr;
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return true;
  // ::ffff:a.b.c.d, ::a.b.c.d and 64:ff9b::a.b.c.d; 2002:ab:cd::.
  const std::uint32_t first = FourBytes(bytes);
  const std::uint32_t second = FourBytes(bytes + 4);
  const std::uint32_t third = FourBytes(bytes + 8);
  const bool embeds = second == 0 && ((first == 0 && (third == 0 || third == 0xFFFFU)) ||
                                      (first == 0x0064FF9BU && third == 0));
  if (embeds && IsLinkLocalIpv4(FourBytes(bytes + 12))) return true;
  if (first >> 16U == 0x2002U && IsLinkLocalIpv4(FourBytes(bytes + 2))) return true;
  constexpr std::array<const char*, 2> kMetadata = {"fd00:ec2::254", "fd20:ce::254"};
  return std::any_of(kMetadata.begin(), kMetadata.end(), [&](const char* known) {
    in6_addr other{};
    inet_pton(AF_INET6, known, &other);
    return IN6_ARE_ADDR_EQUAL(&address, &other);
  });
}

// What follows "http://" or "https://", whatever its case.
std::optional<std::string_view> AfterScheme(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualsIgnoreCase(url.substr(0, scheme.size()), scheme)) return url.substr(scheme.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<Status> CheckUrl(std::string_view url) {
  constexpr std::size_t kMost = 2048;
  if (url.size() > kMost) return Wrong("is longer than 2048 bytes");
  const auto after = AfterScheme(url);
  if (!after) return Wrong("does not begin with http:// or https://");
  const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '`';
  });
  if (!printable) return Wrong("holds a character that must be percent-encoded in a URL");
  if (after->find('?') != std::string_view::npos) return Wrong("has a query");
  if (after->find('#') != std::string_view::npos) return Wrong("has a fragment");
  std::string_view authority = after->substr(0, after->find('/'));
  if (after->substr(authority.size()).find('@') != std::string_view::npos) {
    // "http://user:pa/ss@host" would be read as the host "user".
    return Wrong("has an @ after its host (a / in a password is written %2F)");
  }
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (authority.find('@') != at) return Wrong("has two @ (in a password it is written %40)");
    authority.remove_prefix(at + 1);
  }
  const auto parsed = ParseAuthority(authority);
  if (!parsed) return parsed.error();
  return std::nullopt;
}

bool IsLinkLocalUrl(std::string_view url) {
  std::string_view authority = AfterScheme(url).value_or(url);
  authority = authority.substr(0, authority.find('/'));
  authority.remove_prefix(authority.rfind('@') + 1);  // from the beginning when there is none
  const auto parsed = ParseAuthority(authority);
  if (!parsed) return false;
  std::string host = parsed->host;
  if (host.starts_with('[')) return IsLinkLocalIpv6(host.substr(1, host.size() - 2));
  if (host.ends_with('.')) host.pop_back();
  in_addr address{};
  return inet_aton(host.c_str(), &address) != 0 && IsLinkLocalIpv4(ntohl(address.s_addr));
}

bool IsPlainRemoteUrl(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  if (!EqualsIgnoreCase(url.substr(0, kPlain.size()), kPlain)) return false;
  std::string_view authority = AfterScheme(url).value_or(url);
  authority = authority.substr(0, authority.find('/'));
  authority.remove_prefix(authority.rfind('@') + 1);
  const auto parsed = ParseAuthority(authority);
  if (!parsed) return true;
  const std::string& host = parsed->host;
  in_addr four{};
  in6_addr six{};
  if (host.starts_with('[')) {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six) != 1 ||
           !IN6_IS_ADDR_LOOPBACK(&six);
  }
  if (EqualsIgnoreCase(host, "localhost")) return false;
  return inet_pton(AF_INET, host.c_str(), &four) != 1 || ntohl(four.s_addr) >> 24U != 127;
}

bool HasUserInfo(std::string_view url) {
  return url.find('@') != std::string_view::npos;
}

Result<std::string> ParseOrigin(std::string_view text) {
  const auto after = AfterScheme(text);
  if (!after) return Error(Wrong("has an entry that does not begin with http:// or https://"));
  const auto authority = ParseAuthority(*after);
  if (!authority) return Error(Wrong("has an entry that is not scheme://host[:port] and no more"));
  return LowerCase(text);
}

Result<std::string> ParseHost(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    if (!IsIpv6(std::string(text))) return Error(Wrong("has an entry that is not an address"));
    return LowerCase(text);
  }
  if (IsIpv6(std::string(text)) || IsHostName(text)) return LowerCase(text);
  return Error(Wrong("has an entry that is not a host name or address without a port"));
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress out;
  std::string_view host = text;
  std::optional<std::string_view> port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return Error(Wrong("has a [ without a ]"));
    host = text.substr(1, end - 1);
    if (!IsIpv6(std::string(host))) return Error(Wrong("has no IPv6 address in its brackets"));
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return Error(Wrong("has no :port after its ]"));
      port = text.substr(end + 2);
    }
  } else if (colon != std::string_view::npos && !IsIpv6(std::string(text))) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  if (!IsIpv4(out.host) && !IsIpv6(out.host)) return Error(Wrong("has no IP address"));
  if (port) {
    out.port = ParsePort(*port);
    if (!out.port) return Error(Wrong("has no valid port (0 to 65535)"));
  }
  return out;
}

std::optional<Status> CheckBasePath(std::string_view path) {
  constexpr std::size_t kMost = 256;
  if (path.empty()) return std::nullopt;
  if (path.size() > kMost) return Wrong("is longer than 256 bytes");
  if (path.front() != '/') return Wrong("does not begin with a slash");
  if (path.back() == '/') return Wrong("ends with a slash");
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    const bool plain = std::all_of(segment.begin(), segment.end(), [](char c) {
      return IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
    });
    if (segment.empty() || segment == "." || segment == "..") {
      return Wrong("has an empty, . or .. segment");
    }
    if (!plain) return Wrong("holds a character that is not a letter, digit, - . _ or ~");
    path.remove_prefix(segment.size());
  }
  return std::nullopt;
}

}  // namespace gpumon::config
