// Events over a real Prometheus with a generated past: those that were put into it come out, and no
// others.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr std::int64_t kStart = 1704110400;
constexpr int kScrape = 15;  // seconds
constexpr int kSlot = 40;    // scrapes
constexpr int kSlots = 12;   // two hours
constexpr int kScrapes = kSlot * kSlots;
constexpr int kTargets = 3;
constexpr int kGpusOfEach = 4;
constexpr int kLookBack = 300 / kScrape;  // scrapes: series here end without a staleness marker

// What a GPU shows in a scrape.
struct Shown {
  bool there = true;
  int xid = 0;
  int corrected = 0;
  int uncorrected = 0;
  int throttle = 4;  // its power cap: no throttling
  int temperature = 60;
};

struct Fleet {
  std::vector<std::vector<Shown>> gpus;  // by scrape; those of a target stand together
  std::vector<std::vector<int>> up;      // of each target, by scrape
  // "type gpu value pod begin end", times in scrapes.
  std::multiset<std::string> expected;
};

// In odd slots each GPU has a pod of that slot.
std::string PodOf(int scrape) {
  const int slot = scrape / kSlot;
  return slot % 2 == 1 ? "pod-" + std::to_string(slot) : "";
}

std::string Line(const std::string& type, const std::string& of, int value, const std::string& pod,
                 int begin, int end) {
  std::string line = type;
  for (const std::string& text : {of, std::to_string(value), pod, std::to_string(begin),
                                  end < kScrapes ? std::to_string(end) : std::string("?")}) {
    line += " " + text;
  }
  return line;
}

class FleetMaker {
 public:
  explicit FleetMaker(unsigned seed) : random_(seed) {
    fleet_.gpus.assign(kTargets * kGpusOfEach, std::vector<Shown>(kScrapes));
    fleet_.up.assign(kTargets, std::vector<int>(kScrapes, 1));
    // Older than all of it: no events.
    for (Shown& shown : fleet_.gpus[1]) shown.xid = 31;
    for (Shown& shown : fleet_.gpus[2]) shown.corrected = 7;
  }

  Fleet Make() {
    for (int slot = 0; slot < kSlots; ++slot) {
      for (int target = 0; target < kTargets; ++target) {
        if (slot > 0 && Below(6) == 0) {
          Outage(target, slot * kSlot + 2 + Below(3));
          continue;
        }
        for (int gpu = target * kGpusOfEach; gpu < (target + 1) * kGpusOfEach; ++gpu) {
          if (Below(3) == 0) Inject(gpu, slot);
        }
      }
    }
    return std::move(fleet_);
  }

 private:
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  static std::string Name(int gpu) { return "GPU-" + std::to_string(gpu); }

  void Outage(int target, int first) {
    const int end = first + 1 + Below(30);
    for (int i = first; i < end; ++i) {
      fleet_.up[static_cast<std::size_t>(target)][static_cast<std::size_t>(i)] = 0;
      for (int gpu = target * kGpusOfEach; gpu < (target + 1) * kGpusOfEach; ++gpu) {
        At(gpu, i).there = false;
      }
    }
    fleet_.expected.insert(
        Line("exporter_down", "t" + std::to_string(target) + ":1", kGpusOfEach, "", first, end));
  }

  Shown& At(int gpu, int scrape) {
    return fleet_.gpus[static_cast<std::size_t>(gpu)][static_cast<std::size_t>(scrape)];
  }

