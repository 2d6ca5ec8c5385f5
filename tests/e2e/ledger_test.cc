// Windows over a real Prometheus with a generated past: what the ledger says is what Prometheus
// says, and what each of its instants says.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr std::int64_t kStart = 1704110400;
constexpr int kMinutes = 120;
constexpr int kGpus = 12;

// Twelve GPUs of three nodes, sampled once a minute: load that comes and goes, pods that change,
// processes, an XID, gaps of a GPU and of a whole node.
std::string Past() {
  std::mt19937 random(7);
  std::map<std::string, std::string> families;
  const auto add = [&](const std::string& name, const std::string& labels, double value,
                       int minute) {
    families[name] += name + "{" + labels + ",job=\"gpu\",instance=\"x:1\"} " +
                      std::to_string(value) + " " + std::to_string(kStart + 60 * minute) + "\n";
  };
  for (int gpu = 0; gpu < kGpus; ++gpu) {
    int load = 0;
    std::string pod;
    for (int minute = 0; minute < kMinutes; ++minute) {
      if (random() % 9 == 0) load = random() % 2 == 0 ? 0 : 50;
      if (random() % 20 == 0) pod = random() % 3 == 0 ? "" : "pod-" + std::to_string(random() % 5);
      const bool away = (gpu == 3 && minute >= 40 && minute < 70) || (gpu >= 8 && minute >= 100);
      if (away) continue;
      std::string labels = "node=\"n" + std::to_string(gpu / 4) + "\",gpu=\"" +
                           std::to_string(gpu % 4) + "\",gpu_name=\"H100\",uuid=\"GPU-" +
                           std::to_string(gpu) + "\"";
      const std::string plain = labels;
      if (!pod.empty()) {
        labels += R"(,exported_namespace="ml",exported_pod=")" + pod + "\"";
      }
      add("nvidia_gpu_utilization_percent", labels, load, minute);
      add("nvidia_gpu_used_memory_bytes", labels, pod.empty() ? 0 : 4e10, minute);
      add("nvidia_gpu_total_memory_bytes", labels, 8e10, minute);
      if (gpu == 5) add("nvidia_gpu_xid_last", plain, minute < 60 ? 0 : 79, minute);
      if (gpu == 6 && minute > 30) {
        add("nvidia_gpu_process_gpu_memory_bytes",
            plain + R"(,pid="7",process_name="python",user="alice",command="python")", 1e9, minute);
      }
    }
  }
  std::string text;
  for (const auto& [name, lines] : families) text += "# TYPE " + name + " gauge\n" + lines;
  std::string up = "# TYPE up gauge\n";
  for (int minute = 0; minute < kMinutes; ++minute) {
    up += "up{job=\"gpu\",instance=\"x:1\"} 1 " + std::to_string(kStart + 60 * minute) + "\n";
  }
  return text + up + "# EOF\n";
}

double NumberOf(const Value& value) {
  const std::string* const text = value.AsNumberText();
  return text == nullptr ? -1 : std::stod(*text);
}

class LedgerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    prometheus_ = Prometheus::Holding(Past());
    server_ = std::make_unique<ApiServer>(
        prometheus_->url(), Environment{{"REQUEST_TIMEOUT", "60s"}, {"PROMETHEUS_TIMEOUT", "60s"}});
    ASSERT_TRUE(server_->AwaitReady());
  }
  static void TearDownTestSuite() {
    server_.reset();
    prometheus_.reset();
  }

  static Value Ask(const std::string& target) {
    const Answer answer = server_->Get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    auto json = json::ParseDocument(answer.body);
    return json ? *json : Value();
  }
  // The window of all samples, at their own instants.
  static std::string Window(const std::string& more) {
    return "start=" + std::to_string(kStart) + "&end=" + std::to_string(kStart + 60 * kMinutes) +
           "&step=1m" + more;
  }

  static std::unique_ptr<Prometheus> prometheus_;
  static std::unique_ptr<ApiServer> server_;
};
std::unique_ptr<Prometheus> LedgerTest::prometheus_;
std::unique_ptr<ApiServer> LedgerTest::server_;

