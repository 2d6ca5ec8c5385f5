// Addresses as people write them in options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/result.h"

namespace gpumon::config {

// What is wrong with a server's URL, as the rest of a sentence without the URL itself
// ("has a query"); nothing when it is http(s)://[user:password@]host[:port][/path].
std::optional<Status> CheckUrl(std::string_view url);

// The URL has a user name or password in it.
bool HasUserInfo(std::string_view url);

// The host of a URL that CheckUrl accepts is an address of this link alone, where clouds hand out
// their machines' credentials: 169.254.0.0/16 in every spelling that a resolver takes, as IPv4 or
// inside IPv6, fe80::/10, or one of the IPv6 addresses that clouds use instead. Names are not
// resolved.
bool IsLinkLocalUrl(std::string_view url);

// A URL that CheckUrl accepts is http:// and its host is not this machine, as written (localhost,
// 127.0.0.0/8 in four numbers, ::1): what is sent there can be read on the way.
bool IsPlainRemoteUrl(std::string_view url);

// "https://dash.example:8443" in lower case: scheme, host and port, nothing else. Errors continue
// a sentence, like CheckUrl's.
Result<std::string> ParseOrigin(std::string_view text);

// A host as it stands in a Host header, without a port, in lower case: a name, an IPv4 address or
// an IPv6 address (brackets dropped).
Result<std::string> ParseHost(std::string_view text);

struct ListenAddress {
  std::string host;                   // an IPv4 or IPv6 literal, no brackets
  std::optional<std::uint16_t> port;  // when one was written
};
// host, host:port or [v6]:port; a host is an IPv4 or IPv6 literal or "localhost" (127.0.0.1).
Result<ListenAddress> ParseListenAddress(std::string_view text);

// "" or "/x/y": unreserved characters, no empty, `.` or `..` segment, no slash at the end.
std::optional<Status> CheckBasePath(std::string_view path);

}  // namespace gpumon::config