  void Inject(int gpu, int slot) {
    const int first = slot * kSlot + 2 + Below(5);
    int end = first + 1 + Below(10);
    const auto expect = [&](const std::string& type, int value, int begin, int until) {
      fleet_.expected.insert(Line(type, Name(gpu), value, PodOf(begin), begin, until));
    };
    switch (Below(6)) {
      case 0: {
        const int code = 13 + Below(4);
        const bool is_new = At(gpu, first).xid != code;
        for (int i = first; i < kScrapes; ++i) At(gpu, i).xid = code;
        if (is_new) expect("xid", code, first, first);
        return;
      }
      case 1: {
        int grown = 0;
        for (int i = first; i < end; ++i) {
          const int by = 1 + Below(3);
          for (int j = i; j < kScrapes; ++j) At(gpu, j).corrected += by;
          grown += by;
        }
        return expect("ecc_corrected", grown, first, end - 1);
      }
      case 2:
        for (int i = first; i < kScrapes; ++i) At(gpu, i).uncorrected += 1;
        return expect("ecc_uncorrected", 1, first, first);
      case 3:
        if (slot + 1 == kSlots) end = kScrapes;
        for (int i = first; i < end; ++i) At(gpu, i).throttle = 0x24;
        return expect("throttle", 0, first, end);
      case 4: {
        int peak = 0;
        for (int i = first; i < end; ++i) {
          At(gpu, i).temperature = 76 + Below(15);
          peak = std::max(peak, At(gpu, i).temperature);
        }
        return expect("temperature", peak, first, end);
      }
      default: {
        end = first + kLookBack + 1 + Below(10);
        for (int i = first; i < end; ++i) At(gpu, i).there = false;
        // Seen for so long still.
        expect("gpu_lost", 0, first + kLookBack, end);
        fleet_.expected.insert(Line("gpu_returned", Name(gpu), 0, PodOf(end), end, end));
      }
    }
  }

  std::mt19937 random_;
  Fleet fleet_;
};

std::string PastOf(const Fleet& fleet) {
  std::map<std::string, std::string> families;
  const auto add = [&](const std::string& name, const std::string& labels, int value, int scrape) {
    families[name] += name + "{" + labels + "} " + std::to_string(value) + " " +
                      std::to_string(kStart + kScrape * scrape) + "\n";
  };
  for (int scrape = 0; scrape < kScrapes; ++scrape) {
    for (int target = 0; target < kTargets; ++target) {
      const std::string of = "job=\"gpu\",instance=\"t" + std::to_string(target) + ":1\"";
      const auto i = static_cast<std::size_t>(scrape);
      add("up", of, fleet.up[static_cast<std::size_t>(target)][i], scrape);
      for (int gpu = target * kGpusOfEach; gpu < (target + 1) * kGpusOfEach; ++gpu) {
        const Shown& shown = fleet.gpus[static_cast<std::size_t>(gpu)][i];
        if (!shown.there) continue;
        const std::string labels = of + ",node=\"n" + std::to_string(target) + "\",gpu=\"" +
                                   std::to_string(gpu % kGpusOfEach) +
                                   "\",gpu_name=\"H100\",uuid=\"GPU-" + std::to_string(gpu) + "\"";
        const std::string pod = PodOf(scrape);
        const std::string held =
            pod.empty() ? labels
                        : labels + R"(,exported_namespace="ml",exported_pod=")" + pod + "\"";
        add("nvidia_gpu_utilization_percent", held, 50, scrape);
        add("nvidia_gpu_temperature_celsius", held, shown.temperature, scrape);
        add("nvidia_gpu_throttle_reasons", held, shown.throttle, scrape);
        add("nvidia_gpu_xid_last", labels, shown.xid, scrape);
        add("nvidia_gpu_ecc_corrected_volatile_total", held, shown.corrected, scrape);
        add("nvidia_gpu_ecc_uncorrected_volatile_total", labels, shown.uncorrected, scrape);
      }
    }
  }
  std::string text;
  for (const auto& [name, lines] : families) text += "# TYPE " + name + " gauge\n" + lines;
  return text + "# EOF\n";
}

double NumberOf(const Value& value) {
  const std::string* const text = value.AsNumberText();
  return text == nullptr ? -1 : std::stod(*text);
}

std::string TextOf(const Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? "" : *text;
}

// Scrapes since the begin of the past; times are RFC 3339 of one day.
int ScrapeOf(const Value& time) {
  const std::string text = TextOf(time);  // 2024-01-01T12:00:00Z
  if (text.empty()) return kScrapes;
  const int seconds = std::stoi(text.substr(11, 2)) * 3600 + std::stoi(text.substr(14, 2)) * 60 +
                      std::stoi(text.substr(17, 2));
  return (seconds - 12 * 3600) / kScrape;
}