TEST_F(LedgerTest, EveryGroupingAddsUpToGpusTimesWindow) {
  for (const char* const by : {"fleet", "node", "model", "gpu", "namespace", "pod", "user"}) {
    double sum = 0;
    const Value json = Ask("/api/v1/gpu/ledger?" + Window("&by=") + by);
    for (const Value& row : json["data"].elements()) {
      const double total = NumberOf(row["total_seconds"]);
      double states = 0;
      for (const char* const state : {"busy", "idle_held", "free", "unhealthy", "unknown"}) {
        states += NumberOf(row[std::string(state) + "_seconds"]);
      }
      EXPECT_EQ(states, total) << by;
      sum += total;
    }
    EXPECT_EQ(sum, 60.0 * kMinutes * kGpus) << by;
  }
}

TEST_F(LedgerTest, BusyTimeIsWhatPrometheusCounts) {
  const Value json = Ask("/api/v1/gpu/ledger?" + Window("&by=gpu"));
  std::map<std::string, double> busy;
  for (const Value& row : json["data"].elements()) {
    busy[*row["uuid"].AsString()] = NumberOf(row["busy_seconds"]);
  }
  ASSERT_EQ(busy.size(), static_cast<std::size_t>(kGpus));
  // At each of the instants: at least 10 %, by a sample of that instant, and no XID that asks for a
  // reset.
  const std::string newest =
      "(nvidia_gpu_utilization_percent and timestamp(nvidia_gpu_utilization_percent) == time())";
  const std::string promql = "60 * sum by (uuid) (count_over_time((" + newest +
                             " >= 10 unless on (uuid) nvidia_gpu_xid_last == 79)[" +
                             std::to_string(60 * kMinutes - 1) + "s:60s]))";
  const Value counted = prometheus_->Query(promql, std::to_string(kStart + 60 * (kMinutes - 1)));
  std::map<std::string, double> expected;
  for (const Value& sample : counted.elements()) {
    expected[*sample["metric"]["uuid"].AsString()] =
        std::stod(*sample["value"].elements()[1].AsString());
  }
  for (const auto& [uuid, seconds] : busy) {
    EXPECT_EQ(seconds, expected.contains(uuid) ? expected[uuid] : 0) << uuid;
  }
}

TEST_F(LedgerTest, WhatHasNoSampleIsUnknownToTheMinute) {
  const Value json = Ask("/api/v1/gpu/ledger?" + Window("&by=gpu"));
  int with_gaps = 0;
  for (const Value& row : json["data"].elements()) {
    const std::string& uuid = *row["uuid"].AsString();
    const Value told = prometheus_->Query(
        "sum(count_over_time(nvidia_gpu_utilization_percent{uuid=\"" + uuid + "\"}[3h]))",
        std::to_string(kStart + 60 * kMinutes));
    const int samples = std::stoi(*told.elements()[0]["value"].elements()[1].AsString());
    EXPECT_EQ(NumberOf(row["unknown_seconds"]), 60.0 * (kMinutes - samples)) << uuid;
    with_gaps += samples < kMinutes ? 1 : 0;
  }
  EXPECT_EQ(with_gaps, 5);
}

TEST_F(LedgerTest, EachInstantIsWhatTheSummaryOfThatInstantSays) {
  std::map<std::string, double> sums;
  constexpr int kFirst = 50;
  constexpr int kEnd = 100;  // what an instant shows for five minutes more is a gap of a window
  constexpr int kStep = 2;
  for (int minute = kFirst; minute < kEnd; minute += kStep) {
    const Value json = Ask("/api/v1/gpu/summary?at=" + std::to_string(kStart + 60 * minute));
    const Value& row = json["data"].elements()[0];
    for (const char* const state : {"busy", "idle_held", "free", "unhealthy"}) {
      sums[state] += 60.0 * kStep * NumberOf(row[state]);
    }
  }
  const Value json = Ask("/api/v1/gpu/ledger?start=" + std::to_string(kStart + 60 * kFirst) +
                         "&end=" + std::to_string(kStart + 60 * kEnd) + "&step=2m");
  const Value& row = json["data"].elements()[0];
  for (const auto& [state, seconds] : sums) {
    EXPECT_EQ(NumberOf(row[state + "_seconds"]), seconds) << state;
    EXPECT_GT(seconds, 0) << state;
  }
}

