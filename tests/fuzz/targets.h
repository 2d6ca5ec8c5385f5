// What is fuzzed: bytes from outside, and what must hold whatever they are.
#pragma once

#include <array>
#include <string_view>

namespace gpumon::fuzz {

// Each takes any bytes and ends the process, saying why, when something does not hold.
void PrometheusJson(std::string_view input);
void SampleValue(std::string_view input);
void QueryString(std::string_view input);
void PromqlFilter(std::string_view input);
void HttpConnection(std::string_view input);
void Configuration(std::string_view input);
void SchemaFile(std::string_view input);

struct Target {
  std::string_view name;  // its folder in corpus/, and fuzz_<name> is its program
  void (*run)(std::string_view input);
};

inline constexpr std::array kTargets = {
    Target{"prometheus_json", PrometheusJson}, Target{"sample_value", SampleValue},
    Target{"query_string", QueryString},       Target{"promql_filter", PromqlFilter},
    Target{"http_connection", HttpConnection}, Target{"configuration", Configuration},
    Target{"schema_file", SchemaFile},
};

// Ends the process unless `holds`; `what` says what was promised.
void Require(bool holds, std::string_view what);
// A message that people may be shown: one line of valid UTF-8 without hidden characters.
void RequireMessage(std::string_view message);

}  // namespace gpumon::fuzz
