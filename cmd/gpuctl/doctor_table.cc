#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cmd/gpuctl/doctor.h"
#include "cmd/gpuctl/page.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using json::Value;

// Where the second line of an entry begins.
constexpr std::size_t kHang = 8;

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
              TextOf(exporter["title"]), kHang);
  }
}

// "dcgm DCGM_FI_DEV_POWER_USAGE (8 rows), derived: ...".
std::string SourceText(const Value& source) {
  const std::string exporter = TextOf(source["exporter"]);
  if (exporter.empty()) return TextOf(source["rule"]);
  if (const Value& labels = source["labels"]; labels.is_array()) {
    constexpr std::size_t kShown = 2;
    std::string text = exporter + " label " + TextOf(labels[0]);
    for (std::size_t i = 1; i < std::min(labels.size(), kShown); ++i) {
      text += " or " + TextOf(labels[i]);
    }
    return text + (labels.size() > kShown ? " ..." : "");
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
  return !field["reasons"]["not_exported"].is_null() &&
         TextOf(field["would_fill"][0]["how"]).starts_with("this exporter");
}

// The label that would be a text; "" where a metric is missing.
std::string LabelIn(const std::string& how) {
  constexpr std::string_view kNoLabel = "have no label ";
  const std::size_t at = how.find(kNoLabel);
  return at == std::string::npos ? std::string() : how.substr(at + kNoLabel.size());
}

// "2 not_exported: run NVIDIA dcgm-exporter for DCGM_FI_DEV_POWER_USAGE".
std::string Gap(const Value& field) {
  std::string text;
  for (const auto& [reason, count] : field["reasons"].members()) {
    text += (text.empty() ? "" : ", ") + std::to_string(CountOf(count)) + ' ' + reason;
  }
  const Value& first = field["would_fill"][0];
  if (first.is_null() || field["reasons"]["not_exported"].is_null()) return text;
  const std::string metric = TextOf(first["metric"]);
  const std::string how = TextOf(first["how"]);
  if (!HereCouldFill(field)) return text + ": " + how + " for " + metric;
  const std::string label = LabelIn(how);
  const std::string what = label.empty() ? metric : "label " + label + " to " + metric;
  return text + ": add " + what + (label.empty() ? " to " : " of ") + TextOf(first["exporter"]);
}

// The same reading in another unit: memory_used_bytes beside memory_used.
bool IsTwin(const Value& fields, const Value& field) {
  const std::string name = TextOf(field["field"]);
  if (!name.ends_with("_bytes")) return false;
  const std::string other = name.substr(0, name.size() - 6);
  return std::any_of(fields.elements().begin(), fields.elements().end(), [&](const Value& one) {
    return TextOf(one["field"]) == other && TextOf(one["list"]) == TextOf(field["list"]);
  });
}

// False: no exporter here knows it.
bool PrintField(const Value& field, Page& page) {
  const std::size_t known = CountOf(field["known"]);
  const std::size_t rows = CountOf(field["rows"]);
  const std::string sources = Sources(field);
  if (known == 0 && sources.empty() && !HereCouldFill(field)) {
    return field["reasons"]["not_exported"].is_null() || field["would_fill"].size() == 0;
  }
  if (sources.empty() && field["would_fill"].size() == 0) return true;
  const std::string counts = std::to_string(known) + '/' + std::to_string(rows);
  const std::string head =
      "  " + Padded(TextOf(field["field"]), 25) + Padded(counts, 9, true) + "  ";
  const std::string gap = known < rows ? Gap(field) : "";
  page.Wrap(head, sources.empty() ? gap : sources, kHang);
  if (!sources.empty() && !gap.empty()) page.Wrap("        null: ", gap, kHang + 2);
  return true;
}

void PrintFields(const Value& fields, Page& page) {
  for (const std::string list : {"metrics", "processes"}) {
    page.Blank();
    page.Wrap("", list == "metrics" ? "FIELDS of GPUs" : "FIELDS of processes");
    std::size_t empty = 0;
    for (const Value& field : fields.elements()) {
      if (TextOf(field["list"]) != list || IsTwin(fields, field)) continue;
      if (!PrintField(field, page)) ++empty;
    }
    if (empty > 0) {
      page.Wrap("  ",
                Count(empty, "field", "fields") +
                    " more that no exporter here knows; -f json says what would fill them",
                kHang);
    }
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
                TextOf(sample["rule"]),
            kHang + 2);
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
  std::string has = Count(examination.gpus, "GPU", "GPUs");
  if (examination.instances > 0) {
    has += " and " + Count(examination.instances, "MIG instance", "MIG instances");
  }
  page.Wrap("", examination.server + ": " + has + " at " + examination.as_of);
  PrintExporters(examination.schema["exporters"], page);
  PrintFields(examination.schema["fields"], page);
  if (examination.of_one) PrintSamples(examination.join["rows"], page);
  PrintFindings(examination, page);
  return page.text();
}

}  // namespace gpumon::ctl
