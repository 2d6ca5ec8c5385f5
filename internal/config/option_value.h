// Option values as text: reading them, and saying what is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/config/options.h"

namespace gpumon::config {

// Errors of these functions are kInvalidParameter; their message continues a sentence that
// begins with the value: "is not a duration". Numbers are decimal digits: no sign, no blank, no
// leading zero.
Result<std::int64_t> ParseInteger(std::string_view text);
Result<std::int64_t> ParseDuration(std::string_view text);  // milliseconds
Result<std::int64_t> ParseBytes(std::string_view text);
Result<bool> ParseBool(std::string_view text);
// Comma-separated, spaces around an entry dropped; an empty entry is an error, "" is no entry.
Result<std::vector<std::string>> ParseList(std::string_view text);

std::string FormatDuration(std::int64_t milliseconds);  // in the largest unit that divides it
std::string FormatBytes(std::int64_t bytes);

// What a row accepts, in words: "1 to 65535", "0s to 1h", "false, true, all".
std::string AllowedText(const OptionRow& row);
// "PORT" -> "port".
std::string YamlKey(const OptionRow& row);
// `text` as a message may show it: quoted, shortened, and not at all when the row is secret or
// the text could hold credentials.
std::string ShownValue(const OptionRow& row, std::string_view text);

}  // namespace gpumon::config
