#include "cmd/gpuctl/rules.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server.h"
#include "cmd/gpuctl/server_flags.h"
#include "internal/base/regular_file.h"
#include "internal/base/text.h"
#include "internal/config/address.h"
#include "internal/config/option_value.h"
#include "internal/fleet/health_rules.h"
#include "internal/rules/rule_set.h"
#include "internal/schema/registry.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr char kSchemaRoute[] = "/api/v1/gpu/schema";
constexpr std::size_t kLongestName = 63;

constexpr OptionRow kRows[] = {
    OptionRow{.flag = "--schema",
              .kind = Kind::kTextList,
              .help = "For these exporters; the server is not asked.",
              .allowed = "names of schemas, comma-separated; docs/METRICS.md lists them"},
    OptionRow{.flag = "--schema-file",
              .env = "SCHEMA_FILE",
              .kind = Kind::kPath,
              .help = "The server's own file of exporter schemas, where it has one."},
    OptionRow{.flag = "--output",
              .fallback = "kubernetes",
              .kind = Kind::kWord,
              .help = "A PrometheusRule, or a file for rule_files.",
              .allowed = "kubernetes|prometheus",
              .letter = "-o"},
    OptionRow{.flag = "--api",
              .fallback = "true",
              .kind = Kind::kBool,
              .help = "The server's own alerts too."},
    OptionRow{.flag = "--health-rules",
              .env = "HEALTH_RULES",
              .help = "Thresholds that differ from docs/HEALTH.md, as the server has them.",
              .allowed = "NAME=VALUE, comma-separated"},
    OptionRow{.flag = "--runbook-base",
              .help = "Where docs/RUNBOOKS.md can be read: runbook_url is this, `#` and the "
                      "alert's name in lower case. Not set: there is no runbook_url.",
              .allowed = "an http or https URL without fragment"},
    OptionRow{.flag = "--name", .fallback = "gpu-monitoring", .help = "The PrometheusRule's name."},
    OptionRow{.flag = "--namespace", .help = "The PrometheusRule's namespace.", .letter = "-n"},
    OptionRow{.flag = "--label",
              .kind = Kind::kTextList,
              .help = "Labels of the PrometheusRule, which the operator's ruleSelector wants.",
              .allowed = "NAME=VALUE, comma-separated"},
};

// What Kubernetes takes for the name of an object or a namespace.
bool IsObjectName(const std::string& text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kLongestName && plain(text.front()) &&
         plain(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
}

// The parts of a label's name and value that anybody uses; nothing that YAML or a log would act on.
bool IsLabelText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/").find(c) != std::string_view::npos;
  });
}

Result<rules::ObjectMeta> MetaOf(const config::Values& values) {
  constexpr char kNameWords[] = "lower-case letters, digits and -, at most 63";
  rules::ObjectMeta meta{values.Text("--name"), values.Text("--namespace"), {}};
  if (!IsObjectName(meta.name)) {
    return Error(values.Refuse("--name", "is no name of an object", kNameWords));
  }
  if (!meta.name_space.empty() && !IsObjectName(meta.name_space)) {
    return Error(values.Refuse("--namespace", "is no name of a namespace", kNameWords));
  }
  for (const std::string& pair : values.List("--label")) {
    const std::size_t equal = pair.find('=');
    if (equal == 0 || equal == std::string::npos || !IsLabelText(pair.substr(0, equal)) ||
        !IsLabelText(pair.substr(equal + 1))) {
      return Error(values.Refuse("--label", "is no label"));
    }
    meta.labels.emplace_back(pair.substr(0, equal), pair.substr(equal + 1));
  }
  return meta;
}

Result<rules::Options> OptionsOf(const config::Values& values) {
  rules::Options options;
  auto health = fleet::ParseHealthRules(values.Text("--health-rules"));
  if (!health) return Error(values.Refuse("--health-rules", health.error().message));
  options.health = *health;
  options.runbook_base = values.Text("--runbook-base");
  if (!options.runbook_base.empty()) {
    if (const auto wrong = config::CheckUrl(options.runbook_base)) {
      return Error(values.Refuse("--runbook-base", wrong->message));
    }
  }
  return options;
}