std::string LineOf(const Value& row) {
  const std::string type = TextOf(row["type"]);
  const auto& pods = row["pod"].elements();
  int value = 0;
  for (const char* const column : {"xid", "errors", "temperature_max", "gpus"}) {
    if (!row[column].is_null()) value = static_cast<int>(NumberOf(row[column]));
  }
  const std::string target = TextOf(row["target"]);
  return Line(type, target.empty() ? TextOf(row["uuid"]) : target.substr(target.find(", ") + 2),
              value, pods.empty() ? "" : TextOf(pods[0]), ScrapeOf(row["time"]),
              ScrapeOf(row["end"]));
}

class EventsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    fleet_ = FleetMaker(20240101).Make();
    prometheus_ = Prometheus::Holding(PastOf(fleet_));
    server_ = std::make_unique<ApiServer>(
        prometheus_->url(), Environment{{"REQUEST_TIMEOUT", "60s"}, {"PROMETHEUS_TIMEOUT", "60s"}});
    ASSERT_TRUE(server_->AwaitReady());
  }
  static void TearDownTestSuite() {
    server_.reset();
    prometheus_.reset();
  }

  static Value Ask(const std::string& more) {
    const std::string target = "/api/v1/gpu/events?start=" + std::to_string(kStart) +
                               "&end=" + std::to_string(kStart + kScrape * kScrapes) + more;
    const Answer answer = server_->Get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    auto json = json::ParseDocument(answer.body);
    return json ? *json : Value();
  }
  // Of scrapes [first, last], without what lasted before: "type gpu begin".
  static std::multiset<std::string> BegunIn(int first, int last) {
    const std::string target =
        "/api/v1/gpu/events?step=15s&start=" + std::to_string(kStart + kScrape * first) +
        "&end=" + std::to_string(kStart + kScrape * last);
    const Answer answer = server_->Get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    std::multiset<std::string> begun;
    const auto json = json::ParseDocument(answer.body);
    if (!json) return begun;
    for (const Value& row : (*json)["data"].elements()) {
      if (*row["open_before"].AsBool()) continue;
      begun.insert(TextOf(row["type"]) + " " + TextOf(row["uuid"]) + TextOf(row["target"]) + " " +
                   std::to_string(ScrapeOf(row["time"])));
    }
    return begun;
  }
  static std::multiset<std::string> Lines(const Value& json) {
    std::multiset<std::string> lines;
    for (const Value& row : json["data"].elements()) lines.insert(LineOf(row));
    return lines;
  }
  template <class Keep>
  static std::multiset<std::string> Expected(const Keep& keep) {
    std::multiset<std::string> lines;
    for (const std::string& line : fleet_.expected) {
      if (keep(line)) lines.insert(line);
    }
    return lines;
  }

  static Fleet fleet_;
  static std::unique_ptr<Prometheus> prometheus_;
  static std::unique_ptr<ApiServer> server_;
};
Fleet EventsTest::fleet_;
std::unique_ptr<Prometheus> EventsTest::prometheus_;
std::unique_ptr<ApiServer> EventsTest::server_;

TEST_F(EventsTest, WhatWasInjectedComesOutAndNothingElse) {
  const Value json = Ask("");
  EXPECT_EQ(Lines(json), fleet_.expected);
  EXPECT_GT(fleet_.expected.size(), 30U);
  EXPECT_EQ(NumberOf(json["meta"]["window"]["step_seconds"]), kScrape);
  std::string before = "9";
  for (const Value& row : json["data"].elements()) {
    EXPECT_LE(TextOf(row["time"]), before);
    before = TextOf(row["time"]);
  }
}

TEST_F(EventsTest, FiltersTakeThoseThatPass) {
  const auto starts = [](const std::string& with) {
    return [with](const std::string& line) { return line.starts_with(with); };
  };
  EXPECT_EQ(Lines(Ask("&type=xid")), Expected(starts("xid ")));
  EXPECT_EQ(Lines(Ask("&type=ecc_*&severity=critical")), Expected(starts("ecc_uncorrected ")));
  EXPECT_EQ(Lines(Ask("&pod=pod-3")), Expected([](const std::string& line) {
              return line.find(" pod-3 ") != std::string::npos;
            }));
  EXPECT_EQ(Lines(Ask("&uuid=gpu-5")), Expected([](const std::string& line) {
              return line.find(" GPU-5 ") != std::string::npos;
            }));
  std::multiset<std::string> nodes;
  for (const char* const node : {"n0", "n1", "n2"}) {
    const auto its = Lines(Ask(std::string("&node=") + node));
    EXPECT_FALSE(its.empty()) << node;
    nodes.insert(its.begin(), its.end());
  }
  EXPECT_EQ(nodes, fleet_.expected);
}

