#include "internal/wire/schema_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/schema/unit.h"
#include "internal/wire/encode.h"
#include "internal/wire/form.h"
#include "internal/wire/table.h"

namespace gpumon::wire {
namespace {

using json::Writer;
using models::From;
using models::NullReason;
using models::Quantity;
using models::Text;

// More would be a catalogue, which docs/METRICS.md is.
constexpr std::size_t kSuggestions = 5;

bool IsMeasured(const models::FieldSpec& field) {
  return field.from == From::kReading || field.from == From::kInteger ||
         field.from == From::kThrottle;
}

void WriteText(Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  writer.String(text);
}

void WriteCount(Writer& writer, std::string_view key, std::size_t count) {
  writer.Key(key);
  writer.Unsigned(count);
}

// How a sample becomes the field's base unit.
std::string RuleText(const schema::Metric& metric, bool percent_seen) {
  switch (metric.rule) {
    case schema::Rule::kFlag:
      return "not 0 sets a bit";
    case schema::Rule::kRatioOrPercent:
      return percent_seen ? "as it is, a percentage, in the jobs that showed samples above 1; x "
                            "100, a ratio, in "
                            "others"
                          : "x 100: no sample above 1 was seen, so it is a ratio";
    case schema::Rule::kScale:
      break;
  }
  return metric.scale == 1 ? "as it is" : "x " + FormatNumber(metric.scale);
}

class FieldWriter {
 public:
  FieldWriter(Writer& writer, const schema::Registry& registry, const models::Snapshot& snapshot,
              bool commands_hidden)
      : writer_(writer),
        registry_(registry),
        table_(snapshot, commands_hidden),
        processes_(snapshot.part == models::Part::kProcesses) {
    for (const auto& exporter : registry.exporters()) {
      if (IsHere(exporter->name)) here_.push_back(exporter.get());
    }
  }

  void WriteAll() {
    for (std::size_t f = 0; f < table_.fields().size(); ++f) {
      if (table_.fields()[f].from != From::kReasons) Write(f);
    }
  }

 private:
  // It gave rows; that it was asked is not enough.
  bool IsHere(std::string_view exporter) const {
    const auto& all = table_.snapshot().coverage;
    return std::any_of(all.begin(), all.end(), [&](const auto& coverage) {
      return coverage.exporter == exporter && coverage.rows + coverage.losers > 0;
    });
  }

  bool IsPublished(const schema::Exporter& exporter, std::string_view metric) const {
    const auto& all = table_.snapshot().coverage;
    return std::any_of(all.begin(), all.end(), [&](const auto& coverage) {
      return coverage.exporter == exporter.name && coverage.metric == metric &&
             coverage.rows + coverage.losers > 0;
    });
  }

  const models::Coverage* CoverageOf(const schema::Exporter& exporter, const schema::Metric& metric,
                                     std::size_t place) const {
    // An exporter's metrics stand together, in the order of its schema.
    const auto& all = table_.snapshot().coverage;
    const auto first = std::find_if(all.begin(), all.end(), [&](const auto& coverage) {
      return coverage.exporter == exporter.name;
    });
    if (static_cast<std::size_t>(all.end() - first) <= place) return nullptr;
    const models::Coverage& found = *(first + static_cast<std::ptrdiff_t>(place));
    return found.metric == metric.name ? &found : nullptr;
  }

  void Write(std::size_t f) {
    const models::FieldSpec& field = table_.fields()[f];
    writer_.BeginObject();
    WriteText(writer_, "field", field.name);
    WriteText(writer_, "list", processes_ ? "processes" : "metrics");
    writer_.Key("unit");
    field.unit.empty() ? writer_.Null() : writer_.String(field.unit);
    WriteCount(writer_, "rows", table_.size());
    std::array<std::size_t, static_cast<std::size_t>(NullReason::kCount)> reasons{};
    Gaps gaps;
    for (std::size_t row = 0; row < table_.size(); ++row) {
      const bool null = table_.cell(row, f).is_null();
      const NullReason reason = null ? table_.reason(row, f) : NullReason::kNone;
      ++reasons[static_cast<std::size_t>(reason)];
      Note(row, reason, gaps);
    }
    gaps.of_gpus |= table_.size() == 0;
    const std::size_t known = reasons[static_cast<std::size_t>(NullReason::kNone)];
    WriteCount(writer_, "known", known);
    WriteSources(field, known);
    writer_.Key("reasons");
    writer_.BeginObject();
    for (std::size_t r = 1; r < reasons.size(); ++r) {
      if (reasons[r] > 0)
        WriteCount(writer_, models::NameOf(static_cast<NullReason>(r)), reasons[r]);
    }
    writer_.EndObject();
    WriteWouldFill(field, gaps);
    writer_.EndObject();
  }

  void WriteSources(const models::FieldSpec& field, std::size_t known) {
    writer_.Key("sources");
    writer_.BeginArray();
    std::size_t measured = 0;
    for (const schema::Exporter* exporter : here_) {
      if (IsMeasured(field)) {
        measured += WriteMetrics(*exporter, field.slot);
      } else if (field.from == From::kText) {
        WriteLabels(*exporter, static_cast<models::Text>(field.slot));
      }
    }
    if (IsMeasured(field) && known > measured) WriteDerivation(field, known - measured);
    writer_.EndArray();
  }

