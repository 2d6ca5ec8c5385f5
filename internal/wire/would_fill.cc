#include "internal/wire/would_fill.h"

#include <algorithm>
#include <array>

namespace gpumon::wire {
namespace {

using models::NullReason;
using models::Text;

// More would be a catalogue, which docs/METRICS.md is.
constexpr std::size_t kSuggestions = 5;

// Exporters that measure instances by metrics of their own call these so.
bool IsOfInstances(const schema::Metric& metric) {
  return metric.name.find("_mig_") != std::string::npos;
}

// The conditions on that label allow a series that has it, or one that does not.
bool MayBe(const schema::Metric& metric, std::string_view label, bool there) {
  return std::all_of(metric.where.begin(), metric.where.end(), [&](const auto& condition) {
    if (condition.label != label) return true;
    using Is = schema::Condition::Is;
    if (condition.is != Is::kOneOf) return (condition.is == Is::kPresent) == there;
    return std::any_of(condition.values.begin(), condition.values.end(),
                       [&](const std::string& value) { return value.empty() != there; });
  });
}

bool MayBeOfInstances(const schema::Exporter& exporter, const schema::Metric& metric, bool there) {
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (text != Text::kMigGpuInstance) continue;
    return std::all_of(aliases.begin(), aliases.end(),
                       [&](const std::string& label) { return MayBe(metric, label, there); });
  }
  return !there;
}

}  // namespace

bool WouldFill::IsPublished(const schema::Exporter& exporter, std::string_view metric) const {
  const auto& all = table_.snapshot().coverage;
  return std::any_of(all.begin(), all.end(), [&](const auto& coverage) {
    return coverage.exporter == exporter.name && coverage.metric == metric &&
           coverage.rows + coverage.losers > 0;
  });
}

// It gave rows; that it was asked is not enough.
bool WouldFill::IsHere(const schema::Exporter& exporter) const {
  const auto& sources = table_.snapshot().sources;
  return std::find(sources.begin(), sources.end(), exporter.name) != sources.end();
}

// Blank and impossible values are published: nothing is to be added. Of an instance nobody knows
// whether an exporter cannot tell, or does not.
void WouldFill::Note(std::size_t row, NullReason reason, std::uint32_t have, Gaps& gaps) const {
  const bool of_instance = !of_processes() && (!table_.text(row, Text::kMigGpuInstance).empty() ||
                                               !table_.text(row, Text::kMigUuid).empty());
  const bool none = reason == NullReason::kNotExported;
  gaps.down |= reason == NullReason::kExporterDown;
  if (!none && !(of_instance && reason == NullReason::kNotSupported)) return;
  Rows& rows = of_instance ? gaps.of_instances : gaps.of_gpus;
  const std::uint32_t exporters = table_.exporters(row);
  rows.any = true;
  rows.exporters |= exporters;
  rows.lacking |= exporters & ~have;
  const std::string_view vendor = of_processes() ? "" : table_.text(row, Text::kVendor);
  rows.any_vendor |= vendor.empty();
  if (!vendor.empty()) rows.vendors.insert(vendor);
}

WouldFill::Gaps WouldFill::Find(std::size_t field) const {
  Gaps gaps;
  // Rows of a node stand together.
  for (std::size_t begin = 0, end = 0; begin < table_.size(); begin = end) {
    std::uint32_t have = 0;  // exporters of rows that have the field
    for (; end < table_.size() && table_.text(end, Text::kNode) == table_.text(begin, Text::kNode);
         ++end) {
      if (!table_.cell(end, field).is_null()) have |= table_.exporters(end);
    }
    for (std::size_t row = begin; row < end; ++row) {
      if (table_.cell(row, field).is_null()) Note(row, table_.reason(row, field), have, gaps);
    }
  }
  if (table_.size() == 0) gaps.of_gpus.any = gaps.of_gpus.any_vendor = true;
  return gaps;
}

void WouldFill::Write(std::size_t field) {
  writer_.BeginArray();
  const models::FieldSpec& spec = table_.fields()[field];
  const bool is_text = spec.from == models::From::kText;
  if (is_text || spec.from == models::From::kReading || spec.from == models::From::kInteger ||
      spec.from == models::From::kThrottle) {
    const Gaps gaps = Find(field);
    left_ = kSuggestions;
    for (const models::LostField& lost : table_.snapshot().lost) {
      if (gaps.down && lost.is_text == is_text && lost.slot == spec.slot) SuggestReturn(lost);
    }
    for (const Place place : {Place::kOnRows, Place::kElsewhere, Place::kNowhere}) {
      for (const auto& exporter : registry_.exporters()) {
        if (is_text) {
          SuggestText(*exporter, static_cast<Text>(spec.slot), place, gaps);
        } else {
          Suggest(*exporter, spec.slot, place, gaps);
        }
      }
    }
  }
  writer_.EndArray();
}

std::string_view WouldFill::LabelOf(const schema::Exporter& exporter, Text text) const {
  for (const auto* labels : {&exporter.process_labels, &exporter.labels}) {
    if (labels == &exporter.process_labels && !of_processes()) continue;
    for (const auto& [its, aliases] : labels->texts) {
      if (its == text && !aliases.empty()) return aliases.front();
    }
  }
  return {};
}

