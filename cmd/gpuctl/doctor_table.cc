#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "cmd/gpuctl/doctor.h"
#include "cmd/gpuctl/page.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using json::Value;

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

std::size_t CountOf(const Value& value) {
  return static_cast<std::size_t>(value.AsInteger().value_or(0));
}

std::string Count(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + ' ' + std::string(n == 1 ? one : many);
}

void PrintExporters(const Value& exporters, Page& page) {
  page.Blank();
  page.Wrap("", "EXPORTERS");
  if (exporters.size() == 0) page.Wrap("  ", "none");
  for (const Value& exporter : exporters.elements()) {
    page.Wrap("  " + Padded(TextOf(exporter["name"]), 14) + ' ' +
                  Padded(Count(CountOf(exporter["gpus"]), "GPU", "GPUs"), 12) + ' ' +
                  Padded(Count(CountOf(exporter["processes"]), "process", "processes"), 16) + ' ',
              TextOf(exporter["title"]));
  }
}

// "dcgm DCGM_FI_DEV_POWER_USAGE (8 rows), derived: ...".
std::string SourceText(const Value& source) {
  const std::string exporter = TextOf(source["exporter"]);
  if (exporter.empty()) return TextOf(source["rule"]);
  if (const Value& labels = source["labels"]; labels.is_array()) {
    std::string text = exporter + " label";
    for (const Value& label : labels.elements()) text += ' ' + TextOf(label);
    return text;
  }
  std::string text = exporter + ' ' + TextOf(source["metric"]);
  const std::string rule = TextOf(source["rule"]);
  if (rule != "as it is") text += ", " + rule;
  if (const std::size_t loses = CountOf(source["loses"]); loses > 0) {
    text += " (shown by " + std::to_string(CountOf(source["rows"])) + ", loses " +
            std::to_string(loses) + ')';
  }
  return text;
}

std::string Sources(const Value& field) {
  std::string text;
  for (const Value& source : field["sources"].elements()) {
    text += (text.empty() ? "" : "; ") + SourceText(source);
  }
  return text;
}

bool HereCouldFill(const Value& field) {
  return TextOf(field["would_fill"][0]["how"]).starts_with("this exporter");
}

std::string Gap(const Value& field) {
  std::string text;
  for (const auto& [reason, count] : field["reasons"].members()) {
    text += (text.empty() ? "" : ", ") + std::to_string(CountOf(count)) + ' ' + reason;
  }
  const Value& first = field["would_fill"][0];
  if (first.is_null()) return text;
  const bool here = HereCouldFill(field);
  return text + "; would fill: " + TextOf(first["metric"]) +
         (here ? ", add it to the metrics of " + TextOf(first["exporter"])
               : " (" + TextOf(first["how"]) + ')');
}

void PrintFields(const Value& fields, Page& page) {
  page.Blank();
  page.Wrap("", "FIELDS");
  std::size_t empty = 0;
  for (const Value& field : fields.elements()) {
    const std::size_t known = CountOf(field["known"]);
    const std::size_t rows = CountOf(field["rows"]);
    const std::string sources = Sources(field);
    if (known == 0 && !HereCouldFill(field)) {
      empty += field["would_fill"].size() > 0 ? 1U : 0U;
      continue;
    }
    if (sources.empty() && field["would_fill"].size() == 0) continue;
    const std::string counts = std::to_string(known) + '/' + std::to_string(rows);
    page.Wrap("  " + Padded(TextOf(field["field"]), 25) + ' ' + Padded(counts, 11, true) + "  ",
              sources.empty() ? "no source" : sources);
    const std::string gap = known < rows && CountOf(field["rows"]) > 0 ? Gap(field) : "";
    if (!gap.empty()) page.Wrap("      gap: ", gap);
  }
  if (empty > 0) {
    page.Wrap("  ", Count(empty, "field", "fields") +
                        " more that no exporter here knows: -f json names what would fill them");
  }
}

std::string NumberText(const Value& value) {
  if (const std::string* const number = value.AsNumberText()) {
    return FormatNumber(std::round(*value.AsDouble() * 1000) / 1000);
  }
  return value.is_null() ? "null" : TextOf(value);
}

std::string LabelText(const Value& labels) {
  std::string text;
  for (const auto& [name, value] : labels.members()) {
    text += (text.empty() ? "{" : ", ") + name + "=\"" + TextOf(value) + '"';
  }
  return text.empty() ? "{}" : text + '}';
}

void PrintSample(const Value& sample, Page& page) {
  const Value& age = sample["age_seconds"];
  const std::string outcome = TextOf(sample["outcome"]);
  page.Wrap("  " + Padded(outcome, 8) + Padded(TextOf(sample["field"]), 20) + ' ',
            (sample["value"].is_null() ? "" : NumberText(sample["value"]) + " from ") +
                TextOf(sample["exporter"]) + ' ' + TextOf(sample["metric"]) + ' ' +
                NumberText(sample["raw"]) +
                (age.is_null() ? ", of unknown age" : ", " + NumberText(age) + " s old") + ": " +
                TextOf(sample["rule"]));
  // What won is told by its name; of others the labels say which one it was.
  if (outcome != "used") page.Wrap("          ", LabelText(sample["labels"]));
}

void PrintSamples(const Value& rows, Page& page) {
  for (const Value& one : rows.elements()) {
    const Value& row = one["row"];
    const std::string mig = TextOf(row["mig"]["gpu_instance_id"]);
    page.Blank();
    page.Wrap("", "SAMPLES of " + TextOf(row["node_name"]) + " GPU " + TextOf(row["gpu_id"]) +
                      (mig.empty() ? "" : " instance " + mig) + " (" + TextOf(row["gpu_name"]) +
                      ')');
    for (const Value& sample : one["samples"].elements()) PrintSample(sample, page);
  }
}

void PrintFindings(const Examination& examination, Page& page) {
  page.Blank();
  page.Wrap("", "FINDINGS");
  for (const Finding& finding : examination.findings) {
    page.Wrap(finding.warning ? "  WARNING  " : "  info     ", finding.what);
    if (!finding.next_step.empty()) page.Wrap("           next: ", finding.next_step);
  }
  page.Wrap("  ", Count(examination.warnings(), "warning", "warnings") + ", " +
                      Count(examination.findings.size() - examination.warnings(), "note", "notes"));
}

}  // namespace

std::string DoctorTable(const Examination& examination) {
  Page page;
  page.Wrap("", examination.server + ": " + Count(examination.gpus, "GPU", "GPUs") + " at " +
                    examination.as_of);
  PrintExporters(examination.schema["exporters"], page);
  PrintFields(examination.schema["fields"], page);
  if (examination.of_one) PrintSamples(examination.join["rows"], page);
  PrintFindings(examination, page);
  return page.text();
}

}  // namespace gpumon::ctl