  // Returns how many rows show one of them.
  std::size_t WriteMetrics(const schema::Exporter& exporter, std::size_t slot) {
    std::size_t rows = 0;
    const auto& metrics = exporter.metrics(processes_);
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const models::Coverage* coverage = CoverageOf(exporter, metrics[i], i);
      if (metrics[i].slot != slot || coverage == nullptr) continue;
      if (coverage->rows + coverage->losers == 0) continue;
      rows += coverage->rows;
      writer_.BeginObject();
      WriteText(writer_, "exporter", exporter.name);
      WriteText(writer_, "metric", metrics[i].name);
      WriteText(writer_, "unit", metrics[i].unit);
      WriteText(writer_, "rule", RuleText(metrics[i], coverage->percent));
      WriteCount(writer_, "rows", coverage->rows);
      WriteCount(writer_, "loses", coverage->losers);
      if (!metrics[i].note.empty()) WriteText(writer_, "note", metrics[i].note);
      writer_.EndObject();
    }
    return rows;
  }

  void WriteLabels(const schema::Exporter& exporter, models::Text text) {
    const auto write = [&](const schema::Labels& labels) {
      const auto found = std::find_if(labels.texts.begin(), labels.texts.end(),
                                      [&](const auto& one) { return one.first == text; });
      if (found == labels.texts.end()) return false;
      writer_.BeginObject();
      WriteText(writer_, "exporter", exporter.name);
      writer_.Key("labels");
      writer_.BeginArray();
      for (const auto& label : found->second) writer_.String(label);
      writer_.EndArray();
      writer_.EndObject();
      return true;
    };
    if (!processes_ || !write(exporter.process_labels)) write(exporter.labels);
  }

  void WriteDerivation(const models::FieldSpec& field, std::size_t rows) {
    writer_.BeginObject();
    WriteText(writer_, "rule", processes_ ? "derived" : DerivationOf(field.slot));
    WriteCount(writer_, "rows", rows);
    writer_.EndObject();
  }

  std::string DerivationOf(std::size_t slot) const {
    if (slot == static_cast<std::size_t>(Quantity::kMemoryUsedPercent)) {
      return "derived: memory_used / memory_total";
    }
    for (const schema::Exporter* exporter : here_) {
      for (const schema::Derived& derived : exporter->derive) {
        if (static_cast<std::size_t>(derived.target) != slot) continue;
        std::string text = "derived: ";
        for (const Quantity q : derived.sum) text += (text.size() > 9 ? " + " : "") + NameOf(q);
        for (const Quantity q : derived.plus_if_there) text += " + " + NameOf(q) + " if there";
        return text;
      }
    }
    return "derived";
  }

  static std::string NameOf(Quantity quantity) {
    for (const schema::Measured& measured : schema::MeasuredOfGpus()) {
      if (measured.slot == static_cast<std::size_t>(quantity)) return std::string(measured.name);
    }
    return "?";
  }

  // Rows that something could fill.
  struct Gaps {
    bool down = false;  // of those that a target which is down showed
    bool of_gpus = false;
    bool of_instances = false;
  };

  // Blank and impossible values are published: nothing is to be added. Of an instance nobody knows
  // whether an exporter cannot tell, or does not.
  void Note(std::size_t row, NullReason reason, Gaps& gaps) const {
    const bool of_instance = !processes_ && (!table_.text(row, Text::kMigGpuInstance).empty() ||
                                             !table_.text(row, Text::kMigUuid).empty());
    const bool none = reason == NullReason::kNotExported;
    gaps.down |= reason == NullReason::kExporterDown;
    gaps.of_gpus |= none && !of_instance;
    gaps.of_instances |= of_instance && (none || reason == NullReason::kNotSupported);
  }

  void WriteWouldFill(const models::FieldSpec& field, const Gaps& gaps) {
    writer_.Key("would_fill");
    writer_.BeginArray();
    if (IsMeasured(field)) {
      std::size_t left = kSuggestions;
      for (const auto& exporter : registry_.exporters()) {
        if (gaps.down && IsDown(exporter->name)) SuggestReturn(*exporter, field.slot, left);
      }
      for (const bool here : {true, false}) {
        for (const auto& exporter : registry_.exporters()) {
          if (IsHere(exporter->name) == here) Suggest(*exporter, field.slot, here, gaps, left);
        }
      }
    }
    writer_.EndArray();
  }

