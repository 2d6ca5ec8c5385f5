// Every exporter's own text, scraped by a real Prometheus, as rows of the API.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

namespace fs = std::filesystem;
using json::Value;

const std::string kSource = GPUMON_SOURCE_DIR;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> Captures() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(kSource + "/tests/captures")) {
    if (file.path().extension() == ".prom") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "as stored": the text already has what scraping makes of it.
bool IsAsStored(const std::string& text) {
  return text.substr(0, text.find('\n')).find("as stored") != std::string::npos;
}

std::string Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count() + 1);
}

// The rows without what differs from run to run, one line for each key.
void Print(const Value& value, const std::string& indent, std::ostream& out) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.members()) {
      if (key == "timestamp" || key == "sample_age_seconds") continue;
      out << indent << key << ":";
      if (member.is_object() || (member.is_array() && member.size() > 0)) {
        out << '\n';
        Print(member, indent + "  ", out);
      } else {
        out << ' ';
        Print(member, "", out);
      }
    }
  } else if (value.is_array()) {
    if (value.size() == 0) out << "[]\n";
    for (const Value& element : value.elements()) {
      out << indent << "-\n";
      Print(element, indent + "  ", out);
    }
  } else if (const std::string* const text = value.AsString()) {
    out << indent << *text << '\n';
  } else if (const std::string* const number = value.AsNumberText()) {
    out << indent << *number << '\n';
  } else {
    out << indent << (value.is_null() ? "null" : *value.AsBool() ? "true" : "false") << '\n';
  }
}

class CaptureTest : public testing::TestWithParam<std::string> {};

TEST_P(CaptureTest, GivesItsGoldenRows) {
  const std::string text = ReadFile(kSource + "/tests/captures/" + GetParam() + ".prom");
  fault::FaultServer exporter(
      [&](const fault::Request&) { return fault::HttpStatus(200, text, "text/plain"); });
  const auto prometheus = Prometheus::Scraping(exporter.port(), IsAsStored(text));
  // A scrape becomes visible as a whole; queries that meet its coming would each see another part.
  ASSERT_TRUE(process::WaitUntil(
      [&] { return prometheus->Query("up{job=\"gpu\"} == 1", Now()).size() > 0; }, Millis(20'000)));
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}, {"PROCESS_COMMANDS", "full"}});
  Answer gpus;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        gpus = server.Get(kMetrics);
        return gpus.status == 200 && gpus.Json()["data"].size() > 0;
      },
      Millis(20'000)))
      << gpus.Text();
  const Answer processes = server.Get("/api/v1/gpu/processes");
  std::ostringstream seen;
  const auto print = [&](const std::string& list, const Answer& answer) {
    const Value document = answer.Json();
    seen << list << ":\n";
    Print(document["data"], "", seen);
    seen << "warnings:\n";
    Print(document["warnings"], "", seen);
    seen << "null_reasons:\n";
    Print(document["meta"]["null_reasons"], "  ", seen);
  };
  print("gpus", gpus);
  print("processes", processes);
  const std::string golden = kSource + "/tests/golden/" + GetParam() + ".txt";
  if (std::getenv("GPUMON_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden) << seen.str();
    return;
  }
  EXPECT_EQ(seen.str(), ReadFile(golden)) << "a changed golden is read before it is taken: "
                                             "GPUMON_UPDATE_GOLDEN=1 writes it";
}

// An exporter that nobody here has heard of, with one of its units in a form of its own.
constexpr char kAcme[] = R"({
  "name": "acme", "title": "Acme board exporter", "vendor": "Acme", "priority": 5,
  "detect": ["acme_load"],
  "labels": {"node": ["machine"], "gpu_id": ["board"]},
  "gpu": [
    {"field": "utilization", "metric": "acme_load", "unit": "ratio"},
    {"field": "memory_used", "metric": "acme_mem_kib", "unit": "KiB"},
    {"field": "power", "metric": "acme_power", "unit": "mW"}
  ]
})";

TEST(SchemaFileTest, AddsAnExporterWithoutAnyCode) {
  fault::FaultServer exporter([](const fault::Request&) {
    return fault::HttpStatus(200,
                             "acme_load{machine=\"m1\",board=\"3\"} 0.25\n"
                             "acme_mem_kib{machine=\"m1\",board=\"3\"} 1048576\n"
                             "acme_power{machine=\"m1\",board=\"3\"} 75500\n",
                             "text/plain");
  });
  const auto prometheus = Prometheus::Scraping(exporter.port(), true);
  const process::ScratchDirectory directory;
  const std::string file = directory.path() + "/schemas.json";
  std::ofstream(file) << kAcme;
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}, {"SCHEMA_FILE", file}});
  Value rows;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        rows = server.Get(kMetrics).Json();
        return rows["data"].size() == 1;
      },
      Millis(20'000)));
  const Value& row = rows["data"][0];
  EXPECT_EQ(*row["node_name"].AsString(), "m1");
  EXPECT_EQ(row["gpu_index"].AsDouble(), 3);
  EXPECT_EQ(row["utilization"].AsDouble(), 25);
  EXPECT_EQ(row["memory_used"].AsDouble(), 1);
  EXPECT_EQ(row["power"].AsDouble(), 75.5);
  EXPECT_EQ(*row["source"].AsString(), "acme");
  EXPECT_TRUE(row["temperature"].is_null());
  const Value schema = server.Get("/api/v1/gpu/schema").Json();
  EXPECT_EQ(*schema["data"]["exporters"][0]["title"].AsString(), "Acme board exporter");
  EXPECT_EQ(schema["data"]["exporters"][0]["gpus"].AsDouble(), 1);
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, CaptureTest, testing::ValuesIn(Captures()), NameOf);

}  // namespace
}  // namespace gpumon::e2e
