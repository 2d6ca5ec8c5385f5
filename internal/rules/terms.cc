#include "internal/rules/terms.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "internal/base/log.h"
#include "internal/base/text.h"
#include "internal/fleet/xid.h"

namespace gpumon::rules {
namespace {

using models::Quantity;

constexpr double kMostBytes = 1152921504606846976;  // 1 EiB
constexpr double kMostCounted = 2147483631;         // from the next one on DCGM means "unknown"
constexpr int kMostXid = 1023;

// The bounds are those of the server's rows.
constexpr std::array kRaw = {
    RawRow{"utilization", {Quantity::kUtilization, 0, 100.5, true}},
    RawRow{"memory_used", {Quantity::kMemoryUsed, 0, kMostBytes, true}},
    RawRow{"memory_total", {Quantity::kMemoryTotal, 1, kMostBytes, true}},
    RawRow{"temperature", {Quantity::kTemperature, -100, 200}},
    RawRow{"power", {Quantity::kPower, 0, 20'000}},
    RawRow{"throttle_reasons", {Quantity::kThrottleReasons, 0, 4294967295.0}},
    RawRow{"xid_last", {Quantity::kXidLast, 1, 65535}},
    RawRow{"ecc_uncorrected_volatile", {Quantity::kEccUncorrectedVolatile, 0, kMostCounted}},
    RawRow{"ecc_uncorrected_aggregate", {Quantity::kEccUncorrectedAggregate, 0, kMostCounted}},
    RawRow{"row_remap_pending", {Quantity::kRowRemapPending, 0, kMostCounted}},
    RawRow{"row_remap_failure", {Quantity::kRowRemapFailure, 0, 1}},
};

// # is what stands behind the colon, ^ what stands behind its comma.
struct PhraseRow {
  std::string_view word;  // with its colon, where something stands behind it
  std::string_view text;
};
constexpr std::array kPhrases = {
    PhraseRow{"gpu",
              "GPU {{ or $labels.gpu $labels.uuid }}{{ with $labels.node }} of {{ . }}{{ end }}"},
    PhraseRow{"which",
              "@gpu@{{ with $labels.gpu_name }} ({{ . }}){{ end }}"
              "{{ with $labels.uuid }}, {{ . }}{{ end }}"},
    PhraseRow{"bit:", "floor(@gpu_throttle_reasons@ / #) % 2"},
    PhraseRow{"new_xid:", "@xid:#@\nunless\n@xid:#@ offset 15m"},
    PhraseRow{"whole:",
              "(max by (node, gpu, uuid) (@^,gpu_instance_id=\"\"@)\nor\n# by (node, gpu, uuid) "
              "(@^,gpu_instance_id!=\"\"@))"},
};

struct SeriesRow {
  std::string_view name;
  std::optional<std::string> (Source::*series)() const;
  std::string_view lacking;
};
constexpr std::array kSeries = {
    SeriesRow{"present", &Source::Present, "no series of GPUs"},
    SeriesRow{"holders", &Source::Holders, "no pods"},
    SeriesRow{"failed", &Source::Failed, "no success of its own collection"},
};

// Codes of that class as a regular expression; of `unknown` those that are not.
std::string Xids(std::string_view name) {
  const bool others = name == fleet::NameOf(fleet::XidClass::kUnknown);
  std::string codes;
  for (int code = 1; code <= kMostXid; ++code) {
    const bool wanted = (fleet::NameOf(fleet::XidOf(code).which) == name) != others;
    if (wanted) codes.append(codes.empty() ? "" : "|").append(std::to_string(code));
  }
  return codes;
}

std::string WithArguments(std::string_view text, std::string_view arguments) {
  const std::size_t comma = arguments.find(',');
  std::string filled;
  for (const char c : text) {
    if (c == '#') {
      filled += arguments.substr(0, comma);
    } else if (c == '^') {
      filled += arguments.substr(comma + 1);
    } else {
      filled += c;
    }
  }
  return filled;
}

// A template is part of the program: no program with such a one is released, a test reads them all.
[[noreturn]] void Refuse(std::string_view word) {
  log::Error("a template of a rule has an unknown word", {{"word", word}});
  log::Flush(log::kEndLimit);
  std::abort();
}

}  // namespace

std::span<const RawRow> RawRows() {
  return kRaw;
}

std::string Terms::Raw(std::string_view name, std::vector<std::string>& lacking) const {
  for (const RawRow& row : kRaw) {
    if (row.name != name) continue;
    if (auto series = source_.Measure(row.reading)) return *std::move(series);
    lacking.push_back("no " + std::string(name));
    return {};
  }
  for (const SeriesRow& row : kSeries) {
    if (row.name != name) continue;
    if (auto series = (source_.*row.series)()) return *std::move(series);
    lacking.emplace_back(row.lacking);
    return {};
  }
  Refuse(name);
}

std::string Terms::Meaning(std::string_view word, std::vector<std::string>& lacking) const {
  if (word == "key") return source_.Key();
  for (const PhraseRow& row : kPhrases) {
    if (row.word.ends_with(':') ? word.starts_with(row.word) : word == row.word) {
      return Phrase(WithArguments(row.text, word.substr(row.word.size())), lacking);
    }
  }
  const auto behind = [word](std::string_view kind) {
    return word.starts_with(kind) ? std::optional(word.substr(kind.size())) : std::nullopt;
  };
  if (const auto name = behind("raw:")) return Raw(*name, lacking);
  if (const auto which = behind("xid:")) {
    const bool unknown = *which == fleet::NameOf(fleet::XidClass::kUnknown);
    return Recorded("gpu_xid", (unknown ? ",xid!~\"" : ",xid=~\"") + Xids(*which) + '"', lacking);
  }
  if (const auto name = behind("rule:")) {
    for (const fleet::HealthRuleRow& row : fleet::HealthRuleRows()) {
      if (row.name == *name) return FormatNumber(health_.*row.number);
    }
    Refuse(word);
  }
  const std::string_view name = word.substr(0, word.find(','));
  return Recorded(name, std::string(word.substr(name.size())), lacking);
}

std::string Terms::Recorded(std::string_view name, const std::string& matchers,
                            std::vector<std::string>& lacking) const {
  const auto recorded = recorded_.find(name);
  if (recorded == recorded_.end()) Refuse(name);
  for (const std::string& what : recorded->second) {
    if (std::find(lacking.begin(), lacking.end(), what) == lacking.end()) lacking.push_back(what);
  }
  return std::string(kPrefix) + std::string(name) + "{exporter=\"" + exporter_.name + '"' +
         matchers + '}';
}

std::string Terms::Phrase(std::string_view text, std::vector<std::string>& lacking) const {
  std::string filled;
  while (true) {
    const std::size_t begin = text.find('@');
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    text.remove_prefix(begin + 1);
    const std::size_t end = text.find('@');
    if (end == std::string_view::npos) Refuse(text);
    filled += Meaning(text.substr(0, end), lacking);
    text.remove_prefix(end + 1);
  }
}

Terms::Filled Terms::Fill(std::string_view text) const {
  Filled filled;
  filled.text = Phrase(text, filled.lacking);
  return filled;
}

}  // namespace gpumon::rules
