// Times of rows, names of nodes and reasons of nulls, as a real Prometheus makes them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;
using process::WaitUntil;

std::int64_t NowMillis() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// As a query's time.
std::string Now() {
  return FormatNumber(static_cast<double>(NowMillis()) / 1000);
}

std::string Text(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

fault::FaultServer Shows(const std::string& exposition) {
  return fault::FaultServer([exposition](const fault::Request&) {
    return fault::HttpStatus(200, exposition, "text/plain");
  });
}

// The only row, once there is one that `fits`.
template <class Fits>
Value AwaitRow(const ApiServer& server, const std::string& target, Fits fits) {
  Value row;
  EXPECT_TRUE(WaitUntil(
      [&] {
        const Answer answer = server.Get(target);
        if (answer.status != 200) return false;
        const Value document = answer.Json();
        if (document["data"].size() != 1) return false;
        row = document["data"][0];
        return fits(row);
      },
      Millis(20'000)));
  return row;
}

TEST(ReasonsTest, ARowIsAsNewAsItsNewestAndAsOldAsItsOldestSample) {
  const std::int64_t newest = NowMillis() - 1000;
  const std::int64_t oldest = newest - 100'000;
  const std::string labels = "{node=\"n\",gpu=\"0\"} 50 ";
  const auto exporter =
      Shows("nvidia_gpu_used_memory_bytes" + labels + std::to_string(oldest) + "\n" +
            "nvidia_gpu_temperature_celsius" + labels + std::to_string(newest) + "\n" +
            "nvidia_gpu_utilization_percent" + labels + std::to_string(newest - 50'000) + "\n");
  const auto prometheus = Prometheus::Scraping(exporter.port(), false);
  ASSERT_TRUE(WaitUntil(
      [&] { return prometheus->Query("nvidia_gpu_temperature_celsius", Now()).size() > 0; },
      Millis(20'000)));
  const ApiServer server(prometheus->url());
  const std::string at = Now();
  for (const std::string& target : {std::string(kMetrics), kMetrics + ("?at=" + at)}) {
    const Answer answer = server.Get(target);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    ASSERT_EQ(document["data"].size(), 1U) << answer.Text();
    const Value& row = document["data"][0];
    const auto time = ParseTime(Text(row["timestamp"]));
    ASSERT_TRUE(time) << Text(row["timestamp"]);
    EXPECT_EQ(time->time_since_epoch().count(), newest) << target;
    const auto as_of = ParseTime(Text(document["meta"]["as_of"]));
    ASSERT_TRUE(as_of);
    const double age = static_cast<double>(as_of->time_since_epoch().count() - oldest) / 1000;
    EXPECT_NEAR(*row["sample_age_seconds"].AsDouble(), age, 0.002) << target;
  }
}

// Prometheus cannot call such samples stale: it goes on to answer with them for five minutes.
TEST(ReasonsTest, SamplesWithTimesOfTheirOwnEndWithTheirTarget) {
  std::atomic<bool> down = false;
  const std::string uuid = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  const auto dcgm = [&](const std::string& metric, const std::string& gpu, const std::string& id) {
    return metric + "{gpu=\"" + gpu + "\",UUID=\"" + id + "\",Hostname=\"n\"} 50 " +
           std::to_string(NowMillis()) + '\n';
  };
  const fault::FaultServer stamped([&](const fault::Request&) {
    if (down) return fault::HttpStatus(500, "", "text/plain");
    return fault::HttpStatus(200,
                             dcgm("DCGM_FI_DEV_GPU_TEMP", "0", uuid) +
                                 dcgm("DCGM_FI_DEV_POWER_USAGE", "0", uuid) +
                                 dcgm("DCGM_FI_DEV_GPU_TEMP", "1", "GPU-1"),
                             "text/plain");
  });
  const auto live =
      Shows("gpu_temperature_C{devicename=\"H100\",hostname=\"n\",index=\"0\",uuid=\"" + uuid +
            "\"} 40\n");
  const auto prometheus = Prometheus::ScrapingEach({stamped.port(), live.port()});
  for (const char* const metric : {"gpu_temperature_C", "DCGM_FI_DEV_GPU_TEMP"}) {
    ASSERT_TRUE(
        WaitUntil([&] { return prometheus->Query(metric, Now()).size() > 0; }, Millis(20'000)));
  }
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}, {"DEBUG_ENDPOINTS", "true"}});
  const auto get = [&](const std::string& path) { return server.Get("/api/v1" + path).Json(); };
  ASSERT_TRUE(WaitUntil([&] { return get("/gpu/metrics")["data"].size() == 2; }, Millis(20'000)));
  EXPECT_EQ(get("/gpu/health")["data"].size(), 2U);
  down = true;
  ASSERT_TRUE(
      WaitUntil([&] { return prometheus->Query("up == 0", Now()).size() > 0; }, Millis(20'000)));
  ASSERT_EQ(prometheus->Query("DCGM_FI_DEV_GPU_TEMP", Now()).size(), 2U);
  const Value metrics = get("/gpu/metrics");
  ASSERT_EQ(metrics["data"].size(), 1U);
  EXPECT_EQ(metrics["data"][0]["temperature"].AsDouble(), 40);
  EXPECT_TRUE(metrics["data"][0]["power"].is_null());
  EXPECT_EQ(Text(metrics["data"][0]["null_reasons"]["power"]) +
                Text(metrics["meta"]["null_reasons"]["power"]),
            "exporter_down");
  EXPECT_TRUE(Holds(Text(metrics["warnings"][0]), "what only it showed is missing"));
  std::size_t dropped = 0;
  const Value joined = get("/debug/join?node=n&gpu=0");
  for (const Value& sample : joined["data"]["rows"][0]["samples"].elements()) {
    if (!Text(sample["metric"]).starts_with("DCGM")) continue;
    EXPECT_EQ(Text(sample["outcome"]), "dropped");
    EXPECT_EQ(Text(sample["rule"]), "old value: its scrape target is down");
    EXPECT_FALSE(sample["age_seconds"].is_null());
    ++dropped;
  }
  EXPECT_EQ(dropped, 2U) << "of this GPU";
  const Value health = get("/gpu/health");
  EXPECT_EQ(health["data"].size(), 1U) << "nobody knows how the other is";
  const Value nodes = get("/gpu/nodes");
  for (const Value& exporter : nodes["data"][0]["exporters"].elements()) {
    EXPECT_EQ(Text(exporter["state"]), Text(exporter["exporter"]) == "dcgm" ? "down" : "up");
  }
}

TEST(ReasonsTest, KubeStateMetricsNamesTheNodeAtAnAddress) {
  for (const std::string& info :
       {std::string("kube_node_info{node=\"gpu-a01\",internal_ip=\"127.0.0.1\"} 1\n"),
        std::string("kube_pod_info{node=\"gpu-a01\",pod=\"nge-x\",pod_ip=\"127.0.0.1\"} 1\n"
                    "kube_pod_info{node=\"gpu-a02\",pod=\"other\",pod_ip=\"127.0.0.2\"} 1\n")}) {
    const auto exporter = Shows(
        "nvidia_smi_power_draw_watts{uuid=\"0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\"} 300\n"
        "nvidia_smi_memory_total_bytes{uuid=\"0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\"} 3\n"
        "nvidia_smi_index{uuid=\"0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\"} 2\n" +
        info);
    const auto prometheus = Prometheus::Scraping(exporter.port(), true);
    const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
    const Value row = AwaitRow(server, kMetrics, [](const Value&) { return true; });
    EXPECT_EQ(Text(row["node_name"]), "gpu-a01");
    EXPECT_EQ(*row["power"].AsDouble(), 300);
  }
}

// Old dcgm-exporters call their pod the host; the GPU is shared, so series differ in the pod alone.
TEST(ReasonsTest, KubeStateMetricsNamesTheNodeWhereAnExporterNamesItsPodOrNobody) {
  for (const std::string host : {"dcgm-x7k2p", "localhost"}) {
    const auto gpu = [&](const std::string& pod) {
      return "DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\","
             "Hostname=\"" +
             host + "\",namespace=\"ml\",pod=\"" + pod + "\"} 300\n";
    };
    const auto exporter = Shows(gpu("a") + gpu("b") +
                                "kube_node_info{node=\"gpu-a01\",internal_ip=\"127.0.0.1\"} 1\n");
    const auto prometheus =
        Prometheus::Scraping(exporter.port(), true, "namespace: gpu-operator, pod: dcgm-x7k2p");
    const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
    const Value row = AwaitRow(server, kMetrics, [](const Value&) { return true; });
    EXPECT_EQ(Text(row["node_name"]), "gpu-a01") << host;
    EXPECT_EQ(row["workloads"].size(), 2U);
  }
}

TEST(ReasonsTest, WhatAnExporterShowedBeforeItWentDownIsMissingForThatReason) {
  const auto dcgm = Shows(
      "DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\",Hostname="
      "\"gpu-a01\"} 1\n"
      "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\",Hostname="
      "\"gpu-a01\"} 50\n");
  auto nge = std::make_unique<fault::FaultServer>([](const fault::Request&) {
    return fault::HttpStatus(
        200,
        "nvidia_smi_power_draw_watts{uuid=\"0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\"} 300\n"
        "nvidia_smi_memory_total_bytes{uuid=\"0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80\"} 3\n",
        "text/plain");
  });
  const auto prometheus = Prometheus::ScrapingEach({dcgm.port(), nge->port()});
  ASSERT_TRUE(
      WaitUntil([&] { return prometheus->Query("up == 1", Now()).size() == 2; }, Millis(20'000)));
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
  AwaitRow(server, kMetrics, [](const Value& row) {
    return !row["power"].is_null() && !row["temperature"].is_null();
  });
  nge.reset();
  const Value row = AwaitRow(server, kMetrics, [](const Value& it) {
    return it["power"].is_null() && !it["temperature"].is_null();
  });
  const Answer answer = server.Get(kMetrics);
  EXPECT_EQ(Text(row["null_reasons"]["power"]), "exporter_down") << answer.Text();
  EXPECT_TRUE(
      Holds(answer.body, "nvidia_smi: a scrape target is down, what only it showed is missing"))
      << answer.Text();
  EXPECT_EQ(*row["temperature"].AsDouble(), 50);
}

// Which metrics a target showed is Prometheus's to tell where this process was not there: those
// that only labels tell from other exporters', and what is computed of them, too.
TEST(ReasonsTest, WhatWasShownBeforeTheServerStartedIsMissingForThatReason) {
  constexpr const char* kUuid = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  std::string shown;
  for (const char* const metric :
       {"DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_ENC_UTIL",
        "DCGM_FI_DEV_DEC_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL", "DCGM_FI_DEV_POWER_USAGE"}) {
    shown.append(metric).append("{gpu=\"0\",UUID=\"").append(kUuid);
    shown.append("\",Hostname=\"gpu-a01\"} 7\n");
  }
  // One that the device has no value for.
  shown.append("DCGM_FI_DEV_FAN_SPEED{gpu=\"0\",UUID=\"").append(kUuid);
  shown.append("\",Hostname=\"gpu-a01\"} 9223372036854775794\n");
  auto dcgm = std::make_unique<fault::FaultServer>(
      [shown](const fault::Request&) { return fault::HttpStatus(200, shown, "text/plain"); });
  std::string others;
  for (const char* const sample :
       {"gpu_temperature_C 50", "gpu_power_usage_W NaN", "gpu_fan_speed_Percentage NaN"}) {
    const std::string text = sample;
    const std::size_t blank = text.find(' ');
    others.append(text, 0, blank).append("{devicename=\"H100\",index=\"0\",uuid=\"");
    others.append(kUuid).append("\",hostname=\"gpu-a01\"}").append(text, blank).append("\n");
  }
  const auto nvitop = Shows(others);
  const auto prometheus = Prometheus::ScrapingEach({dcgm->port(), nvitop.port()});
  ASSERT_TRUE(
      WaitUntil([&] { return prometheus->Query("up == 1", Now()).size() == 2; }, Millis(20'000)));
  dcgm.reset();
  ASSERT_TRUE(
      WaitUntil([&] { return prometheus->Query("up == 0", Now()).size() == 1; }, Millis(20'000)));
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
  for (const std::string& at : {std::string(), "&at=" + Now()}) {
    const Value row = AwaitRow(server, kMetrics + ("?node=gpu-a01" + at), [](const Value& its) {
      return its["power"].is_null() && !its["temperature"].is_null();
    });
    for (const char* const field :
         {"power", "memory_used", "memory_free", "memory_total", "encoder_utilization",
          "decoder_utilization", "memory_utilization"}) {
      EXPECT_EQ(Text(row["null_reasons"][field]), "exporter_down") << field << at;
    }
    EXPECT_EQ(Text(row["null_reasons"]["fan"]), "not_supported") << "neither has a value" << at;
    EXPECT_EQ(Text(row["null_reasons"]["energy"]), "") << "nobody ever showed it";
  }
}

TEST(ReasonsTest, WhatIsProvenFrozenIsStale) {
  constexpr int kMinutes = 20;
  const std::int64_t now = NowMillis() / 1000;
  std::string power = "# TYPE DCGM_FI_DEV_POWER_USAGE gauge\n";
  std::string temperature = "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\n";
  std::string up = "# TYPE up gauge\n";
  const auto add = [&](const std::string& instance, const auto& watts) {
    for (int minute = 0; minute <= kMinutes; ++minute) {
      const std::string at = ' ' + std::to_string(now - 60L * (kMinutes - minute)) + '\n';
      power += "DCGM_FI_DEV_POWER_USAGE{job=\"dcgm\",instance=\"" + instance + "\",Hostname=\"" +
               instance + "\",gpu=\"0\"} " + FormatNumber(watts(minute)) + at;
      if (instance == "warming") {
        temperature +=
            "DCGM_FI_DEV_GPU_TEMP{job=\"dcgm\",instance=\"warming\",Hostname=\"warming\"," +
            ("gpu=\"0\"} " + std::to_string(40 + minute)) + at;
      }
      up += "up{job=\"dcgm\",instance=\"" + instance + "\"} 1" + at;
    }
  };
  add("frozen", [](int) { return 71.532; });
  add("moving", [](int minute) { return 71.5 + minute % 2; });
  // A board that reads whole watts may well stay at one of them.
  add("steady", [](int) { return 71.0; });
  // Who still reads temperatures reads its GPUs.
  add("warming", [](int) { return 71.532; });
  const auto prometheus = Prometheus::Holding(power + temperature + up + "# EOF\n");
  const ApiServer server(prometheus->url());
  for (const std::string& target :
       {std::string(kMetrics), kMetrics + ("?at=" + std::to_string(now))}) {
    const Answer answer = server.Get(target);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    ASSERT_EQ(document["data"].size(), 4U) << answer.Text();
    const Value& frozen = document["data"][0];
    EXPECT_TRUE(frozen["power"].is_null()) << target;
    EXPECT_EQ(Text(frozen["null_reasons"]["power"]), "stale");
    EXPECT_FALSE(document["data"][1]["power"].is_null());
    EXPECT_FALSE(document["data"][2]["power"].is_null());
    EXPECT_FALSE(document["data"][3]["power"].is_null());
  }
  // Before it had stood still for ten minutes.
  const Answer before = server.Get(kMetrics + ("?at=" + std::to_string(now - 60 * 12)));
  EXPECT_FALSE(before.Json()["data"][0]["power"].is_null()) << before.Text();
}

// An exporter without power, energy or a word of success, whose driver has failed.
TEST(ReasonsTest, WhatWorksAndNeverChangesIsStale) {
  constexpr int kMinutes = 45;
  const std::int64_t now = NowMillis() / 1000;
  std::string utilization = "# TYPE nvidia_gpu_utilization_percent gauge\n";
  std::string temperature = "# TYPE nvidia_gpu_temperature_celsius gauge\n";
  std::string up = "# TYPE up gauge\n";
  const auto add = [&](const std::string& node, const auto& percent, const auto& celsius) {
    const std::string labels =
        "{job=\"gpu\",instance=\"" + node + "\",node=\"" + node + "\",gpu=\"0\"} ";
    for (int minute = 0; minute <= kMinutes; ++minute) {
      const std::string at = ' ' + std::to_string(now - 60L * (kMinutes - minute)) + '\n';
      utilization +=
          "nvidia_gpu_utilization_percent" + labels + std::to_string(percent(minute)) + at;
      temperature +=
          "nvidia_gpu_temperature_celsius" + labels + std::to_string(celsius(minute)) + at;
      up += "up{job=\"gpu\",instance=\"" + node + "\"} 1" + at;
    }
  };
  const auto always = [](int value) { return [value](int) { return value; }; };
  add("a", always(62), always(70));
  add(
      "b", [](int minute) { return 60 + minute % 3; }, always(70));
  add("c", always(62), [](int minute) { return minute < kMinutes - 25 ? 70 : 71; });
  // An idle GPU, and one under full load, may well show the same for an hour.
  add("d", always(0), always(30));
  add("e", always(100), always(80));
  const auto prometheus = Prometheus::Holding(utilization + temperature + up + "# EOF\n");
  const ApiServer server(prometheus->url());
  for (const std::string& target :
       {std::string(kMetrics), kMetrics + ("?at=" + std::to_string(now))}) {
    const Answer answer = server.Get(target);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    ASSERT_EQ(document["data"].size(), 5U) << answer.Text();
    for (std::size_t i = 0; i < 5; ++i) {
      const Value& row = document["data"][i];
      EXPECT_EQ(row["utilization"].is_null(), i == 0) << target << ' ' << i;
      EXPECT_EQ(row["temperature"].is_null(), i == 0) << target << ' ' << i;
    }
    EXPECT_EQ(Text(document["data"][0]["null_reasons"]["temperature"]), "stale");
  }
}

// Names that both generations have make no row of the other one.
TEST(ReasonsTest, GenerationsThatMixByNodeAreToldApart) {
  const std::int64_t now = NowMillis() / 1000;
  const std::string at = ' ' + std::to_string(now) + '\n';
  const std::string old =
      R"({gpu="0",UUID="GPU-01",Hostname="old48",job="dcgm",instance="old:1"} )";
  const std::string young =
      R"({gpu="0",UUID="GPU-02",hostname="new49",job="dcgm",instance="new:1"} )";
  const auto prometheus = Prometheus::Holding(
      "# TYPE DCGM_FI_DEV_FB_USED gauge\nDCGM_FI_DEV_FB_USED" + old + "1000" + at +
      "# TYPE DCGM_FI_PROF_PCIE_RX_BYTES gauge\nDCGM_FI_PROF_PCIE_RX_BYTES" + old + '5' + at +
      "DCGM_FI_PROF_PCIE_RX_BYTES" + young + '7' + at +
      "# TYPE DCGM_FI_DEV_FB_USED_BYTES gauge\nDCGM_FI_DEV_FB_USED_BYTES" + young + "1e9" + at +
      "# EOF\n");
  const ApiServer server(prometheus->url());
  const Value document = server.Get(kMetrics).Json();
  ASSERT_EQ(document["data"].size(), 2U);
  const auto is = [&](std::size_t i, const std::string& source, const std::string& rx) {
    EXPECT_EQ(Text(document["data"][i]["source"]), source);
    EXPECT_EQ(*document["data"][i]["pcie_rx"].AsNumberText(), rx);
  };
  is(0, "dcgm_4_9", "7.0");
  is(1, "dcgm", "5.0");
  const Value schema = server.Get("/api/v1/gpu/schema").Json();
  for (const Value& exporter : schema["data"]["exporters"].elements()) {
    EXPECT_EQ(*exporter["gpus"].AsNumberText(), "1") << Text(exporter["name"]);
  }
}

// Where machines lend GPUs drivers may show a UUID of zeros.
TEST(ReasonsTest, AUuidOfZerosIsThatOfTheOneGpuOfItsTargetOrNobodys) {
  const std::string uuid = "uuid=\"00000000-0000-0000-0000-000000000000\"";
  const std::int64_t now = NowMillis() / 1000;
  const std::string at = ' ' + std::to_string(now) + '\n';
  std::string info = "# TYPE nvidia_smi_gpu_info gauge\n";
  std::string temperature = "# TYPE nvidia_smi_temperature_gpu gauge\n";
  const auto add = [&](const std::string& node, int gpus) {
    const std::string of = ",job=\"smi\",instance=\"" + node + ":1\",node=\"" + node + "\"";
    for (int i = 0; i < gpus; ++i) {
      info += "nvidia_smi_gpu_info{" + uuid + ",index=\"" + std::to_string(i) +
              "\",name=\"NVIDIA L40S\"" + of + "} 1" + at;
    }
    temperature += "nvidia_smi_temperature_gpu{" + uuid + of + "} 54" + at;
  };
  add("one", 1);
  add("two", 2);
  const auto prometheus = Prometheus::Holding(info + temperature + "# EOF\n");
  const ApiServer server(prometheus->url());
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  ASSERT_EQ(document["data"].size(), 3U) << answer.Text();
  EXPECT_EQ(*document["data"][0]["temperature"].AsNumberText(), "54.0");
  EXPECT_EQ(*document["data"][0]["gpu_index"].AsNumberText(), "0");
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    EXPECT_TRUE(document["data"][i]["temperature"].is_null());
    EXPECT_EQ(Text(document["data"][i]["null_reasons"]["temperature"]), "invalid_value");
  }
}

// A GPU that shows percent between the look's five minutes, and 1 or a blank at them and now.
TEST(ReasonsTest, AnySampleOfTheLastHourProvesAPercentage) {
  constexpr std::int64_t kStart = 1704110400;
  constexpr std::int64_t kNow = kStart + 3600;
  std::string text = "# TYPE DCGM_FI_DEV_GPU_UTIL_RATIO gauge\n";
  for (std::int64_t at = kStart; at <= kNow; at += 15) {
    const bool seen_every_five_minutes = at % 300 == 0 || at > kNow - 300;
    text +=
        R"(DCGM_FI_DEV_GPU_UTIL_RATIO{gpu="0",UUID="GPU-1",hostname="n",job="d",instance="x:1"} )" +
        std::string(seen_every_five_minutes ? "1" : "70") + ' ' + std::to_string(at) + '\n';
  }
  text += "# TYPE up gauge\n";
  for (std::int64_t at = kStart; at <= kNow; at += 15) {
    text += R"(up{job="d",instance="x:1"} 1 )" + std::to_string(at) + '\n';
  }
  const auto prometheus = Prometheus::Holding(text + "# EOF\n");
  const ApiServer server(prometheus->url(), {});
  const Answer answer = server.Get("/api/v1/gpu/metrics?at=" + std::to_string(kNow));
  ASSERT_EQ(answer.status, 200) << answer.body;
  ASSERT_EQ(answer.Json()["data"].size(), 1U) << answer.body;
  EXPECT_EQ(answer.Json()["data"][0]["utilization"].AsDouble(), 1) << "percent, not 100";
}

}  // namespace
}  // namespace gpumon::e2e
