// Query strings, checked before any handler runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::handlers {

enum class ParameterKind : std::uint8_t {
  kFlag,      // present or "true"/"false"/"1"/"0"
  kText,      // UTF-8, 1..256 bytes, no control or bidirectional characters
  kList,      // comma-separated names, 1..4096 bytes
  kNodeName,  // [A-Za-z0-9._:*-]{1,253}
  kName,      // the same without `*`: of one thing
  kInteger,   // decimal digits, no leading zero, min..max
  kNumber,    // a finite decimal number
  kTime,      // RFC 3339 or Unix seconds
  kDuration,  // a whole number of ms, s, m, h, d or w, or of seconds; min..max in ms
  kWord,      // one of `words`
  kPattern,   // one of `words`, or with `*` as some of them are
};

// One row per parameter: checking, error texts and the OpenAPI document read it.
struct ParameterSpec {
  std::string_view name;
  ParameterKind kind;
  bool repeatable = false;
  std::string_view help = {};
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view words = {};  // kWord, kPattern: "a|b|c"
};

using RawParameters = std::vector<std::pair<std::string, std::string>>;

// The decoded parameters of one request, each known and of its kind.
class Parameters {
 public:
  // kInvalidParameter naming the parameter, what is wrong and what is allowed.
  static Result<Parameters> Parse(std::string_view query, std::span<const ParameterSpec> specs);

  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  // "" when absent.
  const std::string& Text(std::string_view name) const;
  const std::vector<std::string>& All(std::string_view name) const;
  std::optional<std::int64_t> Integer(std::string_view name) const;
  std::optional<double> Number(std::string_view name) const;
  std::optional<Millis> Duration(std::string_view name) const;
  bool Flag(std::string_view name) const;
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// Of `names` the one that somebody may have meant by `name`, or "". What is longer than any of ours
// is not compared: a client would choose how long that takes.
std::string_view MeantBy(std::string_view name, const std::vector<std::string_view>& names);

// In the largest unit that divides it: 5m, 36h, 7d.
std::string FormatDuration(Millis duration);

// nullopt when `value` is right, else what is allowed.
std::optional<std::string> WhyNot(const ParameterSpec& spec, std::string_view value);

}  // namespace gpumon::handlers
