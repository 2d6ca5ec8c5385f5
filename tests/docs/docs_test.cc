// The tables of docs/ are what the code says. GPUMON_UPDATE_DOCS=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "handlers/api.h"
#include "handlers/list_query.h"
#include "internal/base/status.h"
#include "internal/config/help.h"
#include "internal/config/server_options.h"
#include "internal/gpu/plan.h"
#include "internal/schema/schema.h"
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

std::string QueryTable(models::Part part) {
  std::string table;
  for (const auto& query : gpu::PlanQueries(schema::NvidiaGpu(), part)) {
    table += "- `" + query.promql + "`\n";
  }
  return table;
}

std::string Names(const schema::Aliases& aliases) {
  std::string names;
  for (const auto& name : aliases) names += (names.empty() ? "`" : ", `") + std::string(name) + '`';
  return names;
}

// "folder/Suite.Name" of every test below tests/, "folder/Suite.*" of every suite, "folder/*", and
// "folder/x_test" of every script.
std::set<std::string> TestNames() {
  namespace fs = std::filesystem;
  const fs::path root = GPUMON_SOURCE_DIR "/tests";
  const std::regex macro(R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string folder =
        fs::relative(entry.path().parent_path(), root).generic_string() + '/';
    if (entry.path().extension() == ".py") names.insert(folder + entry.path().stem().string());
    if (entry.path().extension() != ".cc") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator test(source.begin(), source.end(), macro), end; test != end; ++test) {
      names.insert(folder + (*test)[1].str() + '.' + (*test)[2].str());
      names.insert(folder + (*test)[1].str() + ".*");
      names.insert(folder + '*');
    }
  }
  return names;
}

TEST(DocsTest, EveryTestThatARequirementNamesExists) {
  const std::string page = Read("REQUIREMENTS.md");
  const std::set<std::string> names = TestNames();
  const std::regex named(R"(`([a-z0-9_/]+/(?:\w+Test\.(?:\w+|\*)|\*|\w+_test))`)");
  std::size_t found = 0;
  for (std::sregex_iterator name(page.begin(), page.end(), named), end; name != end; ++name) {
    const std::string text = (*name)[1].str();
    EXPECT_EQ(names.count(text), 1U) << text;
    ++found;
  }
  EXPECT_GT(found, 30U);
}

TEST(DocsTest, ConfigurationIsTheOptionTable) {
  ExpectDocument(
      "CONFIG.md",
      "# Configuration\nFlag, environment variable, optional YAML file, default: the first that is "
      "given wins. Durations are written `500ms`, `2s`, `1m`; sizes `64MiB`. A wrong or "
      "contradictory value stops the start with exit code 2 and one line that says which, why and "
      "what is allowed.\n\n" +
          config::MarkdownTable(config::ServerOptionRows()));
}

TEST(DocsTest, MetricsAreTheRegistryAndThePlan) {
  const auto& exporter = schema::NvidiaGpu();
  ExpectDocument("METRICS.md",
                 "# Fields and metrics\nWritten by the field registry (`models/field.h`) and the "
                 "query plan (`internal/gpu/plan.cc`).\n\n## `/api/v1/gpu/metrics`\n" +
                     FieldTable(models::Part::kGpus) + "\n## `/api/v1/gpu/processes`\n" +
                     FieldTable(models::Part::kProcesses) +
                     "\n## What Prometheus is asked\nOne query each, all at once, at one "
                     "instant.\n\nFor GPUs:\n" +
                     QueryTable(models::Part::kGpus) + "\nFor processes:\n" +
                     QueryTable(models::Part::kProcesses) +
                     "\n## Labels\nThe first label that a series has, and that is not empty, "
                     "wins.\n- node: " +
                     Names(exporter.node) + "\n- GPU: " + Names(exporter.gpu) +
                     "\n- process: " + Names(exporter.pid) + "\n");
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