// The samples of each step, whoever held the GPU then.
TEST_F(LedgerTest, HistoryIsWhatPrometheusSaysOfTheSamples) {
  constexpr int kStep = 600;
  const Value json = Ask("/api/v1/gpu/history?metric=utilization&start=" + std::to_string(kStart) +
                         "&end=" + std::to_string(kStart + 60 * kMinutes) + "&step=10m");
  ASSERT_EQ(json["data"].elements().size(), static_cast<std::size_t>(kGpus));
  const int steps = 60 * kMinutes / kStep;
  int gaps = 0;
  for (int i = 0; i < steps; ++i) {
    for (const auto& [list, function] :
         {std::pair{"avg", "sum"}, std::pair{"min", "min"}, std::pair{"max", "max"}}) {
      const std::string range = "_over_time(nvidia_gpu_utilization_percent[10m])";
      const std::string promql =
          std::string(function) + " by (uuid) (" + function + range + ")" +
          (function == std::string("sum") ? " / sum by (uuid) (count" + range + ")" : "");
      const Value told = prometheus_->Query(promql, std::to_string(kStart + (i + 1) * kStep));
      std::map<std::string, double> expected;
      for (const Value& sample : told.elements()) {
        expected[*sample["metric"]["uuid"].AsString()] =
            std::stod(*sample["value"].elements()[1].AsString());
      }
      for (const Value& row : json["data"].elements()) {
        const std::string& uuid = *row["uuid"].AsString();
        const Value& value = row[list].elements()[static_cast<std::size_t>(i)];
        EXPECT_EQ(value.is_null(), !expected.contains(uuid)) << uuid << " step " << i;
        if (value.is_null()) {
          ++gaps;
        } else {
          EXPECT_NEAR(NumberOf(value), expected[uuid], 1e-9) << uuid;
        }
      }
    }
  }
  EXPECT_GT(gaps, 0);
}

TEST_F(LedgerTest, HistoryOfTheClusterIsThatOfItsGpus) {
  const std::string window = "&start=" + std::to_string(kStart) +
                             "&end=" + std::to_string(kStart + 60 * kMinutes) + "&step=20m";
  for (const char* const metric : {"utilization", "memory_used_percent", "memory_used_bytes"}) {
    const Value each = Ask(std::string("/api/v1/gpu/history?metric=") + metric + window);
    const Value all =
        Ask(std::string("/api/v1/gpu/history?aggregate=cluster&metric=") + metric + window);
    ASSERT_EQ(all["data"].elements().size(), 1U);
    const Value& cluster = all["data"].elements()[0];
    for (std::size_t i = 0; i < 6; ++i) {
      double sum = 0;
      int known = 0;
      for (const Value& row : each["data"].elements()) {
        const Value& value = row["avg"].elements()[i];
        if (value.is_null()) continue;
        sum += NumberOf(value);
        ++known;
      }
      EXPECT_NEAR(NumberOf(cluster["sum"].elements()[i]), sum, 1e-6 * sum) << metric;
      EXPECT_EQ(NumberOf(cluster["known"].elements()[i]), known) << metric;
    }
  }
}

TEST_F(LedgerTest, IdleHoldersHaveTheTimeOfTheLedger) {
  double held = 0;
  const Value idle = Ask("/api/v1/gpu/idle?" + Window(""));
  for (const Value& row : idle["data"].elements()) held += NumberOf(row["idle_seconds"]);
  const Value ledger = Ask("/api/v1/gpu/ledger?" + Window(""));
  EXPECT_EQ(held, NumberOf(ledger["data"].elements()[0]["idle_held_seconds"]));
  EXPECT_GT(held, 0);
}

