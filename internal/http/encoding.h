// Content and percent encodings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpumon::http {

// RFC 1952 at zlib level 1: fast, and small enough for tables of numbers.
std::string Gzip(std::string_view data);

// Accept-Encoding admits gzip (RFC 9110 12.5.3: q=0 refuses, `*` counts when gzip is not named;
// junk is ignored), and names no `identity` that it likes better.
bool AcceptsGzip(std::string_view accept_encoding);

// `%41+` -> "A " when `plus_is_space`. Nothing for a broken escape (`%`, `%zz`). Any byte may
// come out: NUL, invalid UTF-8.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// Everything but RFC 3986 unreserved characters as %XX.
std::string PercentEncode(std::string_view text);

// `a=1&b=2` split and decoded, in order, repeated names kept. Nothing when an escape is broken.
// An empty query has no parameters; `a` without `=` is {"a", ""}; an empty piece, as in `a&&b`,
// is none.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

}  // namespace gpumon::http
