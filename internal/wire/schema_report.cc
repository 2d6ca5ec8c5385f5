#include "internal/wire/schema_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/schema/unit.h"
#include "internal/wire/form.h"
#include "internal/wire/table.h"
#include "internal/wire/would_fill.h"

namespace gpumon::wire {
namespace {

using json::Writer;
using models::From;
using models::NullReason;
using models::Quantity;
using models::Text;

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
      return percent_seen
                 ? "as it is, a percentage, in the jobs that showed samples above 1; x "
                   "100, a ratio, in "
                   "others"
                 : "x 100: no sample above 1 was seen, or fractions came after it: a ratio";
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
        table_(snapshot, commands_hidden),
        would_fill_(writer, registry, table_),
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
    for (std::size_t row = 0; row < table_.size(); ++row) {
      const bool null = table_.cell(row, f).is_null();
      const NullReason reason = null ? table_.reason(row, f) : NullReason::kNone;
      ++reasons[static_cast<std::size_t>(reason)];
    }
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
    writer_.Key("would_fill");
    would_fill_.Write(f);
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

  Writer& writer_;
  const Table table_;
  WouldFill would_fill_;
  const bool processes_;
  std::vector<const schema::Exporter*> here_;
};

bool IsInstance(const models::GpuMetrics& row) {
  return !row.text(Text::kMigGpuInstance).empty() || !row.text(Text::kMigUuid).empty();
}

std::size_t InstancesOf(const models::Snapshot& snapshot) {
  return static_cast<std::size_t>(
      std::count_if(snapshot.gpus.begin(), snapshot.gpus.end(), IsInstance));
}

// Of GPUs that these exporters show, or anybody.
std::size_t GpusOf(const models::Snapshot& snapshot, Boards boards,
                   std::optional<std::uint32_t> exporters = std::nullopt) {
  std::vector<bool> seen(snapshot.gpus.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < snapshot.gpus.size(); ++i) {
    if (exporters && (snapshot.gpus[i].exporters & *exporters) == 0) continue;
    if (!seen[boards[i]]) ++count;
    seen[boards[i]] = true;
  }
  return count;
}

std::size_t ProcessesOf(const models::Snapshot& snapshot, std::uint32_t exporter) {
  return static_cast<std::size_t>(
      std::count_if(snapshot.processes.begin(), snapshot.processes.end(),
                    [&](const auto& row) { return (row.exporters & exporter) != 0; }));
}

void WriteExporters(Writer& writer, const schema::Registry& registry, const models::Snapshot& gpus,
                    Boards boards, const models::Snapshot& processes) {
  writer.BeginArray();
  for (const auto& exporter : registry.exporters()) {
    const auto asked = [&](const models::Snapshot& snapshot) {
      return std::any_of(snapshot.coverage.begin(), snapshot.coverage.end(),
                         [&](const auto& one) { return one.exporter == exporter->name; });
    };
    if (!asked(gpus) && !asked(processes)) continue;
    writer.BeginObject();
    WriteText(writer, "name", exporter->name);
    WriteText(writer, "title", exporter->title);
    WriteText(writer, "vendor", exporter->vendor);
    writer.Key("priority");
    writer.Integer(exporter->priority);
    WriteCount(writer, "gpus", GpusOf(gpus, boards, gpus.exporter_bit(exporter->name)));
    WriteCount(writer, "processes", ProcessesOf(processes, processes.exporter_bit(exporter->name)));
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

std::string EncodeSchema(const schema::Registry& registry, const models::Snapshot& gpus,
                         Boards boards, const models::Snapshot& processes, std::string_view message,
                         const Page& page, bool commands_hidden) {
  Writer writer;
  writer.BeginObject();
  WriteText(writer, "as_of", FormatTime(ToWallTime(gpus.as_of)));
  WriteCount(writer, "gpus", GpusOf(gpus, boards));
  WriteCount(writer, "mig_instances", InstancesOf(gpus));
  writer.Key("exporters");
  WriteExporters(writer, registry, gpus, boards, processes);
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
  envelope.warnings = WarningsOf(gpus.warnings, page);
  return EncodeEnvelope(envelope);
}

}  // namespace gpumon::wire
