// Every exporter's own text, scraped by a real Prometheus, as rows of the API.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
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

// What the server shows of what `upstream` scrapes.
std::string Seen(const Upstream& upstream) {
  // A scrape becomes visible as a whole; queries that meet its coming would each see another part.
  EXPECT_TRUE(process::WaitUntil(
      [&] { return upstream.Query("up{job=\"gpu\"} == 1", Now()).size() > 0; }, Millis(20'000)));
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "0s"}, {"PROCESS_COMMANDS", "full"}});
  Answer gpus;
  EXPECT_TRUE(process::WaitUntil(
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
  return seen.str();
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What makes `b` of `a`, by a longest common run of lines: `12-` is the 12th of `a` that is not in
// `b`, `12+` one that is in `b` behind the 12th of `a`.
std::string DifferenceOf(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::vector<std::size_t>> common(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1, 0));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string difference;
  const auto add = [&](std::size_t line, char how, const std::string& text) {
    difference += std::to_string(line) + how + ' ' + text + '\n';
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1])) {
      add(i + 1, '-', a[i]);
      ++i;
    } else {
      add(i, '+', b[j]);
      ++j;
    }
  }
  return difference;
}

// By capture, as DifferenceOf, what tests/golden/victoria-metrics.txt lists.
std::map<std::string, std::string> ListedDifferences() {
  std::map<std::string, std::string> listed;
  std::string capture;
  for (const std::string& line :
       LinesOf(ReadFile(kSource + "/tests/golden/victoria-metrics.txt"))) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("= ")) {
      capture = line.substr(2);
    } else {
      listed[capture] += line + '\n';
    }
  }
  return listed;
}

class CaptureTest : public testing::TestWithParam<std::string> {
 protected:
  const std::string text_ = ReadFile(kSource + "/tests/captures/" + GetParam() + ".prom");
  const std::string golden_ = kSource + "/tests/golden/" + GetParam() + ".txt";
  fault::FaultServer exporter_{
      [this](const fault::Request&) { return fault::HttpStatus(200, text_, "text/plain"); }};
};

TEST_P(CaptureTest, GivesItsGoldenRows) {
  const auto prometheus = Prometheus::Scraping(exporter_.port(), IsAsStored(text_));
  const std::string seen = Seen(*prometheus);
  if (std::getenv("GPUMON_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden_) << seen;
    return;
  }
  EXPECT_EQ(seen, ReadFile(golden_)) << "a changed golden is read before it is taken: "
                                        "GPUMON_UPDATE_GOLDEN=1 writes it";
}

TEST_P(CaptureTest, GivesThemThroughVictoriaMetricsButForWhatIsListed) {
  const auto upstream = VictoriaMetrics::Scraping(exporter_.port(), IsAsStored(text_));
  const auto difference = DifferenceOf(LinesOf(ReadFile(golden_)), LinesOf(Seen(*upstream)));
  EXPECT_EQ(difference, ListedDifferences()[GetParam()])
      << "tests/golden/victoria-metrics.txt lists what differs, and why";
}

TEST(CaptureDifferencesTest, AreOfCapturesThatAreThere) {
  const std::vector<std::string> captures = Captures();
  for (const auto& [capture, lines] : ListedDifferences()) {
    EXPECT_TRUE(std::binary_search(captures.begin(), captures.end(), capture)) << capture;
  }
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