TEST_F(LedgerTest, AskingForANodeChangesNothingOfIt) {
  const Value all = Ask("/api/v1/gpu/ledger?" + Window("&by=node"));
  for (const Value& row : all["data"].elements()) {
    const std::string node = *row["node_name"].AsString();
    const Value one = Ask("/api/v1/gpu/ledger?" + Window("&by=node&node=" + node));
    ASSERT_EQ(one["data"].elements().size(), 1U);
    for (const char* const column : {"busy_seconds", "idle_held_seconds", "unknown_seconds"}) {
      EXPECT_EQ(NumberOf(one["data"].elements()[0][column]), NumberOf(row[column])) << node;
    }
  }
}

TEST_F(LedgerTest, AWindowBeforeAllDataHasNoGpus) {
  const Value json = Ask("/api/v1/gpu/ledger?start=1600000000&end=1600003600");
  EXPECT_EQ(
      NumberOf(json["data"].elements().size() == 0 ? Value()
                                                   : json["data"].elements()[0]["total_seconds"]),
      -1);
}

// Two targets of one exporter: one is scraped each 15 s, the other each two minutes; neither for
// four and for twelve minutes of the hour.
TEST(WindowTest, AGapIsUnknownHoweverOftenTargetsAreScraped) {
  std::string busy = "# TYPE nvidia_gpu_utilization_percent gauge\n";
  std::string up = "# TYPE up gauge\n";
  const auto sample = [&](const std::string& node, int second) {
    const std::string labels = "job=\"g\",instance=\"" + node + ":1\"";
    const std::string at = ' ' + std::to_string(kStart + second) + '\n';
    busy += "nvidia_gpu_utilization_percent{gpu=\"0\",uuid=\"GPU-" + node + "\",node=\"" + node +
            "\"," + labels + "} 50" + at;
    up += "up{" + labels + "} 1" + at;
  };
  for (int second = 0; second < 3600; second += 15) {
    if (second < 1200 || second >= 1440) sample("fast", second);
  }
  for (int second = 0; second < 3600; second += 120) {
    if (second < 2040 || second >= 2760) sample("slow", second);
  }
  const auto prometheus = Prometheus::Holding(busy + up + "# EOF\n");
  const ApiServer server(prometheus->url(), {});
  for (const int step : {15, 60, 120}) {
    const Answer answer =
        server.Get("/api/v1/gpu/ledger?by=gpu&start=" + std::to_string(kStart) +
                   "&end=" + std::to_string(kStart + 3600) + "&step=" + std::to_string(step));
    const Value json = answer.Json();
    ASSERT_EQ(json["data"].size(), 2U) << answer.body;
    for (const Value& row : json["data"].elements()) {
      const bool is_fast = *row["uuid"].AsString() == "GPU-fast";
      const double gap = is_fast ? 240 : 720;
      EXPECT_NEAR(NumberOf(row["unknown_seconds"]), gap, is_fast ? step : 120) << step;
      EXPECT_EQ(NumberOf(row["busy_seconds"]) + NumberOf(row["unknown_seconds"]), 3600) << step;
    }
  }
}

// Whatever makes a GPU unhealthy does so as long as it is sampled; without staleness markers.
TEST(WindowTest, AGapIsUnknownOfUnhealthyGpusToo) {
  for (const std::string fault : {"nvidia_gpu_ecc_uncorrected_volatile_total",
                                  "nvidia_gpu_xid_last", "nvidia_gpu_row_remap_failure"}) {
    std::map<std::string, std::string> families;
    const auto sample = [&](const std::string& name, const std::string& value, int second) {
      families[name] += name + "{gpu=\"0\",uuid=\"GPU-1\",node=\"n\",job=\"g\",instance=\"n:1\"} " +
                        value + ' ' + std::to_string(kStart + second) + '\n';
    };
    for (int second = 0; second < 2400; second += 15) {
      if (second >= 600 && second < 1800) continue;
      sample("nvidia_gpu_utilization_percent", "0", second);
      sample(fault, fault == "nvidia_gpu_xid_last" ? "79" : "1", second);
    }
    std::string past;
    for (const auto& [name, text] : families) past.append("# TYPE " + name + " unknown\n" + text);
    const auto prometheus = Prometheus::Holding(past + "# EOF\n");
    const ApiServer server(prometheus->url(), {});
    const Value json = server
                           .Get("/api/v1/gpu/ledger?step=15s&start=" + std::to_string(kStart) +
                                "&end=" + std::to_string(kStart + 2400))
                           .Json();
    ASSERT_EQ(json["data"].size(), 1U);
    const Value& row = json["data"].elements()[0];
    EXPECT_EQ(NumberOf(row["unhealthy_seconds"]), 1200) << fault;
    EXPECT_EQ(NumberOf(row["unknown_seconds"]), 1200) << fault;
  }
}