// Each window has the events that begin in it, and those that it cuts.
TEST_F(EventsTest, AWindowShowsWhatIsInIt) {
  std::multiset<std::string> moments;
  for (int slot = 0; slot < kSlots; ++slot) {
    const std::int64_t start = kStart + kScrape * kSlot * slot;
    const Answer answer =
        server_->Get("/api/v1/gpu/events?type=xid&start=" + std::to_string(start) +
                     "&end=" + std::to_string(start + kScrape * kSlot));
    const auto parsed = json::ParseDocument(answer.body);
    ASSERT_TRUE(parsed.has_value()) << answer.body;
    const auto its = Lines(*parsed);
    moments.insert(its.begin(), its.end());
  }
  EXPECT_EQ(moments, Expected([](const std::string& line) { return line.starts_with("xid "); }));
}

// What spans their ends too: losses, and counts that grew while nobody showed them.
TEST_F(EventsTest, WindowsThatMeetTellTheSameAsOne) {
  const std::multiset<std::string> all = BegunIn(0, kScrapes);
  EXPECT_GT(all.size(), 30U);
  for (const int length : {37, 61, 150}) {
    std::multiset<std::string> told;
    for (int first = 0; first < kScrapes; first += length) {
      told.merge(BegunIn(first, std::min(first + length, kScrapes)));
    }
    EXPECT_EQ(told, all) << "windows of " << length << " scrapes";
  }
}

TEST_F(EventsTest, CsvHasTheSameRows) {
  const Answer answer =
      server_->Get("/api/v1/gpu/events?format=csv&limit=3&start=" + std::to_string(kStart) +
                   "&end=" + std::to_string(kStart + kScrape * kScrapes));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 4) << answer.body;
}

// GPU 0 tells its utilization alone, 1 its temperature, 2 its power and 3, which stays, its memory.
std::string PastOfFewFields() {
  constexpr const char* kFields[] = {"nvidia_gpu_utilization_percent",
                                     "nvidia_gpu_temperature_celsius", "nvidia_gpu_power_watts",
                                     "nvidia_gpu_used_memory_bytes"};
  std::string text;
  for (int gpu = 0; gpu < 4; ++gpu) {
    text += "# TYPE " + std::string(kFields[gpu]) + " gauge\n";
    for (int scrape = 0; scrape < (gpu < 3 ? 2 : 4) * kSlot; ++scrape) {
      text += std::string(kFields[gpu]) + R"({job="g",instance="n:1",node="n",gpu=")" +
              std::to_string(gpu) + R"(",uuid="GPU-)" + std::to_string(gpu) + "\"} 50 " +
              std::to_string(kStart + kScrape * scrape) + '\n';
    }
  }
  text += "# TYPE up gauge\n";
  for (int scrape = 0; scrape < 4 * kSlot; ++scrape) {
    text += R"(up{job="g",instance="n:1"} 1 )" + std::to_string(kStart + kScrape * scrape) + '\n';
  }
  return text + "# EOF\n";
}

TEST(EventsOfFewFieldsTest, WhateverAGpuTellsOfItselfItsLossIsTold) {
  const auto prometheus = Prometheus::Holding(PastOfFewFields());
  const ApiServer server(prometheus->url());
  ASSERT_TRUE(server.AwaitReady());
  const Answer answer = server.Get(
      "/api/v1/gpu/events?type=gpu_lost&format=csv&fields=gpu_id&sort=gpu_id&start=" +
      std::to_string(kStart + 60) + "&end=" + std::to_string(kStart + kScrape * 4 * kSlot));
  EXPECT_EQ(answer.body, "gpu_id\r\n0\r\n1\r\n2\r\n");
}

}  // namespace
}  // namespace gpumon::e2e
