#include <span>

#include "internal/rules/rows.h"
#include "internal/rules/rule_set.h"
#include "internal/rules/terms.h"

namespace gpumon::rules {
namespace {

// A YAML string in double quotes.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void AddMap(std::string& out, const std::string& indent, std::string_view key,
            const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) return;
  out.append(indent).append(key).append(":\n");
  for (const auto& [name, value] : pairs) {
    out.append(indent).append("  ").append(name).append(": ").append(Quoted(value)).append("\n");
  }
}

void AddRule(std::string& out, const std::string& indent, const Rule& rule) {
  out += indent + "- " + (rule.record.empty() ? "alert: " + rule.alert : "record: " + rule.record) +
         '\n';
  const std::string inner = indent + "  ";
  out += inner + "expr: |-\n" + inner + "  ";
  for (const char c : rule.expr) {
    out += c;
    if (c == '\n') out += inner + "  ";
  }
  out += '\n';
  if (!rule.wait.empty()) out += inner + "for: " + rule.wait + '\n';
  AddMap(out, inner, "labels", rule.labels);
  AddMap(out, inner, "annotations", rule.annotations);
}

void AddGroups(std::string& out, const std::string& indent, const std::vector<Group>& groups) {
  out += indent + "groups:\n";
  for (const Group& group : groups) {
    const std::string inner = indent + "  ";
    for (const std::string& line : group.about) out += inner + "# " + line + '\n';
    if (!group.left_out.empty()) {
      out += inner + "# Left out, because the exporter shows\n";
    }
    for (const auto& [why, names] : group.left_out) {
      out.append(inner).append("#   ").append(why).append(": ").append(names).append("\n");
    }
    out += inner + "- name: " + group.name + '\n' + inner + "  rules:\n";
    for (const Rule& rule : group.rules) AddRule(out, inner + "    ", rule);
  }
}

std::string Section(const AlertRow& row) {
  std::string text = "### " + std::string(row.name) + "\n**" + std::string(row.severity) + "**";
  text += row.wait == "0s" ? ", at once" : ", after " + std::string(row.wait);
  return text + "\n\n" + std::string(row.meaning) + "\n\nWhat to do: " + std::string(row.act) +
         "\n\n";
}

}  // namespace

std::string RuleFile(const std::vector<Group>& groups) {
  std::string out;
  AddGroups(out, "", groups);
  return out;
}

std::string PrometheusRule(const std::vector<Group>& groups, const ObjectMeta& meta) {
  std::string out =
      "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: " +
      Quoted(meta.name) + '\n';
  if (!meta.name_space.empty()) out += "  namespace: " + Quoted(meta.name_space) + '\n';
  AddMap(out, "  ", "labels", meta.labels);
  out += "spec:\n";
  AddGroups(out, "  ", groups);
  return out;
}

std::string RunbookDocument() {
  std::string text =
      "# Runbooks\n"
      "What each alert of `gpuctl rules` and of the chart says, and what to do. "
      "[RULES.md](RULES.md) says how the rules are made; this page is made from their table.\n\n"
      "## GPUs\n";
  for (const AlertRow& row : GpuAlertRows()) text += Section(row);
  text += "## The server\n";
  for (const AlertRow& row : ApiAlertRows()) text += Section(row);
  text += "## Recorded series\nAll begin with `" + std::string(kPrefix) +
          "` and have a label `exporter`, the schema's name. Those of an exporter that cannot feed "
          "them are left out.\n\n| series | |\n|---|---|\n";
  for (const RecordRow& row : RecordRows()) {
    if (row.help.empty()) continue;
    text += "| `" + std::string(row.name) + "` | " + std::string(row.help) + " |\n";
  }
  return text;
}

}  // namespace gpumon::rules