  // A warning of the snapshot says that a target of it is.
  bool IsDown(const std::string& exporter) const {
    const auto& warnings = table_.snapshot().warnings;
    return std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
      return warning.starts_with(exporter + ": ") && warning.find(" down, ") != std::string::npos;
    });
  }

  void SuggestReturn(const schema::Exporter& exporter, std::size_t slot, std::size_t& left) {
    const auto& metrics = exporter.metrics(processes_);
    const auto first = std::find_if(metrics.begin(), metrics.end(),
                                    [&](const auto& metric) { return metric.slot == slot; });
    if (left == 0 || first == metrics.end()) return;
    --left;
    WriteSuggestion(exporter, *first, "bring back its scrape target that is down");
  }

  // Its labels may be those of a row with such a gap.
  static bool Fits(const schema::Exporter& exporter, const schema::Metric& metric,
                   const Gaps& gaps) {
    const auto may_be = [&](std::string_view label, bool there) {
      return std::all_of(metric.where.begin(), metric.where.end(), [&](const auto& condition) {
        if (condition.label != label) return true;
        using Is = schema::Condition::Is;
        if (condition.is != Is::kOneOf) return (condition.is == Is::kPresent) == there;
        return std::any_of(condition.values.begin(), condition.values.end(),
                           [&](const std::string& value) { return value.empty() != there; });
      });
    };
    const auto of_instances = [&](bool there) {
      for (const auto& [text, aliases] : exporter.labels.texts) {
        if (text != Text::kMigGpuInstance) continue;
        return std::all_of(aliases.begin(), aliases.end(),
                           [&](const std::string& label) { return may_be(label, there); });
      }
      return !there;
    };
    if (std::any_of(exporter.gpu.begin(), exporter.gpu.end(), IsOfInstances)) {
      return IsOfInstances(metric) ? gaps.of_instances : gaps.of_gpus;
    }
    return (gaps.of_gpus && of_instances(false)) || (gaps.of_instances && of_instances(true));
  }

  // Exporters that measure instances by metrics of their own call these so.
  static bool IsOfInstances(const schema::Metric& metric) {
    return metric.name.find("_mig_") != std::string::npos;
  }

  void Suggest(const schema::Exporter& exporter, std::size_t slot, bool here, const Gaps& gaps,
               std::size_t& left) {
    std::string_view last;
    for (const schema::Metric& metric : exporter.metrics(processes_)) {
      if (left == 0) return;
      if (metric.slot != slot || metric.name == last || IsPublished(exporter, metric.name))
        continue;
      if (!Fits(exporter, metric, gaps)) continue;
      last = metric.name;
      --left;
      WriteSuggestion(exporter, metric,
                      here ? "this exporter is here but does not publish it for these rows; add "
                             "it to its metrics"
                           : "run " + exporter.title);
    }
  }

  void WriteSuggestion(const schema::Exporter& exporter, const schema::Metric& metric,
                       const std::string& how) {
    writer_.BeginObject();
    WriteText(writer_, "exporter", exporter.name);
    WriteText(writer_, "metric", metric.name);
    WriteText(writer_, "how", how);
    writer_.EndObject();
  }

  Writer& writer_;
  const schema::Registry& registry_;
  const Table table_;
  const bool processes_;
  std::vector<const schema::Exporter*> here_;
};

template <class RowT>
std::size_t RowsOf(const std::vector<RowT>& rows, std::string_view exporter) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const RowT& row) {
    return row.text(models::Text::kSource) == exporter;
  }));
}

void WriteExporters(Writer& writer, const schema::Registry& registry,
                    const std::array<const models::Snapshot*, 2>& snapshots) {
  writer.BeginArray();
  for (const auto& exporter : registry.exporters()) {
    std::array<bool, 2> asked{};
    std::array<std::size_t, 2> rows{};
    for (std::size_t s = 0; s < snapshots.size(); ++s) {
      for (const models::Coverage& coverage : snapshots[s]->coverage) {
        if (coverage.exporter != exporter->name) continue;
        asked[s] = true;
        rows[s] = std::max(rows[s], coverage.rows + coverage.losers);
      }
    }
    if (!asked[0] && !asked[1]) continue;
    // Rows without a value are its rows too.
    rows[0] = std::max(rows[0], RowsOf(snapshots[0]->gpus, exporter->name));
    rows[1] = std::max(rows[1], RowsOf(snapshots[1]->processes, exporter->name));
    writer.BeginObject();
    WriteText(writer, "name", exporter->name);
    WriteText(writer, "title", exporter->title);
    WriteText(writer, "vendor", exporter->vendor);
    writer.Key("priority");
    writer.Integer(exporter->priority);
    WriteCount(writer, "gpus", rows[0]);
    WriteCount(writer, "processes", rows[1]);
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

std::string EncodeSchema(const schema::Registry& registry, const models::Snapshot& gpus,
                         const models::Snapshot& processes, std::string_view message,
                         bool commands_hidden) {
  Writer writer;
  writer.BeginObject();
  WriteText(writer, "as_of", FormatTime(ToWallTime(gpus.as_of)));
  writer.Key("exporters");
  WriteExporters(writer, registry, {&gpus, &processes});
  writer.Key("fields");
  writer.BeginArray();
  for (const models::Snapshot* snapshot : {&gpus, &processes}) {
    FieldWriter(writer, registry, *snapshot, commands_hidden).WriteAll();
  }
  writer.EndArray();
  writer.EndObject();
  models::Envelope envelope;
  envelope.data = writer.view();
  envelope.message = message;
  envelope.warnings = gpus.warnings;
  return EncodeEnvelope(envelope);
}

}  // namespace gpumon::wire
