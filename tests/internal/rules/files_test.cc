// The chart's rule files and docs/RUNBOOKS.md are what the tables say. GPUMON_UPDATE_DOCS=1 writes
// them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "internal/rules/rows.h"
#include "internal/rules/rule_set.h"
#include "internal/schema/registry.h"

namespace gpumon::rules {
namespace {

namespace fs = std::filesystem;

const std::string kSource = GPUMON_SOURCE_DIR;
const std::string kFolder = kSource + "/charts/gpu-monitoring/files/rules/";
// The chart puts its value in the place of this one.
constexpr char kBase[] = "@RUNBOOK_BASE@";

void ExpectFile(const std::string& path, const std::string& text) {
  if (std::getenv("GPUMON_UPDATE_DOCS") != nullptr) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  std::stringstream seen;
  seen << file.rdbuf();
  EXPECT_EQ(seen.str(), text) << path
                              << ": run GPUMON_UPDATE_DOCS=1 build/bin/internal_rules_test and "
                                 "read the diff";
}

TEST(FilesTest, TheChartsRulesAreThoseOfTheTables) {
  const Options options{.health = {}, .runbook_base = kBase};
  std::set<std::string> wanted = {"api.yaml"};
  for (const auto& exporter : schema::Registry::BuiltIn().exporters()) {
    const Group group = RulesOf(*exporter, options);
    wanted.insert(exporter->name + ".yaml");
    ExpectFile(kFolder + exporter->name + ".yaml", RuleFile({group}));
  }
  ExpectFile(kFolder + "api.yaml", RuleFile({RulesOfApi(options)}));
  std::set<std::string> seen;
  for (const auto& file : fs::directory_iterator(kFolder)) seen.insert(file.path().filename());
  EXPECT_EQ(seen, wanted);
}

TEST(FilesTest, TheRunbooksAreThoseOfTheTables) {
  ExpectFile(kSource + "/docs/RUNBOOKS.md", RunbookDocument());
}

}  // namespace
}  // namespace gpumon::rules