Result<schema::Registry> RegistryOf(const config::Values& values) {
  const std::string& file = values.Text("--schema-file");
  if (file.empty()) return schema::Registry::BuiltIn();
  const auto text = ReadRegularFile(file);
  if (!text) return Error(values.Refuse("--schema-file", text.error().message));
  return schema::Registry::BuiltIn().With(*text, file);
}

using Exporters = std::vector<const schema::Exporter*>;

Result<Exporters> Named(const config::Values& values, const schema::Registry& registry) {
  std::vector<std::string> known;
  for (const auto& exporter : registry.exporters()) known.push_back(exporter->name);
  Exporters exporters;
  for (const std::string& name : values.List("--schema")) {
    const schema::Exporter* const exporter = registry.Find(name);
    if (exporter == nullptr) {
      const std::string_view near = NearestWord(name, known);
      std::string all;
      for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
      return Error(values.Refuse(
          "--schema",
          "is no schema" + (near.empty() ? "" : "; the nearest is " + std::string(near)), all));
    }
    if (std::find(exporters.begin(), exporters.end(), exporter) == exporters.end()) {
      exporters.push_back(exporter);
    }
  }
  return exporters;
}

// Those that show a GPU in the server's Prometheus.
Result<Exporters> Found(Server& server, const schema::Registry& registry) {
  const auto answer = server.GetData(kSchemaRoute);
  if (!answer) return Error(answer.error());
  const json::Value& all = (*answer)["data"]["exporters"];
  if (!all.is_array()) return Error(server.Lack(kSchemaRoute, "exporters"));
  Exporters exporters;
  for (const json::Value& row : all.elements()) {
    if (row["gpus"].AsInteger().value_or(0) <= 0) continue;
    const std::string name = TextOf(row["name"]);
    const schema::Exporter* const exporter = registry.Find(name);
    if (exporter == nullptr) {
      return Error(Code::kUpstreamInvalid,
                   server.name() + " has found an exporter of the schema " +
                       config::ShownValue({}, name) +
                       ", which gpuctl does not know; give the server's own --schema-file");
    }
    exporters.push_back(exporter);
  }
  return exporters;
}

// What is printed, from values that have all been checked.
std::string Printed(const config::Values& values, const Exporters& exporters,
                    const rules::Options& options, const rules::ObjectMeta& meta) {
  std::vector<rules::Group> groups;
  for (const schema::Exporter* const exporter : exporters) {
    groups.push_back(rules::RulesOf(*exporter, options));
  }
  if (values.Bool("--api")) groups.push_back(rules::RulesOfApi(options));
  return values.Text("--output") == "prometheus" ? rules::RuleFile(groups)
                                                 : rules::PrometheusRule(groups, meta);
}

}  // namespace

config::Rows RulesOptions() {
  static const std::vector<OptionRow> kAll = WithServerFlags(kRows);
  return kAll;
}

int RunRules(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto end = [&err](const Status& status, int code) {
    PrintError(status.message, err);
    return code;
  };
  const auto options = OptionsOf(values);
  if (!options) return end(options.error(), kUsage);
  const auto meta = MetaOf(values);
  if (!meta) return end(meta.error(), kUsage);
  const auto registry = RegistryOf(values);
  if (!registry) return end(registry.error(), kUsage);
  auto exporters = Named(values, *registry);
  if (!exporters) return end(exporters.error(), kUsage);
  if (exporters->empty()) {
    auto server = ServerOf(values);
    if (!server) return end(server.error(), kUsage);
    const Progress progress(err, "asking " + server->name());
    exporters = Found(*server, *registry);
    if (!exporters) return end(exporters.error(), kNoAnswer);
    if (exporters->empty()) {
      return end({Code::kNotFound, server->name() +
                                       " has found no GPU exporter; gpuctl doctor says more, and "
                                       "--schema names one"},
                 kFindings);
    }
  }
  out << Printed(values, *exporters, *options, *meta);
  return kWell;
}

}  // namespace gpumon::ctl
