// The tables of docs/ are what the code says. GPUMON_UPDATE_DOCS=1 writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "cmd/gpu-demo-peers/options.h"
#include "cmd/gpu-exporter/options.h"
#include "handlers/api.h"
#include "handlers/list_query.h"
#include "internal/base/status.h"
#include "internal/base/text.h"
#include "internal/config/collect_options.h"
#include "internal/config/help.h"
#include "internal/config/server_options.h"
#include "internal/fleet/health_rules.h"
#include "internal/fleet/xid.h"
#include "internal/gpu/node_queries.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/pods.h"
#include "internal/push/format.h"
#include "internal/schema/registry.h"
#include "internal/schema/unit.h"
#include "internal/wire/table.h"

namespace gpumon {
namespace {

std::string Path(const std::string& name) {
  return std::string(GPUMON_SOURCE_DIR "/docs/") + name;
}

std::string Read(const std::string& name) {
  std::ifstream file(Path(name));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Checks, or on demand writes, a document that is generated whole.
void ExpectDocument(const std::string& name, const std::string& text) {
  if (std::getenv("GPUMON_UPDATE_DOCS") != nullptr) {
    std::ofstream(Path(name)) << text;
    return;
  }
  EXPECT_EQ(Read(name), text) << "run GPUMON_UPDATE_DOCS=1 ctest -L docs and read the diff";
}

std::string FieldTable(models::Part part) {
  std::string table = "| field | unit | in every row | meaning |\n|---|---|---|---|\n";
  for (const auto& field : wire::FieldsOf(part)) {
    table += "| `" + std::string(field.name) + "` | " + std::string(field.unit) + " | " +
             (field.always ? "yes" : "") + " | " + std::string(field.help) + " |\n";
  }
  return table;
}

using Exporters = std::span<const std::shared_ptr<const schema::Exporter>>;

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "`" : ", `") + name + '`';
  return text;
}

const std::vector<schema::Metric>& MetricsOf(const schema::Exporter& exporter, models::Part part) {
  return part == models::Part::kGpus ? exporter.gpu : exporter.process;
}

// Fields down, exporters across: what each one can give.
std::string Matrix(Exporters exporters, models::Part part) {
  std::string head = "| field |";
  std::string line = "|---|";
  for (const auto& exporter : exporters) {
    if (MetricsOf(*exporter, part).empty()) continue;
    head += ' ' + exporter->name + " |";
    line += ":-:|";
  }
  std::string table = head + '\n' + line + '\n';
  for (const auto& field :
       part == models::Part::kGpus ? schema::MeasuredOfGpus() : schema::MeasuredOfProcesses()) {
    table += "| `" + std::string(field.name) + "` |";
    for (const auto& exporter : exporters) {
      const auto& metrics = MetricsOf(*exporter, part);
      if (metrics.empty()) continue;
      const bool has = std::any_of(metrics.begin(), metrics.end(),
                                   [&](const auto& metric) { return metric.slot == field.slot; });
      const bool derived =
          part == models::Part::kGpus &&
          std::any_of(exporter->derive.begin(), exporter->derive.end(), [&](const auto& row) {
            return static_cast<std::size_t>(row.target) == field.slot;
          });
      table += has ? " + |" : derived ? " = |" : "  |";
    }
    table += '\n';
  }
  return table;
}

bool HasLabel(const schema::Exporter& exporter, models::Part part, models::Text text) {
  const auto names = [text](const schema::Labels& labels) {
    return std::any_of(labels.texts.begin(), labels.texts.end(),
                       [text](const auto& row) { return row.first == text; });
  };
  return names(exporter.labels) ||
         (part == models::Part::kProcesses && names(exporter.process_labels));
}

// The same of what stands in labels.
std::string TextMatrix(Exporters exporters, models::Part part) {
  using models::Text;
  std::string head = "| field |";
  std::string line = "|---|";
  for (const auto& exporter : exporters) {
    if (MetricsOf(*exporter, part).empty()) continue;
    head += ' ' + exporter->name + " |";
    line += ":-:|";
  }
  std::string table = head + '\n' + line + '\n';
  const auto add = [&](std::string_view name, std::initializer_list<Text> texts) {
    table += "| `" + std::string(name) + "` |";
    for (const auto& exporter : exporters) {
      if (MetricsOf(*exporter, part).empty()) continue;
      const bool has = std::any_of(texts.begin(), texts.end(), [&](Text text) {
        return HasLabel(*exporter, part, text) ||
               (text == Text::kGpuId && !exporter->gpu_id_metric.empty());
      });
      table += has ? " + |" : "  |";
    }
    table += '\n';
  };
  for (const auto& field : wire::FieldsOf(part)) {
    const auto text = static_cast<Text>(field.slot);
    if (field.from == models::From::kText && text != Text::kSource && text != Text::kVendor) {
      add(field.name, {text});
    }
  }
  if (part == models::Part::kGpus) {
    add("mig", {Text::kMigGpuInstance, Text::kMigUuid});
    add("workloads", {Text::kPod});
  }
  return table;
}

std::string Where(const std::vector<schema::Condition>& conditions) {
  std::string selector = gpu::Selector("", conditions);
  // A table takes a bare one for the end of a cell.
  for (auto at = selector.find('|'); at != std::string::npos; at = selector.find('|', at + 2)) {
    selector.insert(at, 1, '\\');
  }
  return selector;
}

std::string MetricTable(const schema::Exporter& exporter, models::Part part) {
  std::string table;
  for (const auto& field :
       part == models::Part::kGpus ? schema::MeasuredOfGpus() : schema::MeasuredOfProcesses()) {
    for (const auto& metric : MetricsOf(exporter, part)) {
      if (metric.slot != field.slot) continue;
      table += "| `" + std::string(field.name) + "` | `" + metric.name + Where(metric.where) +
               "` | " + metric.unit + " | " + metric.note + " |\n";
    }
  }
  return table;
}

std::string Section(const schema::Exporter& exporter) {
  std::string text = "\n### " + exporter.name + "\n" + exporter.title + ". Found by " +
                     Joined(exporter.detect) + ".\n";
  for (const auto& [what, aliases] : exporter.labels.texts) {
    if (what == models::Text::kNode) text += "Node: " + Joined(aliases) + ".\n";
    if (what == models::Text::kGpuId) text += "GPU: " + Joined(aliases) + ".\n";
    if (what == models::Text::kUuid) text += "UUID: " + Joined(aliases) + ".\n";
  }
  text += "\n| field | metric | as exported | |\n|---|---|---|---|\n" +
          MetricTable(exporter, models::Part::kGpus) +
          MetricTable(exporter, models::Part::kProcesses);
  if (!exporter.shares.empty()) {
    std::vector<std::string> names;
    for (const auto& share : exporter.shares) names.push_back(share.name);
    text += "\nWhat pods have of a GPU: " + Joined(names) + ".\n";
  }
  return text;
}

// "folder/Suite.Name" of every test below tests/, "folder/Instance/Suite.Name" of one with
// parameters, "folder/x" of every script x_test.py or x.test.ts, and the page's own.
std::set<std::string> TestNames() {
  namespace fs = std::filesystem;
  const fs::path root = GPUMON_SOURCE_DIR "/tests";
  const std::regex macro(R"(\bTEST(_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  const std::regex instance(R"(\bINSTANTIATE_TEST_SUITE_P\(\s*(\w+),\s*(\w+),)");
  std::set<std::string> names = {"web/lint", "web/unit"};
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string folder =
        fs::relative(entry.path().parent_path(), root).generic_string() + '/';
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".py" && stem.ends_with("_test")) {
      names.insert(folder + stem.substr(0, stem.size() - std::string_view("_test").size()));
    }
    if (entry.path().extension() == ".ts" && stem.ends_with(".test")) {
      names.insert(folder + stem.substr(0, stem.size() - std::string_view(".test").size()));
    }
    if (entry.path().extension() != ".cc") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string source = text.str();
    std::multimap<std::string, std::string> instances;  // of a suite
    for (std::sregex_iterator one(source.begin(), source.end(), instance), end; one != end; ++one) {
      instances.emplace((*one)[2], (*one)[1]);
    }
    for (std::sregex_iterator test(source.begin(), source.end(), macro), end; test != end; ++test) {
      const std::string suite = (*test)[2];
      const std::string name = suite + '.' + (*test)[3].str();
      if ((*test)[1] != "_P") names.insert(folder + name);
      const auto [first, last] = instances.equal_range(suite);
      for (auto one = first; one != last; ++one) names.insert(folder + one->second + '/' + name);
    }
  }
  return names;
}

TEST(DocsTest, EveryTestThatARequirementNamesExists) {
  const std::string page = Read("REQUIREMENTS.md");
  const std::set<std::string> names = TestNames();
  const std::regex named(R"(`([^` ]+/[^` ]+)`)");
  std::size_t found = 0;
  std::istringstream lines(page);
  bool of_outputs = false;
  for (std::string line; std::getline(lines, line);) {
    // Those rows are run themselves (e2e/documents).
    if (line == "| requirement line | command | output |") of_outputs = true;
    if (!line.starts_with('|')) of_outputs = false;
    if (!line.starts_with('|') || of_outputs) continue;
    // The last cell.
    const std::string cell = line.substr(line.rfind('|', line.rfind('|') - 1));
    for (std::sregex_iterator name(cell.begin(), cell.end(), named), end; name != end; ++name) {
      std::string text = (*name)[1];
      const bool pattern = text.ends_with('*');
      if (pattern) text.pop_back();
      const auto at = names.lower_bound(text);
      EXPECT_TRUE(at != names.end() && (pattern ? at->starts_with(text) : *at == text))
          << (*name)[1];
      ++found;
    }
  }
  EXPECT_GT(found, 30U);
}

TEST(DocsTest, ConfigurationIsTheOptionTable) {
  ExpectDocument(
      "CONFIG.md",
      "# Configuration\nFlag, environment variable, optional YAML file, default: the first that is "
      "given wins. Durations are written `500ms`, `2s`, `1m`; sizes `64MiB`. A wrong or "
      "contradictory value stops the start with exit code 2 and one line that says which, why and "
      "what is allowed. An environment variable that is empty counts as not set, and so does an "
      "empty key of the file; an empty flag is refused: to have none, leave it out and its "
      "variable "
      "unset or empty.\n\n" +
          config::MarkdownTable(config::ServerOptionRows()) +
          "\n## gpu-monitoring-api collect\nFlag, environment variable, the mapping `health` of "
          "`~/.flow/config.yaml`, default: the first that is given wins. Beside that mapping the "
          "file may hold anything; an unknown key in it is refused. What it does: "
          "[COLLECT.md](COLLECT.md).\n\n" +
          config::MarkdownTable(config::CollectOptionRows()) +
          "\n## gpu-exporter\nThe same rules, without a file.\n\n" +
          config::MarkdownTable(exporter::OptionRows()) +
          "\n## gpu-demo-peers\nFlags alone. `make demo` gives them.\n\n" +
          config::MarkdownTable(demo::OptionRows()));
}

// Whose the pods are that request GPUs.
std::string PodSection() {
  std::string text =
      "\n## kube-state-metrics\nOf pods that request GPUs, and of those that exporters name, for "
      "`/api/v1/gpu/workloads`; with and without `honorLabels`. Resources that are GPUs:";
  for (const auto& resource : gpu::GpuResources()) {
    text += (text.back() == ':' ? " `" : ", `") + std::string(resource) + '`';
  }
  text += ".\n\n| metric | gives |\n|---|---|\n";
  for (const auto& metric : gpu::PodMetrics()) {
    text += "| `" + std::string(metric.name) + "` | " + std::string(metric.gives) + " |\n";
  }
  return text;
}

// What machines measure of themselves.
std::string NodeSection() {
  std::string text =
      "\n## Nodes\nFor `/api/v1/gpu/nodes`, beside its GPUs and kube-state-metrics: "
      "`kube_node_info`, `kube_node_status_condition`, `kube_node_status_capacity` and "
      "`kube_node_status_allocatable` of GPUs and cores, and what pods that have not ended request "
      "of these. Of one quantity the first that a node has wins. Disks: "
      "`node_filesystem_size_bytes`, `node_filesystem_avail_bytes`; NUMA nodes: "
      "`node_memory_numa_MemTotal`, `node_memory_numa_MemFree`. The first of these labels that a "
      "series has names its node:";
  for (const auto& label : gpu::NodeLabels()) {
    text += (text.back() == ':' ? " `" : ", `") + std::string(label) + '`';
  }
  text +=
      "; else the address of its target, or the name that node_uname_info of the same target "
      "has.\n\n| quantity | metric |\n|---|---|\n";
  constexpr std::array kNames = {"cpu",          "load1",         "load5",
                                 "load15",       "cores",         "memory total",
                                 "memory free",  "memory used %", "network received",
                                 "network sent", "temperature"};
  for (const auto& metric : gpu::NodeMetrics()) {
    text += "| " + std::string(kNames.at(static_cast<std::size_t>(metric.gives))) + " | `" +
            std::string(metric.from.empty() ? metric.series : metric.from) +
            (metric.required.empty() ? "" : '{' + std::string(metric.required) + "!=\"\"}") +
            "` |\n";
  }
  return text;
}

TEST(DocsTest, TheCollectorsPageNamesWhatItSends) {
  const std::string page = Read("COLLECT.md");
  for (const std::string& name : push::MetricNames()) {
    EXPECT_NE(page.find('`' + name + '`'), std::string::npos) << name;
  }
}

TEST(DocsTest, HealthIsTheTableOfRulesAndTheXids) {
  const fleet::HealthRules defaults;
  std::string rules = "| rule | default | |\n|---|---|---|\n";
  for (const fleet::HealthRuleRow& row : fleet::HealthRuleRows()) {
    rules += "| `" + std::string(row.name) + "` | " + FormatNumber(defaults.*(row.number)) + " | " +
             std::string(row.help) + " |\n";
  }
  rules +=
      "| `ecc_corrected` | count | `ignore`: corrected ECC errors are none; uncorrected ones "
      "always "
      "count. |\n";
  std::string xids = "| XID | class | action | |\n|---|---|---|---|\n";
  for (int code = 1; code < 1000; ++code) {
    const fleet::Xid xid = fleet::XidOf(code);
    if (xid.which == fleet::XidClass::kUnknown) continue;
    xids += "| " + std::to_string(code) + " | " + std::string(fleet::NameOf(xid.which)) + " | `" +
            std::string(fleet::NameOf(xid.action)) + "` | " + std::string(xid.text) + " |\n";
  }
  ExpectDocument(
      "HEALTH.md",
      "# Health\n`GET /api/v1/gpu/health` says how well each GPU is, and with `by=` each node, "
      "each "
      "model or the fleet. A score starts at 100 and is multiplied by a factor for each thing that "
      "is the matter. Thresholds are strict: 85 °C is not above 85. It is shown rounded down. What "
      "nobody measures costs no score, but confidence: the share of temperature, utilization, "
      "memory, throttling and ECC errors that is known; where none is, there is no score, and the "
      "level is `unknown`. Of several GPUs the score is the plain average of the known ones. A "
      "divided GPU counts once, not its MIG instances.\n\nA GPU is throttled when its throttle "
      "reasons say so (hardware slowdown, heat, power brake; not its power cap), or when its clock "
      "is low under load, whatever the reason: where power caps are meant to hold clocks down, set "
      "`clock_throttled=0`. The last XID stays until the driver or the "
      "exporter is started again, so programs' errors cost no score.\n\nThe component `host` is "
      "the machine: critical when it is offline as on `/api/v1/gpu/nodes`, degraded when it is "
      "short "
      "of memory or disk, or when Kubernetes counts GPUs that it gives to no pod, and unknown "
      "where "
      "GPU exporters alone tell of it. It does nothing to "
      "a score, which is the GPU's own; its findings stand on the rows of `by=node`.\n\nA GPU that "
      "was there and is no longer shown, while all GPU exporters of its node are up, is lost: it "
      "has `lost_factor`. One that moved to another node or was replaced is not: a GPU that comes "
      "to a node after one went replaces one, the longest gone; one that nobody saw come (right "
      "after a start, and with `at`) that whose id it has. The server knows what it has seen "
      "within a day; of the day before its first look, and with `at` of the day before that, it "
      "looks through every five minutes (more rarely above 690 GPUs), so that one which was there "
      "for less may be missed. "
      "An exporter that is up and shows no GPU any more still "
      "belongs to the node whose GPUs it showed within a day: this process remembers it, or (right "
      "after a start, and with `at`) looks it up; `/api/v1/gpu/nodes` does not list it then. One "
      "that came up within two minutes and has shown none since may not have "
      "found them yet: nothing is lost until then. `/api/v1/gpu/nodes` and `/summary` count such "
      "GPUs as "
      "`gpus_lost`: in score and level, and in none of the states, which are of what is "
      "shown.\n\n## "
      "Rules\n"
      "`HEALTH_RULES=\"temperature_critical=90, ecc_corrected=ignore\"` changes some of them.\n\n" +
          rules +
          "\n## States\nEach GPU is in one of five, the first that applies: `unhealthy` (its last "
          "XID "
          "asks for a reset, an ECC error was not corrected, or a row could not be remapped), "
          "`busy` (`utilization_low` or more), `idle_held` (a pod or a process holds it, or "
          "more than `held_memory` of its memory is used), `free`, and `unknown` where nobody "
          "says whether it is busy, or whether somebody holds it. A divided GPU is in the "
          "state of its instances: busy when one is, free when all are.\n\n## XIDs\nActions "
          "are GPUd's.\n\n" +
          xids);
}

TEST(DocsTest, MetricsAreTheRegistryAndTheSchemas) {
  const Exporters exporters = schema::Registry::BuiltIn().exporters();
  std::string sections;
  for (const auto& exporter : exporters) sections += Section(*exporter);
  ExpectDocument(
      "METRICS.md",
      "# Fields and metrics\nWritten by the field registry (`models/fields.h`) and the exporter "
      "schemas (`internal/schema/data`).\n\n## `/api/v1/gpu/metrics`\n" +
          FieldTable(models::Part::kGpus) + "\n## `/api/v1/gpu/processes`\n" +
          FieldTable(models::Part::kProcesses) +
          "\n## Who measures what\n`+`: it has a metric for the field; `=`: the field is computed "
          "from its others. The exporter that stands further left wins where two measure one "
          "field of one GPU.\n\n" +
          Matrix(exporters, models::Part::kGpus) + "\n" +
          Matrix(exporters, models::Part::kProcesses) +
          "\nOf what stands in labels, of GPUs and of processes; the vendor is that of the "
          "exporter, "
          "or its label's. Pods also come from kube-state-metrics.\n\n" +
          TextMatrix(exporters, models::Part::kGpus) + "\n" +
          TextMatrix(exporters, models::Part::kProcesses) +
          "\n## Exporters\nOf several metrics for one field the first that a GPU has counts. The "
          "first label that a series has, and that is not empty, wins.\n" +
          sections + PodSection() + NodeSection());
}

TEST(DocsTest, TheApiPageNamesEveryRouteAndNoOther) {
  const std::string page = Read("API.md");
  for (const auto& route : handlers::Routes()) {
    EXPECT_NE(page.find("| `" + std::string(route.path) + "` |"), std::string::npos) << route.path;
  }
  std::size_t rows = 0;
  for (std::size_t at = page.find("\n| `/"); at != std::string::npos;
       at = page.find("\n| `/", at + 1)) {
    ++rows;
  }
  EXPECT_EQ(rows, handlers::Routes().size());
}

TEST(DocsTest, TheApiPageNamesEveryCodeReasonAndParameter) {
  const std::string page = Read("API.md");
  for (const auto& row : kCodes) {
    if (row.code == Code::kOk) continue;
    EXPECT_NE(page.find('`' + std::string(row.name) + '`'), std::string::npos) << row.name;
    EXPECT_NE(page.find(std::to_string(row.http_status)), std::string::npos) << row.http_status;
  }
  for (std::size_t i = 1; i < models::kNullReasonNames.size(); ++i) {
    EXPECT_NE(page.find("| `" + std::string(models::kNullReasonNames[i]) + "` |"),
              std::string::npos);
  }
  for (const auto& spec : handlers::ListParameters(models::Part::kProcesses)) {
    if (spec.name.starts_with("min_") || spec.name.starts_with("max_")) continue;
    EXPECT_NE(page.find('`' + std::string(spec.name) + '`'), std::string::npos) << spec.name;
  }
}

}  // namespace
}  // namespace gpumon