// Of a past without staleness markers: a pod held the GPU for less than five minutes, and worked.
TEST(WindowTest, AShortHolderHasItsTimeAndNoMore) {
  for (const int samples : {2, 8, 19, 22}) {
    std::string busy = "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n";
    std::string used = "# TYPE DCGM_FI_DEV_FB_USED gauge\n";
    std::string free = "# TYPE DCGM_FI_DEV_FB_FREE gauge\n";
    std::string up = "# TYPE up gauge\n";
    for (int i = -40; i <= 80; ++i) {
      const bool held = i >= 20 && i < 20 + samples;
      const std::string pod = held ? ",namespace=\"ml\",pod=\"p\",container=\"c\"" : "";
      const std::string labels = "{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H100\",Hostname=\"n\"" +
                                 pod + ",job=\"d\",instance=\"x:1\"} ";
      const std::string at = ' ' + std::to_string(kStart + 15 * i) + '\n';
      busy += "DCGM_FI_DEV_GPU_UTIL" + labels + (held ? "80" : "0") + at;
      used += "DCGM_FI_DEV_FB_USED" + labels + (held ? "40000" : "0") + at;
      free += "DCGM_FI_DEV_FB_FREE" + labels + (held ? "41000" : "81000") + at;
      up += "up{job=\"d\",instance=\"x:1\"} 1" + at;
    }
    const auto prometheus = Prometheus::Holding(busy + used + free + up + "# EOF\n");
    const ApiServer server(prometheus->url(), {});
    const std::string window =
        "start=" + std::to_string(kStart) + "&end=" + std::to_string(kStart + 1200);
    for (const std::string step : {"15s", "60s"}) {
      const Value json = server.Get("/api/v1/gpu/ledger?by=pod&" + window + "&step=" + step).Json();
      double busy_of_p = 0;
      double held = 0;
      for (const Value& row : json["data"].elements()) {
        busy_of_p += NumberOf(row["busy_seconds"]);
        held += NumberOf(row["idle_held_seconds"]);
      }
      EXPECT_NEAR(busy_of_p, 15 * samples, step == "15s" ? 0 : 60) << samples << ' ' << step;
      EXPECT_EQ(held, 0) << samples << ' ' << step;
    }
    EXPECT_EQ(server.Get("/api/v1/gpu/idle?" + window + "&step=15s").Json()["data"].size(), 0U);
  }
}

// Its other values go on: it is seen, and what needs a reset does so all the time.
TEST(WindowTest, AGpuWithoutUtilizationIsThereAllTheSame) {
  std::string busy = "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n";
  std::string xid = "# TYPE DCGM_FI_DEV_XID_ERRORS gauge\n";
  std::string heat = "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\n";
  std::string up = "# TYPE up gauge\n";
  for (int i = 0; i <= 120; ++i) {
    const std::string at = ' ' + std::to_string(kStart + 30 * i) + '\n';
    up += R"(up{job="d",instance="x:1"} 1)" + at;
    for (const std::string gpu : {"0", "1"}) {
      const std::string labels = "{gpu=\"" + gpu + "\",UUID=\"GPU-" + gpu +
                                 R"(",modelName="H100",Hostname="n",job="d",instance="x:1"} )";
      if (i < 40 || i >= 60) busy += "DCGM_FI_DEV_GPU_UTIL" + labels + "50" + at;
      xid += "DCGM_FI_DEV_XID_ERRORS" + labels + (gpu == "0" ? "79" : "0") + at;
      heat += "DCGM_FI_DEV_GPU_TEMP" + labels + "50" + at;
    }
  }
  const auto prometheus = Prometheus::Holding(busy + xid + heat + up + "# EOF\n");
  const ApiServer server(prometheus->url(), {});
  const Value json = server
                         .Get("/api/v1/gpu/ledger?by=gpu&start=" + std::to_string(kStart) +
                              "&end=" + std::to_string(kStart + 3600) + "&step=30s")
                         .Json();
  ASSERT_EQ(json["data"].size(), 2U);
  for (const Value& row : json["data"].elements()) {
    const bool needs_reset = *row["uuid"].AsString() == "GPU-0";
    EXPECT_EQ(NumberOf(row["unhealthy_seconds"]), needs_reset ? 3600 : 0);
    EXPECT_EQ(NumberOf(row["busy_seconds"]), needs_reset ? 0 : 3000);
    EXPECT_EQ(NumberOf(row["unknown_seconds"]), needs_reset ? 0 : 600);
  }
}

