#include "internal/wire/join_report.h"

#include <cmath>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/wire/encode.h"
#include "internal/wire/form.h"
#include "internal/wire/table.h"

namespace gpumon::wire {
namespace {

using json::Writer;
using models::ExplainedSample;

void WriteText(Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  writer.String(text);
}

// JSON has no NaN; Prometheus's own spelling is no number.
void WriteRaw(Writer& writer, double raw) {
  if (std::isfinite(raw)) return writer.Number(raw);
  writer.String(std::isnan(raw) ? "NaN" : raw > 0 ? "+Inf" : "-Inf");
}

void WriteSample(Writer& writer, const ExplainedSample& sample, double as_of) {
  writer.BeginObject();
  WriteText(writer, "exporter", sample.exporter);
  WriteText(writer, "metric", sample.metric);
  writer.Key("labels");
  writer.BeginObject();
  for (const auto& [name, value] : sample.labels) WriteText(writer, name, value);
  writer.EndObject();
  writer.Key("raw");
  WriteRaw(writer, sample.raw);
  WriteText(writer, "field", sample.field);
  writer.Key("value");
  sample.value ? writer.Number(*sample.value) : writer.Null();
  const bool timed = std::isfinite(sample.at);
  writer.Key("timestamp");
  timed ? writer.String(FormatTime(ToWallTime(sample.at))) : writer.Null();
  writer.Key("age_seconds");
  // Both are known to the millisecond.
  timed ? writer.Number(std::round((as_of - sample.at) * 1000) / 1000) : writer.Null();
  WriteText(writer, "outcome", models::NameOf(sample.outcome));
  WriteText(writer, "rule", sample.rule);
  writer.EndObject();
}

void WriteRows(Writer& writer, const models::Explanation& explanation) {
  const Table table(*explanation.snapshot);
  const Page page = WholePage(table);
  writer.BeginArray();
  for (std::size_t i = 0; i < explanation.rows.size(); ++i) {
    writer.BeginObject();
    writer.Key("row");
    writer.Raw(EncodeRow(table, page, explanation.rows[i]));
    writer.Key("samples");
    writer.BeginArray();
    for (const ExplainedSample& sample : explanation.samples) {
      if (sample.row == i) WriteSample(writer, sample, explanation.snapshot->as_of);
    }
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
}

// Why fields are null that no row has: the rows do not repeat it.
void WriteSharedReasons(Writer& writer, const models::Snapshot& snapshot) {
  const Table table(snapshot);
  writer.BeginObject();
  for (std::size_t f = 0; f < table.fields().size(); ++f) {
    if (table.shared_reason(f) == models::NullReason::kNone) continue;
    WriteText(writer, table.fields()[f].name, models::NameOf(table.shared_reason(f)));
  }
  writer.EndObject();
}

}  // namespace

std::string EncodeJoin(const models::Explanation& explanation, std::string_view message) {
  Writer writer;
  writer.BeginObject();
  WriteText(writer, "as_of", FormatTime(ToWallTime(explanation.snapshot->as_of)));
  writer.Key("rows");
  WriteRows(writer, explanation);
  writer.Key("null_reasons");
  WriteSharedReasons(writer, *explanation.snapshot);
  writer.Key("findings");
  writer.BeginArray();
  for (const models::Finding& finding : explanation.findings) {
    writer.BeginObject();
    WriteText(writer, "severity", finding.warning ? "warning" : "info");
    WriteText(writer, "finding", finding.what);
    WriteText(writer, "next_step", finding.next_step);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  models::Envelope envelope;
  envelope.data = writer.view();
  envelope.message = message;
  envelope.warnings = explanation.snapshot->warnings;
  return EncodeEnvelope(envelope);
}

}  // namespace gpumon::wire
