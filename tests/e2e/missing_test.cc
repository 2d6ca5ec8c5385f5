// Lost GPUs through the real server and a real Prometheus: none invented, none missed, and since
// when as exactly as Prometheus has it.
#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr char kMissing[] = "/api/v1/gpu/missing";
constexpr std::int64_t kStart = 1704110400;
constexpr int kMinutes = 240;

double TimeOf(const Value& value) {
  const auto time = ParseTime(value.AsString() == nullptr ? "" : *value.AsString());
  return time ? static_cast<double>(time->time_since_epoch().count()) / 1000 : -1;
}

// One sample a minute of each GPU while it is there.
class Past {
 public:
  void Add(const std::string& labels, int first, int last, double xid = 0) {
    for (int minute = first; minute <= last; ++minute) {
      Sample("nvidia_gpu_temperature_celsius", labels, 60, minute);
      Sample("nvidia_gpu_xid_last", labels, minute == last ? xid : 0, minute);
    }
  }
  std::string Text() {
    for (int minute = 0; minute < kMinutes; ++minute) {
      families_["up"] +=
          "up{job=\"gpu\",instance=\"x:1\"} 1 " + std::to_string(kStart + 60 * minute) + "\n";
    }
    std::string text;
    for (const auto& [name, lines] : families_) text += "# TYPE " + name + " gauge\n" + lines;
    return text + "# EOF\n";
  }

 private:
  void Sample(const std::string& name, const std::string& labels, double value, int minute) {
    families_[name] += name + "{" + labels + ",job=\"gpu\",instance=\"x:1\"} " +
                       std::to_string(value) + " " + std::to_string(kStart + 60 * minute) + "\n";
  }
  std::map<std::string, std::string> families_;
};

std::string Labels(const std::string& node, int gpu, const std::string& uuid,
                   const std::string& more = "") {
  return "node=\"" + node + "\",gpu=\"" + std::to_string(gpu) + "\",gpu_name=\"H100\",uuid=\"" +
         uuid + "\"" + more;
}

std::string Window() {
  return "?start=" + std::to_string(kStart) +
         "&end=" + std::to_string(kStart + 60 * (kMinutes - 1));
}

TEST(MissingTest, OneThatMovedOrReturnedIsThereAndALostOneHasItsOwner) {
  Past past;
  past.Add(Labels("n0", 0, "GPU-stays"), 0, kMinutes - 1);
  past.Add(Labels("n0", 1, "GPU-lost", R"(,exported_namespace="ml",exported_pod="train")"), 0, 130,
           79);
  past.Add(Labels("n0", 2, "GPU-moves"), 0, 90);
  past.Add(Labels("n1", 0, "GPU-moves"), 91, kMinutes - 1);
  past.Add(Labels("n1", 1, "GPU-returns"), 0, 40);
  past.Add(Labels("n1", 1, "GPU-returns"), 100, kMinutes - 1);
  past.Add(Labels("n2", 0, "GPU-of-a-node"), 0, 75);
  const auto prometheus = Prometheus::Holding(past.Text());
  ApiServer server(prometheus->url());
  ASSERT_TRUE(server.AwaitReady());
  const Answer answer = server.Get(kMissing + Window());
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Value json = answer.Json();
  ASSERT_EQ(json["data"].size(), 2U) << answer.body;
  const Value& lost = json["data"][0];
  EXPECT_EQ(*lost["uuid"].AsString(), "GPU-lost");
  EXPECT_EQ(*lost["node_name"].AsString(), "n0");
  EXPECT_EQ(TimeOf(lost["last_seen"]), kStart + 60 * 130);
  EXPECT_EQ(lost["last_xid"].AsDouble(), 79) << "that of its last sample";
  EXPECT_EQ(lost["last_temperature"].AsDouble(), 60);
  EXPECT_EQ(*lost["owners"][0]["pod"].AsString(), "train");
  EXPECT_EQ(*lost["what"].AsString(), "gpu_gone") << *lost["evidence"].AsString();
  const Value& gone = json["data"][1];
  EXPECT_EQ(*gone["uuid"].AsString(), "GPU-of-a-node");
  EXPECT_EQ(*gone["what"].AsString(), "node_gone") << *gone["evidence"].AsString();
  EXPECT_EQ(TimeOf(gone["last_seen"]), kStart + 60 * 75);
  EXPECT_EQ(server.Get(kMissing + Window() + "&what=gpu_gone&pod=train").Json()["data"].size(), 1U);
}