TEST(WindowTest, AGpuThatMovesIsOneThoughBothNodesShowItForAScrape) {
  std::string busy = "# TYPE nvidia_gpu_utilization_percent gauge\n";
  std::string up = "# TYPE up gauge\n";
  for (int i = 0; i <= 80; ++i) {
    for (const std::string node : {"a", "b"}) {
      const std::string target = "job=\"g\",instance=\"" + node + ":1\"";
      const std::string at = ' ' + std::to_string(kStart + 15 * i) + '\n';
      up += "up{" + target + "} 1" + at;
      if (node == "a" ? i > 40 : i < 40) continue;
      busy += "nvidia_gpu_utilization_percent{gpu=\"0\",uuid=\"GPU-1\",node=\"" + node + "\"," +
              target + "} 50" + at;
    }
  }
  const auto prometheus = Prometheus::Holding(busy + up + "# EOF\n");
  const ApiServer server(prometheus->url(), {});
  const Value json = server
                         .Get("/api/v1/gpu/ledger?by=node&start=" + std::to_string(kStart) +
                              "&end=" + std::to_string(kStart + 1200) + "&step=15s")
                         .Json();
  ASSERT_EQ(json["data"].size(), 2U);
  double total = 0;
  for (const Value& row : json["data"].elements()) {
    total += NumberOf(row["busy_seconds"]);
    EXPECT_EQ(NumberOf(row["unknown_seconds"]), 0);
  }
  EXPECT_EQ(total, 1200);
}

// The only target of an exporter came and went within the window.
TEST(WindowTest, AnExporterThatIsAtNeitherEndHasBeenThere) {
  std::string dcgm = "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n";
  std::string smi = "# TYPE nvidia_smi_utilization_gpu_ratio gauge\n";
  std::string up = "# TYPE up gauge\n";
  for (int minute = 0; minute <= 480; ++minute) {
    const std::string at = ' ' + std::to_string(kStart + 60 * minute) + '\n';
    dcgm +=
        R"(DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n",job="d",instance="x:1"} 50)" + at;
    up += R"(up{job="d",instance="x:1"} 1)" + at;
    if (minute < 200 || minute > 260) continue;
    smi += R"(nvidia_smi_utilization_gpu_ratio{uuid="2",node="m",job="s",instance="x:2"} 0.7)" + at;
    up += R"(up{job="s",instance="x:2"} 1)" + at;
  }
  const auto prometheus = Prometheus::Holding(dcgm + smi + up + "# EOF\n");
  const ApiServer server(prometheus->url(), {});
  const std::string window =
      "start=" + std::to_string(kStart) + "&end=" + std::to_string(kStart + 480 * 60);
  const auto rows = [&](const std::string& path) {
    const Answer answer = server.Get("/api/v1/gpu/" + path + window);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.Json()["data"];
  };
  EXPECT_EQ(rows("history?step=10m&").size(), 2U);
  EXPECT_EQ(NumberOf(rows("ledger?step=1m&")[0]["gpus"]), 2);
  ASSERT_EQ(rows("missing?").size(), 1U);
  EXPECT_EQ(*rows("missing?")[0]["node_name"].AsString(), "m");
}

}  // namespace
}  // namespace gpumon::e2e
