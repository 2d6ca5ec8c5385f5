// The query of a list: `p` for processes or any other byte for GPUs, then the raw bytes behind `?`.
#include <string>
#include <vector>

#include "handlers/list_query.h"
#include "handlers/parameters.h"
#include "internal/base/text.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

using handlers::Parameters;
using handlers::ParameterSpec;

void AppendEscaped(std::string& query, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    query += '%';
    query += kHex[byte >> 4U];
    query += kHex[byte & 15U];
  }
}

// Each value is one that its row allows, and every byte of it written as an escape says the same.
void RequireRoundTrip(const Parameters& parameters, std::span<const ParameterSpec> specs) {
  std::string query;
  for (const ParameterSpec& spec : specs) {
    if (!parameters.Has(spec.name)) continue;
    for (const std::string& value : parameters.All(spec.name)) {
      Require(IsValidUtf8(value), "a value is valid UTF-8");
      Require(!handlers::WhyNot(spec, value), "a value is one that is allowed");
      query.append(query.empty() ? "" : "&").append(spec.name).append("=");
      AppendEscaped(query, value);
    }
  }
  const auto again = Parameters::Parse(query, specs);
  Require(again.has_value(), "the same values are taken again");
  for (const ParameterSpec& spec : specs) {
    Require(again->Has(spec.name) == parameters.Has(spec.name), "the same names");
    if (parameters.Has(spec.name)) {
      Require(again->All(spec.name) == parameters.All(spec.name), "the same values");
    }
  }
}

}  // namespace

void QueryString(std::string_view input) {
  if (input.empty()) return;
  const models::Part part = input.front() == 'p' ? models::Part::kProcesses : models::Part::kGpus;
  const auto specs = handlers::ListParameters(part);
  const auto parameters = Parameters::Parse(input.substr(1), specs);
  if (!parameters) {
    RequireMessage(parameters.error().message);
    return;
  }
  RequireRoundTrip(*parameters, specs);
  const auto query = handlers::ParseListQuery(part, *parameters);
  if (!query) RequireMessage(query.error().message);
}

}  // namespace gpumon::fuzz