std::string_view WouldFill::CarrierOf(const schema::Exporter& exporter) const {
  const auto& info = of_processes() ? exporter.process_info : exporter.info;
  if (!info.empty()) return info.front();
  const auto& metrics = exporter.metrics(of_processes());
  return metrics.empty() ? std::string_view() : std::string_view(metrics.front().name);
}

// Where nobody remembers which metric showed it, the first that may have.
void WouldFill::SuggestReturn(const models::LostField& lost) {
  const schema::Exporter* const exporter = registry_.Find(lost.exporter);
  if (exporter == nullptr) return;
  std::string_view metric = lost.is_text ? CarrierOf(*exporter) : lost.metric;
  const auto& metrics = exporter->metrics(of_processes());
  const auto first = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const auto& its) { return its.slot == lost.slot; });
  if (metric.empty() && first != metrics.end()) metric = first->name;
  WriteSuggestion(*exporter, metric, "bring back its scrape target that is down");
}

void WouldFill::AddOfVendor(const Rows& rows, const schema::Exporter& exporter,
                            Rows& fitting) const {
  const std::uint32_t bit = table_.snapshot().exporter_bit(exporter.name);
  // Who shows such rows is of their vendor, whatever it calls itself.
  fitting.any |=
      rows.any && (rows.any_vendor || exporter.vendor.empty() ||
                   rows.vendors.contains(exporter.vendor) || (rows.exporters & bit) != 0);
  fitting.exporters |= rows.exporters;
  fitting.lacking |= rows.lacking;
}

void WouldFill::SuggestText(const schema::Exporter& exporter, Text text, Place place,
                            const Gaps& gaps) {
  const std::string_view label = LabelOf(exporter, text);
  const std::string_view carrier = CarrierOf(exporter);
  Rows rows;
  AddOfVendor(gaps.of_gpus, exporter, rows);
  AddOfVendor(gaps.of_instances, exporter, rows);
  if (label.empty() || carrier.empty() || !rows.any || PlaceOf(exporter, rows) != place) return;
  std::string how;
  if (place == Place::kOnRows) {
    how.append("this exporter is here but its series of these rows have no label ").append(label);
  } else {
    how = HowToRun(exporter, place);
  }
  WriteSuggestion(exporter, carrier, how);
}

WouldFill::Rows WouldFill::Fitting(const schema::Exporter& exporter, const schema::Metric& metric,
                                   const Gaps& gaps) const {
  const bool apart = std::any_of(exporter.gpu.begin(), exporter.gpu.end(), IsOfInstances);
  Rows fitting;
  for (const bool instances : {false, true}) {
    const bool fits =
        apart ? IsOfInstances(metric) == instances : MayBeOfInstances(exporter, metric, instances);
    const Rows& rows = instances ? gaps.of_instances : gaps.of_gpus;
    if (rows.any && fits) AddOfVendor(rows, exporter, fitting);
  }
  return fitting;
}

auto WouldFill::PlaceOf(const schema::Exporter& exporter, const Rows& rows) const -> Place {
  const std::uint32_t bit = table_.snapshot().exporter_bit(exporter.name);
  if ((rows.exporters & bit) != 0) return Place::kOnRows;
  return IsHere(exporter) ? Place::kElsewhere : Place::kNowhere;
}

std::string WouldFill::HowToRun(const schema::Exporter& exporter, Place place) {
  return "run " + exporter.title +
         (place == Place::kElsewhere ? " on the nodes of these rows too" : "");
}

std::string WouldFill::HowTo(const schema::Exporter& exporter, const schema::Metric& metric,
                             const Rows& rows) const {
  const Place place = PlaceOf(exporter, rows);
  if (place != Place::kOnRows) return HowToRun(exporter, place);
  if (!IsPublished(exporter, metric.name)) {
    return "this exporter is here but does not publish it for these rows; add it to its metrics";
  }
  if ((rows.lacking & table_.snapshot().exporter_bit(exporter.name)) == 0) return "";
  return "this exporter publishes it on other nodes; add it to its metrics on those of these rows, "
         "unless their devices cannot tell";
}

void WouldFill::Suggest(const schema::Exporter& exporter, std::size_t slot, Place place,
                        const Gaps& gaps) {
  std::string_view last;
  for (const schema::Metric& metric : exporter.metrics(of_processes())) {
    if (metric.slot != slot || metric.name == last) continue;
    const Rows rows = Fitting(exporter, metric, gaps);
    if (!rows.any || PlaceOf(exporter, rows) != place) continue;
    const std::string how = HowTo(exporter, metric, rows);
    if (how.empty()) continue;
    last = metric.name;
    WriteSuggestion(exporter, metric.name, how);
  }
}

void WouldFill::WriteSuggestion(const schema::Exporter& exporter, std::string_view metric,
                                std::string_view how) {
  if (left_ == 0) return;
  --left_;
  writer_.BeginObject();
  for (const auto& [key, text] : std::array<std::pair<std::string_view, std::string_view>, 3>{
           {{"exporter", exporter.name}, {"metric", metric}, {"how", how}}}) {
    writer_.Key(key);
    writer_.String(text);
  }
  writer_.EndObject();
}

}  // namespace gpumon::wire
