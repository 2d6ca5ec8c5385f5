// PromQL text that stays what was meant, whatever the values are.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/result.h"

namespace gpumon::prom {

// [a-zA-Z_:][a-zA-Z0-9_:]* and [a-zA-Z_][a-zA-Z0-9_]*.
bool IsMetricName(std::string_view name);
bool IsLabelName(std::string_view name);

// `text` as a PromQL string in double quotes. Reads back as the same bytes.
std::string Quote(std::string_view text);

// A regular expression (RE2, as PromQL anchors it) that matches exactly `text`.
std::string EscapeRegex(std::string_view text);

// What ` or ` joins in `promql`, outside brackets and strings in double quotes; views into it.
std::vector<std::string_view> TermsOf(std::string_view promql);

// Builds `metric{a="x",b=~"y"}`. Values may come from anybody; names are ours: each must be a
// label name and among `allowed`. A value type; one thread at a time.
class Selector {
 public:
  // `allowed` must outlive the selector.
  Selector(std::string_view metric, std::span<const std::string_view> allowed);

  Selector& Equal(std::string_view label, std::string_view value);
  Selector& NotEqual(std::string_view label, std::string_view value);
  // The label is one of `values`; none of them: matches nothing.
  Selector& OneOf(std::string_view label, std::span<const std::string_view> values);
  // `regex` is RE2 and must match the whole value.
  Selector& Matches(std::string_view label, std::string_view regex);

  // kInvalidParameter, naming the metric or the first label that is not allowed.
  Result<std::string> Build() const;

 private:
  Selector& Add(std::string_view label, std::string_view op, std::string_view value);

  std::string metric_;
  std::span<const std::string_view> allowed_;
  std::string matchers_;
  std::string refused_;  // the first bad label; only read when bad_label_
  bool bad_label_ = false;
};

}  // namespace gpumon::prom
