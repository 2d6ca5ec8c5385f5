// Alerting and recording rules for one exporter, and for the server itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/fleet/health_rules.h"
#include "internal/schema/exporter.h"

namespace gpumon::rules {

struct Options {
  fleet::HealthRules health;
  // What stands before `#alertname` in runbook_url; "": there is none.
  std::string runbook_base;
};

struct Rule {
  std::string record;  // its series; or
  std::string alert;   // its name
  std::string expr;
  std::string wait;  // an alert's `for`; "" for none
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<std::string, std::string>> annotations;
};

// In the order in which Prometheus evaluates them: alerts see what was recorded just before.
struct Group {
  std::string name;
  std::vector<std::string> about;  // lines for whoever reads the file
  std::vector<Rule> rules;
  // What the exporter does not show ("no xid_last"), and what is left out for that.
  std::vector<std::pair<std::string, std::string>> left_out;
};

Group RulesOf(const schema::Exporter& exporter, const Options& options);
Group RulesOfApi(const Options& options);

// A file for Prometheus's rule_files. YAML that promtool accepts.
std::string RuleFile(const std::vector<Group>& groups);

// The same as an object for the Prometheus Operator.
struct ObjectMeta {
  std::string name;
  std::string name_space;                                   // "": none
  std::vector<std::pair<std::string, std::string>> labels;  // that the operator's selector wants
};
std::string PrometheusRule(const std::vector<Group>& groups, const ObjectMeta& meta);

// docs/RUNBOOKS.md: one section, and so one anchor, for each alert.
std::string RunbookDocument();

}  // namespace gpumon::rules