TEST(MissingTest, OneThatWasThereForLessThanAStepIsExpectedToo) {
  Past past;
  past.Add(Labels("n0", 0, "GPU-stays"), 0, kMinutes - 1);
  past.Add(Labels("n0", 1, "GPU-brief", R"(,exported_namespace="ml",exported_pod="try")"), 64, 66,
           48);
  past.Add(Labels("n0", 2, "GPU-blinks"), 0, 20);
  past.Add(Labels("n0", 2, "GPU-blinks"), 152, 153);
  past.Add(Labels("n0", 3, "GPU-moves"), 64, 66);
  past.Add(Labels("n1", 3, "GPU-moves"), 100, kMinutes - 1);
  const auto prometheus = Prometheus::Holding(past.Text());
  ApiServer server(prometheus->url());
  ASSERT_TRUE(server.AwaitReady());
  const Answer answer = server.Get(kMissing + Window() + "&step=3600s");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Value json = answer.Json();
  ASSERT_EQ(json["data"].size(), 2U) << answer.body;
  const Value& blinks = json["data"][0];
  EXPECT_EQ(*blinks["uuid"].AsString(), "GPU-blinks");
  EXPECT_EQ(TimeOf(blinks["last_seen"]), kStart + 60 * 153);
  const Value& brief = json["data"][1];
  EXPECT_EQ(*brief["uuid"].AsString(), "GPU-brief");
  EXPECT_EQ(TimeOf(brief["last_seen"]), kStart + 60 * 66);
  EXPECT_EQ(brief["last_xid"].AsDouble(), 48);
  EXPECT_EQ(*brief["owners"][0]["pod"].AsString(), "try");
}

TEST(MissingTest, OfManyNoneIsInventedAndNoneMissed) {
  std::mt19937 random(11);
  Past past;
  std::map<std::string, int> last;  // minute, of those that are lost
  for (int gpu = 0; gpu < 40; ++gpu) {
    const std::string uuid = "GPU-" + std::to_string(gpu);
    const bool leaves = random() % 3 == 0;
    const int end = leaves ? 20 + static_cast<int>(random() % (kMinutes - 40)) : kMinutes - 1;
    past.Add(Labels("n" + std::to_string(gpu / 8), gpu % 8, uuid), 0, end);
    if (leaves) last[uuid] = end;
  }
  ASSERT_GT(last.size(), 6U);
  const auto prometheus = Prometheus::Holding(past.Text());
  ApiServer server(prometheus->url(), {{"REQUEST_TIMEOUT", "60s"}});
  ASSERT_TRUE(server.AwaitReady());
  const Answer answer = server.Get(kMissing + Window() + "&step=10m");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Value json = answer.Json();
  std::set<std::string> told;
  double newest = 1e18;
  std::size_t exact = 0;
  for (const Value& row : json["data"].elements()) {
    const std::string uuid = *row["uuid"].AsString();
    told.insert(uuid);
    ASSERT_TRUE(last.contains(uuid)) << uuid;
    const double truth = static_cast<double>(kStart) + 60.0 * last[uuid];
    EXPECT_LE(TimeOf(row["last_seen"]), truth + 300) << "no marker ended it";
    EXPECT_GE(TimeOf(row["missing_since"]), truth) << uuid;
    EXPECT_LE(TimeOf(row["missing_since"]), newest) << "the latest loss first";
    newest = TimeOf(row["missing_since"]);
    exact += TimeOf(row["last_seen"]) == truth ? 1U : 0U;
    if (told.size() <= 2) {
      EXPECT_EQ(TimeOf(row["last_seen"]), truth) << uuid;
    }
  }
  EXPECT_EQ(told.size(), last.size());
  EXPECT_GE(exact, 2U);
}

