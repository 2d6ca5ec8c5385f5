// What a URL may show of itself, and dates as HTTP writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpumon::fetch {

// `url` as it may stand in a log: user and password are replaced by `***`. When an `@` stands where
// it should not (a password with a bare slash, say) all before it is hidden too.
std::string RedactUrl(std::string_view url);

// `http://` or `https://`, any case, followed by something.
bool IsHttpUrl(std::string_view url);

// Whether the host of `url` is localhost or a loopback address, as written: no name is looked up.
bool IsLoopbackUrl(std::string_view url);

// Appends `name=value` to a query string or form, after `&` where one is due, `value` escaped.
void AddParam(std::string& form, std::string_view name, std::string_view value);

// A date of RFC 9110 (any of its three forms) as Unix seconds.
std::optional<double> ParseDate(const std::string& text);

}  // namespace gpumon::fetch
