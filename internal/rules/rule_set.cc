#include "internal/rules/rule_set.h"

#include <algorithm>
#include <utility>

#include "internal/base/text.h"
#include "internal/rules/rows.h"
#include "internal/rules/terms.h"

namespace gpumon::rules {
namespace {

constexpr char kGroup[] = "gpu-monitoring.";

std::string Anchor(std::string_view alert) {
  std::string anchor = "#";
  for (const char c : alert) anchor += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return anchor;
}

// Without the marks that a document has and an annotation does not.
std::string Plain(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '`');
  return plain;
}

Rule RecordOf(const RecordRow& row, std::string expr) {
  Rule rule;
  rule.record = std::string(kPrefix) + std::string(row.name);
  rule.expr = std::move(expr);
  return rule;
}

// `expr`, `summary` and `description` have been filled in.
Rule AlertOf(const AlertRow& row, std::string expr, std::string summary, std::string description,
             const Options& options) {
  Rule rule;
  rule.alert = row.name;
  rule.expr = std::move(expr);
  rule.wait = row.wait == "0s" ? "" : std::string(row.wait);
  rule.labels = {{"severity", std::string(row.severity)}};
  rule.annotations = {{"summary", std::move(summary)},
                      {"description", std::move(description)},
                      {"runbook", Plain(row.act)}};
  if (!options.runbook_base.empty()) {
    rule.annotations.emplace_back("runbook_url", options.runbook_base + Anchor(row.name));
  }
  return rule;
}

void LeaveOut(std::string_view name, const std::vector<std::string>& lacking, Group& group) {
  std::string why;
  for (const std::string& what : lacking) why += (why.empty() ? "" : ", ") + what;
  for (auto& [known, names] : group.left_out) {
    if (known != why) continue;
    names += ", " + std::string(name);
    return;
  }
  group.left_out.emplace_back(why, name);
}

void AddRecords(Terms& terms, Group& group) {
  std::vector<Rule>& rules = group.rules;
  const auto rows = RecordRows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RecordRow& row = rows[i];
    if (!rules.empty() && rules.back().record == std::string(kPrefix) + std::string(row.name)) {
      continue;
    }
    Terms own = terms;  // in which a row may use itself
    own.Record(row.name);
    auto filled = own.Fill(row.expr);
    const bool has_other = i + 1 < rows.size() && rows[i + 1].name == row.name;
    if (!filled.lacking.empty() && has_other) continue;
    if (filled.lacking.empty()) {
      rules.push_back(RecordOf(row, std::move(filled.text)));
    } else {
      LeaveOut(std::string(kPrefix) + std::string(row.name), filled.lacking, group);
    }
    terms.Record(row.name, std::move(filled.lacking));
  }
}

}  // namespace

Group RulesOf(const schema::Exporter& exporter, const Options& options) {
  Group group;
  group.name = kGroup + exporter.name;
  group.about = {"For " + ReplaceHidden(exporter.title, "?") + " (schema " + exporter.name + ")."};
  Terms terms(exporter, options.health);
  AddRecords(terms, group);
  for (const AlertRow& row : GpuAlertRows()) {
    auto expr = terms.Fill(row.expr);
    if (!expr.lacking.empty()) {
      LeaveOut(row.name, expr.lacking, group);
      continue;
    }
    group.rules.push_back(AlertOf(row, std::move(expr.text), terms.Fill(row.summary).text,
                                  terms.Fill(row.description).text, options));
  }
  for (Rule& rule : group.rules) rule.labels.emplace_back("exporter", exporter.name);
  return group;
}

Group RulesOfApi(const Options& options) {
  Group group;
  group.name = std::string(kGroup) + "api";
  group.about = {"For gpu-monitoring-api itself."};
  for (const RecordRow& row : ApiRecordRows()) {
    group.rules.push_back(RecordOf(row, std::string(row.expr)));
  }
  for (const AlertRow& row : ApiAlertRows()) {
    group.rules.push_back(AlertOf(row, std::string(row.expr), std::string(row.summary),
                                  std::string(row.description), options));
  }
  return group;
}

}  // namespace gpumon::rules