// Two dcgm-exporters, kube-state-metrics and a Prometheus that scrapes them once a second.
class LiveMissingTest : public testing::Test {
 protected:
  static std::string Gpu(const std::string& id, const std::string& node) {
    return "DCGM_FI_DEV_GPU_TEMP{gpu=\"" + id + "\",UUID=\"GPU-" + node + id +
           "\",modelName=\"H100\",Hostname=\"" + node + "\"} 40\n";
  }
  static std::string Kube(bool with_c) {
    std::string text;
    for (const std::string node : {"a", "b", "c"}) {
      if (node == "c" && !with_c) continue;
      text += "kube_node_info{node=\"" + node + "\"} 1\n";
      text += "kube_node_status_condition{node=\"" + node +
              "\",condition=\"Ready\",status=\"true\"} 1\n";
      text += "kube_node_status_capacity{node=\"" + node + "\",resource=\"nvidia_com_gpu\"} 2\n";
    }
    return text;
  }

  void SetUp() override {
    Serve(a_, Gpu("0", "a") + Gpu("1", "a"));
    Serve(b_, Gpu("0", "b"));
    Serve(c_, Gpu("0", "c"));
    Serve(kube_, Kube(true));
    prometheus_ = Prometheus::ScrapingEach({a_.port(), b_.port(), c_.port(), kube_.port()});
    server_ = std::make_unique<ApiServer>(prometheus_->url(), Environment{{"CACHE_TTL", "0s"}});
    ASSERT_TRUE(process::WaitUntil(
        [&] { return server_->Get("/api/v1/gpu/nodes").Json()["data"].size() == 3; },
        Millis(20'000)));
    ASSERT_TRUE(process::WaitUntil(
        [&] { return server_->Get("/api/v1/gpu/metrics").Json()["data"].size() == 4; },
        Millis(20'000)));
    // Until some instant of a window has seen each of them.
    ASSERT_TRUE(process::WaitUntil(
        [&] {
          return prometheus_->Query("min(count_over_time(DCGM_FI_DEV_GPU_TEMP[1m])) > 2", "")
                     .size() == 1;
        },
        Millis(20'000)));
    ASSERT_EQ(Missing().size(), 0U);
  }

  static void Serve(fault::FaultServer& target, const std::string& text) {
    target.SetReply(fault::HttpStatus(200, text, "text/plain"));
  }
  Value Missing() const {
    return server_->Get(std::string(kMissing) + "?window=1m&step=1s").Json()["data"];
  }
  // The first answer after Prometheus no longer shows it.
  Value RowOf(const std::string& uuid) const {
    EXPECT_TRUE(process::WaitUntil(
        [&] {
          return prometheus_->Query("DCGM_FI_DEV_GPU_TEMP{UUID=\"" + uuid + "\"}", "").size() == 0;
        },
        Millis(20'000)));
    const Value rows = Missing();
    for (const Value& row : rows.elements()) {
      if (*row["uuid"].AsString() == uuid) return row;
    }
    ADD_FAILURE() << uuid << " is not missing";
    return {};
  }

  fault::FaultServer a_;
  fault::FaultServer b_;
  fault::FaultServer c_;
  fault::FaultServer kube_;
  std::unique_ptr<Prometheus> prometheus_;
  std::unique_ptr<ApiServer> server_;
};

TEST_F(LiveMissingTest, ALostGpuIsThereAtOnceAndItsLastSampleIsExact) {
  Serve(a_, Gpu("0", "a"));
  const Value row = RowOf("GPU-a1");
  ASSERT_FALSE(row.is_null());
  EXPECT_EQ(*row["what"].AsString(), "gpu_gone") << *row["evidence"].AsString();
  const Value samples = prometheus_->Query("DCGM_FI_DEV_GPU_TEMP{UUID=\"GPU-a1\"}[5m]", "");
  ASSERT_EQ(samples.size(), 1U);
  const Value& values = samples[0]["values"];
  const double newest = *values[values.size() - 1][0].AsDouble();
  EXPECT_NEAR(TimeOf(row["last_seen"]), newest, 0.001);
  EXPECT_GT(TimeOf(row["missing_since"]), newest);
  Serve(a_, Gpu("0", "a") + Gpu("1", "a"));
  EXPECT_TRUE(process::WaitUntil([&] { return Missing().size() == 0; }, Millis(20'000)))
      << "it returned";
}

TEST_F(LiveMissingTest, OneThatWasShownForAScrapeHasItsTimeItsValuesAndItsOwner) {
  const std::string its =
      "gpu=\"5\",UUID=\"GPU-a5\",modelName=\"H100\",Hostname=\"a\",namespace=\"ml\",pod=\"try\"";
  Serve(a_, Gpu("0", "a") + Gpu("1", "a") + "DCGM_FI_DEV_GPU_TEMP{" + its +
                "} 77\nDCGM_FI_DEV_XID_ERRORS{" + its + "} 31\n");
  ASSERT_TRUE(process::WaitUntil(
      [&] { return prometheus_->Query("DCGM_FI_DEV_XID_ERRORS{UUID=\"GPU-a5\"}", "").size() == 1; },
      Millis(20'000)));
  Serve(a_, Gpu("0", "a") + Gpu("1", "a"));
  ASSERT_FALSE(RowOf("GPU-a5").is_null());
  const Value samples = prometheus_->Query("DCGM_FI_DEV_GPU_TEMP{UUID=\"GPU-a5\"}[5m]", "");
  const Value& values = samples[0]["values"];
  const double newest = *values[values.size() - 1][0].AsDouble();
  for (const std::string window : {"", "?window=6h", "?window=7d"}) {
    const Value rows = server_->Get(kMissing + window).Json()["data"];
    ASSERT_EQ(rows.size(), 1U) << window;
    EXPECT_NEAR(TimeOf(rows[0]["last_seen"]), newest, 0.001) << window;
    EXPECT_EQ(rows[0]["last_xid"].AsDouble(), 31) << window;
    EXPECT_EQ(rows[0]["last_temperature"].AsDouble(), 77) << window;
    ASSERT_EQ(rows[0]["owners"].size(), 1U) << window;
    EXPECT_EQ(*rows[0]["owners"][0]["pod"].AsString(), "try") << window;
  }
}

// "node/id score" of each GPU whose finding says that it is gone.
std::string LostOf(const Value& health) {
  std::string lost;
  for (const Value& row : health["data"].elements()) {
    for (const Value& finding : row["findings"].elements()) {
      if (*finding["component"].AsString() != "gpu") continue;
      lost += *row["node_name"].AsString() + "/" +
              (row["gpu_id"].is_null() ? "-" : *row["gpu_id"].AsString()) + " " +
              *row["score"].AsNumberText() + " ";
    }
  }
  return lost;
}

// Whoever asks for one node alone is not told that what moved from it is lost.
TEST_F(LiveMissingTest, WhatMovedIsNoLossOfItsNode) {
  std::string moved = Gpu("1", "a");
  for (std::size_t at = 0; (at = moved.find("Hostname=\"a\"", at)) != std::string::npos; ++at) {
    moved.replace(at, 12, "Hostname=\"b\"");
  }
  ASSERT_NE(moved, Gpu("1", "a"));
  Serve(b_, Gpu("0", "b") + moved);
  Serve(a_, Gpu("0", "a"));
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        const std::string uuid = "DCGM_FI_DEV_GPU_TEMP{UUID=\"GPU-a1\",Hostname=";
        return prometheus_->Query(uuid + "\"a\"}", "").size() == 0 &&
               prometheus_->Query(uuid + "\"b\"}", "").size() == 1;
      },
      Millis(20'000)));
  for (const std::string node : {"a", "b", "*"}) {
    const Answer answer = server_->Get("/api/v1/gpu/events?window=1m&type=gpu_*&node=" + node);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.Json()["data"].size(), 0U) << node << answer.body;
  }
}

TEST_F(LiveMissingTest, HealthCountsALostGpuAsLongAsItIsLost) {
  const auto health = [&](const std::string& query) {
    return server_->Get("/api/v1/gpu/health" + query).Json();
  };
  ASSERT_EQ(health("")["data"].size(), 4U);
  Serve(a_, Gpu("0", "a"));
  b_.SetReply(fault::HttpStatus(500, "down", "text/plain"));
  ASSERT_FALSE(RowOf("GPU-a1").is_null());
  ASSERT_FALSE(RowOf("GPU-b0").is_null());
  EXPECT_EQ(LostOf(health("")), "a/1 0 ") << "whose exporter is down is not lost";
  EXPECT_EQ(LostOf(health("?by=node")), "a/- 50 ");
  const Value fleet = health("?by=fleet");
  EXPECT_EQ(*fleet["data"][0]["critical"].AsNumberText(), "1");
  Serve(a_, Gpu("0", "a") + Gpu("1", "a"));
  EXPECT_TRUE(process::WaitUntil([&] { return LostOf(health("")).empty(); }, Millis(20'000)));
}

TEST_F(LiveMissingTest, ANodeThatLosesAllItsGpusIsNoLessWrong) {
  const auto health = [&](const std::string& query) {
    return server_->Get("/api/v1/gpu/health" + query).Json();
  };
  ASSERT_EQ(health("")["data"].size(), 4U);
  Serve(a_, "# none\n");
  ASSERT_FALSE(RowOf("GPU-a0").is_null());
  EXPECT_EQ(LostOf(health("")), "a/0 0 a/1 0 ");
  EXPECT_EQ(LostOf(health("?by=node")), "a/- 0 a/- 0 ") << "two findings";
  EXPECT_EQ(*health("?by=fleet")["data"][0]["score"].AsNumberText(), "50");
  EXPECT_EQ(*server_->Get("/api/v1/gpu/summary").Json()["data"][0]["gpus_lost"].AsNumberText(),
            "2");
  const Value node = server_->Get("/api/v1/gpu/nodes/a").Json()["data"];
  EXPECT_EQ(*node["gpus_lost"].AsNumberText(), "2");
  EXPECT_EQ(*node["exporters"][0]["state"].AsString(), "up");
}

TEST_F(LiveMissingTest, ExporterNodeAndGpuAreToldApart) {
  b_.SetReply(fault::HttpStatus(500, "down", "text/plain"));
  const Value down = RowOf("GPU-b0");
  ASSERT_FALSE(down.is_null());
  EXPECT_EQ(*down["what"].AsString(), "exporter_down") << *down["evidence"].AsString();

  Serve(a_, "# none\n");
  const Value gpu = RowOf("GPU-a0");
  ASSERT_FALSE(gpu.is_null());
  EXPECT_EQ(*gpu["what"].AsString(), "gpu_gone") << *gpu["evidence"].AsString();
  EXPECT_NE(gpu["evidence"].AsString()->find("is up and shows no GPU"), std::string::npos);

  Serve(kube_, Kube(false));
  c_.SetReply(fault::HttpStatus(500, "down", "text/plain"));
  ASSERT_TRUE(process::WaitUntil(
      [&] { return prometheus_->Query("kube_node_info{node=\"c\"}", "").size() == 0; },
      Millis(20'000)));
  const Value node = RowOf("GPU-c0");
  ASSERT_FALSE(node.is_null());
  EXPECT_EQ(*node["what"].AsString(), "node_gone") << *node["evidence"].AsString();
}

// Two nodes with a target each; the GPUs of `b`, and of `a` where it is told so, are gone for half
// of the past, which goes on for a while behind `now`.
std::string QuietNodes(std::int64_t now, bool all) {
  std::string gpus = "# TYPE nvidia_gpu_temperature_celsius gauge\n";
  std::string up = "# TYPE up gauge\n";
  for (const std::string node : {"a", "b"}) {
    const std::string target = "job=\"gpu\",instance=\"" + node + ":1\"";
    for (std::int64_t minute = -120; minute < 20; ++minute) {
      const std::string at = ' ' + std::to_string(now + 60 * minute) + '\n';
      up += "up{" + target + "} 1" + at;
      if (minute >= -60 && (all || node == "b")) continue;
      for (const std::string gpu : {"0", "1"}) {
        gpus += "nvidia_gpu_temperature_celsius{node=\"" + node + "\",gpu=\"" + gpu +
                "\",gpu_name=\"H100\",uuid=\"GPU-" + node + gpu + "\"," + target + "} 50" + at;
      }
    }
  }
  return gpus + up + "# EOF\n";
}

// Whoever was started after the loss has never seen these GPUs.
TEST(QuietNodesTest, ANodeThatShowsNoGpuAnyMoreHasLostThem) {
  const std::int64_t now = std::time(nullptr) / 60 * 60;
  for (const bool all : {false, true}) {
    const auto prometheus = Prometheus::Holding(QuietNodes(now, all));
    const ApiServer server(prometheus->url(), {});
    ASSERT_TRUE(server.AwaitReady());
    for (const std::string& at :
         {std::string(), std::to_string(now - 600), std::to_string(now - 3000)}) {
      const auto get = [&](const std::string& path, const std::string& more = "") {
        const Answer answer =
            server.Get("/api/v1/gpu/" + path + "?" + (at.empty() ? "" : "at=" + at) + more);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.Json();
      };
      const std::string lost = all ? "a/0 0 a/1 0 b/0 0 b/1 0 " : "b/0 0 b/1 0 ";
      EXPECT_EQ(LostOf(get("health")), lost) << at;
      const Value summary = get("summary");
      EXPECT_EQ(*summary["data"][0]["gpus_lost"].AsNumberText(), all ? "4" : "2") << at;
      const Value nodes = get("nodes", "&node=b");
      ASSERT_EQ(nodes["data"].size(), 1U) << at;
      EXPECT_EQ(*nodes["data"][0]["gpus_lost"].AsNumberText(), "2") << at;
    }
  }
}

// Whose exporter is down, or was taken away, is not lost, however long ago it was.
TEST(QuietNodesTest, WhoseExporterIsDownOrGoneHasNot) {
  const std::int64_t now = std::time(nullptr) / 60 * 60;
  for (const bool is_down : {false, true}) {
    std::string text = QuietNodes(now, false);
    for (std::int64_t minute = -60; minute < 20; ++minute) {
      const std::string line =
          "up{job=\"gpu\",instance=\"b:1\"} 1 " + std::to_string(now + 60 * minute) + '\n';
      const std::size_t at = text.find(line);
      ASSERT_NE(at, std::string::npos);
      std::string other = line;
      other.replace(other.find("} 1") + 2, 1, "0");
      text.replace(at, line.size(), is_down ? other : "");
    }
    const auto prometheus = Prometheus::Holding(text);
    const ApiServer server(prometheus->url(), {});
    ASSERT_TRUE(server.AwaitReady());
    for (const std::string& at : {std::string(), "?at=" + std::to_string(now - 600)}) {
      EXPECT_EQ(LostOf(server.Get("/api/v1/gpu/health" + at).Json()), "") << at << is_down;
    }
  }
}

}  // namespace
}  // namespace gpumon::e2e
