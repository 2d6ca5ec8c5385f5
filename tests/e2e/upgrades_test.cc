// Drivers and exporters that are upgraded, in a past that was filled in later: nobody writes there
// that an old series has ended.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "tests/e2e/programs.h"

namespace gpumon::e2e {
namespace {

constexpr std::int64_t kNow = 1'795'345'000;

// A page each 15 s up to `last`, with the series of which `info` is the name and labels.
std::string PagesOf(const std::string& info, std::int64_t first, std::int64_t last,
                    const std::string& value = "1") {
  std::string text;
  for (std::int64_t at = first; at <= last; at += 15) {
    text += info + ' ' + value + ' ' + std::to_string(at) + '\n';
  }
  return text;
}

// The info metric `family` of the GPU of these labels has two drivers within the five minutes that
// Prometheus looks back; `metric` is always there.
std::string Upgraded(const std::string& family, const std::string& metric,
                     const std::string& labels, const std::string& target) {
  const std::string gpu = "{" + labels + "," + target;
  const auto info = [&](const std::string& version) {
    return family + gpu + ",driver_version=\"" + version + "\"}";
  };
  return "# TYPE " + family + " gauge\n" + PagesOf(info("550.1"), kNow - 600, kNow - 120) +
         PagesOf(info("570.9"), kNow - 105, kNow) + "# TYPE " + metric + " gauge\n" +
         PagesOf(metric + gpu + "}", kNow - 600, kNow) + "# TYPE up gauge\n" +
         PagesOf("up{" + target + "}", kNow - 600, kNow);
}

void ExpectTheNewDriver(const std::string& past) {
  const auto prometheus = Prometheus::Holding(past + "# EOF\n");
  const ApiServer server(prometheus->url());
  const auto row = [&](std::int64_t at) {
    const Answer answer = server.Get("/api/v1/gpu/metrics?at=" + std::to_string(at));
    EXPECT_EQ(answer.status, 200) << answer.body;
    const json::Value data = answer.Json()["data"];
    EXPECT_EQ(data.size(), 1U) << answer.body;
    return data.size() == 1 ? data[0] : json::Value();
  };
  EXPECT_EQ(*row(kNow)["driver_version"].AsString(), "570.9");
  EXPECT_EQ(*row(kNow)["sample_age_seconds"].AsNumberText(), "0.0")
      << "the old text makes no row old";
  EXPECT_EQ(*row(kNow - 300)["driver_version"].AsString(), "550.1");
}

TEST(UpgradesTest, TheNewestSeriesOfAnInfoMetricIsBelieved) {
  ExpectTheNewDriver(Upgraded("nvidia_smi_gpu_info", "nvidia_smi_utilization_gpu_ratio",
                              R"(uuid="5f1e-1")", R"(job="smi",instance="n1:9835")"));
}

TEST(UpgradesTest, ASchemaThatIsNotKnownByItsInfoAsksForItsTimesToo) {
  ExpectTheNewDriver(Upgraded("nvidia_gpu_info", "nvidia_gpu_utilization_percent",
                              R"(uuid="GPU-1",gpu="0",node="n1")",
                              R"(job="gpu",instance="n1:9400")"));
}

// Two boards that are found in the other order after the upgrade.
TEST(UpgradesTest, ProcessesAreOnTheGpuThatTheNewestSeriesTells) {
  const std::string target = R"(job="smi",instance="n1:9835")";
  std::string infos = "# TYPE nvidia_smi_gpu_info gauge\n";
  std::string used = "# TYPE nvidia_smi_compute_app_used_memory_bytes gauge\n";
  for (const int board : {0, 1}) {
    const std::string uuid = "5f1e-" + std::to_string(board);
    const auto info = [&](int index, const char* name) {
      return "nvidia_smi_gpu_info{uuid=\"" + uuid + "\",index=\"" + std::to_string(index) +
             "\",name=\"" + name + "\"," + target + "}";
    };
    infos += PagesOf(info(board, "A L40S"), kNow - 600, kNow - 120) +
             PagesOf(info(1 - board, "NVIDIA L40S"), kNow - 105, kNow);
    used += PagesOf("nvidia_smi_compute_app_used_memory_bytes{uuid=\"" + uuid + "\",pid=\"" +
                        std::to_string(7 + board) + "\",process_name=\"p\"," + target + "}",
                    kNow - 600, kNow);
  }
  const auto prometheus =
      Prometheus::Holding(infos + used + "# TYPE up gauge\n" +
                          PagesOf("up{" + target + "}", kNow - 600, kNow) + "# EOF\n");
  const ApiServer server(prometheus->url());
  const auto shown = [&](std::int64_t at) {
    return server
        .Get("/api/v1/gpu/processes?format=csv&fields=pid,gpu_id,uuid,gpu_name&sort=pid&at=" +
             std::to_string(at))
        .body;
  };
  EXPECT_EQ(shown(kNow),
            "pid,gpu_id,uuid,gpu_name\r\n7,1,5f1e-0,NVIDIA L40S\r\n8,0,5f1e-1,NVIDIA L40S\r\n");
  EXPECT_EQ(shown(kNow - 300),
            "pid,gpu_id,uuid,gpu_name\r\n7,0,5f1e-0,A L40S\r\n8,1,5f1e-1,A L40S\r\n");
}

// Two boards that are found in the other order after the upgrade, as DCGM calls them; another
// exporter tells of their processes. Nobody has looked at GPUs before.
TEST(UpgradesTest, ProcessesOfAnotherExporterAreOnTheGpuThatIsThereNow) {
  const std::string dcgm = R"(job="dcgm",instance="n1:9400")";
  const std::string smi = R"(job="smi",instance="n1:9835")";
  std::string temperatures = "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\n";
  std::string infos = "# TYPE nvidia_smi_gpu_info gauge\n";
  std::string used = "# TYPE nvidia_smi_compute_app_used_memory_bytes gauge\n";
  for (const int board : {0, 1}) {
    const std::string uuid = "0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a8" + std::to_string(board);
    const auto temperature = [&](int index) {
      return "DCGM_FI_DEV_GPU_TEMP{Hostname=\"n1\",UUID=\"GPU-" + uuid + "\",gpu=\"" +
             std::to_string(index) + "\"," + dcgm + "}";
    };
    temperatures += PagesOf(temperature(board), kNow - 600, kNow - 120, "40") +
                    PagesOf(temperature(1 - board), kNow - 105, kNow, "41");
    infos += PagesOf("nvidia_smi_gpu_info{uuid=\"" + uuid + "\"," + smi + "}", kNow - 600, kNow);
    used += PagesOf("nvidia_smi_compute_app_used_memory_bytes{uuid=\"" + uuid + "\",pid=\"" +
                        std::to_string(7 + board) + "\",process_name=\"p\"," + smi + "}",
                    kNow - 600, kNow);
  }
  std::string up = "# TYPE up gauge\n";
  for (const std::string& target : {dcgm, smi}) {
    up += PagesOf("up{" + target + "}", kNow - 600, kNow);
  }
  const auto prometheus = Prometheus::Holding(temperatures + infos + used + up + "# EOF\n");
  const ApiServer server(prometheus->url());
  const auto shown = [&](std::int64_t at) {
    return server
        .Get("/api/v1/gpu/processes?format=csv&fields=pid,gpu_id&sort=pid&at=" + std::to_string(at))
        .body;
  };
  EXPECT_EQ(shown(kNow), "pid,gpu_id\r\n7,1\r\n8,0\r\n");
  EXPECT_EQ(shown(kNow - 300), "pid,gpu_id\r\n7,0\r\n8,1\r\n");
}

// As the boards above, in a window: who was swapped is at its new place from that instant on,
// though both series are visible for five minutes.
TEST(UpgradesTest, AWindowShowsEachBoardAtOnePlaceAtATime) {
  const std::string target = R"(job="smi",instance="n1:9835")";
  std::string infos = "# TYPE nvidia_smi_gpu_info gauge\n";
  std::string used = "# TYPE nvidia_smi_utilization_gpu_ratio gauge\n";
  for (const int board : {0, 1}) {
    const std::string uuid = "uuid=\"5f1e-" + std::to_string(board) + "\"";
    const auto info = [&](int index, const char* driver) {
      return "nvidia_smi_gpu_info{" + uuid + ",index=\"" + std::to_string(index) +
             "\",driver_version=\"" + driver + "\"," + target + "}";
    };
    infos += PagesOf(info(board, "550.1"), kNow - 600, kNow - 120) +
             PagesOf(info(1 - board, "570.9"), kNow - 105, kNow);
    used += PagesOf("nvidia_smi_utilization_gpu_ratio{" + uuid + "," + target + "}", kNow - 600,
                    kNow, board == 0 ? "0.25" : "0.75");
  }
  const auto prometheus =
      Prometheus::Holding(infos + used + "# TYPE up gauge\n" +
                          PagesOf("up{" + target + "}", kNow - 600, kNow) + "# EOF\n");
  const ApiServer server(prometheus->url());
  const Answer answer = server.Get("/api/v1/gpu/history?metric=utilization&step=15s&start=" +
                                   std::to_string(kNow - 300) + "&end=" + std::to_string(kNow));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::Value data = answer.Json()["data"];
  ASSERT_EQ(data.size(), 4U) << answer.body;
  std::map<std::string, std::size_t> known;
  for (const json::Value& row : data.elements()) {
    for (const json::Value& mean : row["avg"].elements()) {
      known[*row["uuid"].AsString() + " at " + *row["gpu_id"].AsString()] +=
          mean.is_null() ? 0U : 1U;
    }
  }
  // Twenty steps: up to the one that ends 120 s before the last, and the eight after it.
  const std::map<std::string, std::size_t> expected = {
      {"5f1e-0 at 0", 12}, {"5f1e-0 at 1", 8}, {"5f1e-1 at 0", 8}, {"5f1e-1 at 1", 12}};
  EXPECT_EQ(known, expected) << answer.body;
}

// The UUID and the name of a GPU stand on its info series alone, and it is gone at the step's end:
// what it drew in the step is its own.
TEST(UpgradesTest, AWindowKnowsWhoWasThereWithinAStep) {
  std::string past = "# TYPE nvidia_gpu_info gauge\n";
  std::string power = "# TYPE nvidia_gpu_power_watts gauge\n";
  const auto add = [&](const std::string& gpu, const std::string& uuid, std::int64_t first,
                       std::int64_t last, const std::string& watts) {
    const std::string labels = "{node=\"n1\",gpu=\"" + gpu + R"(",job="gpu",instance="n1:9400")";
    past += PagesOf("nvidia_gpu_info" + labels + ",uuid=\"" + uuid + "\",gpu_name=\"L40S\"}", first,
                    last);
    power += PagesOf("nvidia_gpu_power_watts" + labels + "}", first, last, watts);
  };
  add("0", "GPU-stays", kNow - 7200, kNow, "100");
  add("1", "GPU-leaves", kNow - 7200, kNow - 4500, "200");
  add("2", "GPU-before", kNow - 7200, kNow - 5000, "50");
  add("2", "GPU-after", kNow - 4985, kNow, "60");
  const auto prometheus = Prometheus::Holding(
      past + power + "# TYPE up gauge\n" +
      PagesOf(R"(up{job="gpu",instance="n1:9400"})", kNow - 7200, kNow) + "# EOF\n");
  const ApiServer server(prometheus->url());
  const std::string window =
      "metric=power&format=csv&step=1h&start=" + std::to_string(kNow - 7200) +
      "&end=" + std::to_string(kNow);
  const auto shown = [&](const std::string& more) {
    return server.Get("/api/v1/gpu/history?" + window + more).body;
  };
  EXPECT_EQ(shown("&fields=uuid,window_max"),
            "uuid,window_max\r\nGPU-stays,100\r\nGPU-leaves,200\r\nGPU-after,60\r\n");
  EXPECT_EQ(shown("&aggregate=model&fields=gpu_name,gpus"), "gpu_name,gpus\r\nL40S,3\r\n");
}

// DCGM 4.6 writes percent, 4.7 a ratio, under one name: what came last counts, for who has just
// begun to look too, and whoever has shown neither since is in doubt. "new" never was the old one;
// its fractions sum to a whole number.
TEST(UpgradesTest, ARatioThatCameAfterPercentIsOne) {
  const auto series = [](const std::string& gpu, const std::string& instance) {
    return "DCGM_FI_DEV_GPU_UTIL_RATIO{gpu=\"" + gpu + "\",UUID=\"GPU-" + instance + gpu +
           "\",hostname=\"" + instance + "\",job=\"dcgm\",instance=\"" + instance + "\"}";
  };
  std::string past = "# TYPE DCGM_FI_DEV_GPU_UTIL_RATIO gauge\n";
  for (const auto& [gpu, percent, ratio] :
       {std::tuple("0", "83", "0.83"), std::tuple("1", "12", "0.12")}) {
    past += PagesOf(series(gpu, "up"), kNow - 600, kNow - 300, percent) +
            PagesOf(series(gpu, "up"), kNow - 285, kNow - 120, ratio) +
            PagesOf(series(gpu, "up"), kNow - 105, kNow, "1");
  }
  past += PagesOf(series("0", "left"), kNow - 600, kNow, "1");
  past += PagesOf(series("0", "new"), kNow - 585, kNow - 120, "0.5") +
          PagesOf(series("0", "new"), kNow - 105, kNow, "1");
  past += "# TYPE up gauge\n";
  for (const char* const instance : {"up", "left", "new"}) {
    past +=
        PagesOf("up{job=\"dcgm\",instance=\"" + std::string(instance) + "\"}", kNow - 600, kNow);
  }
  const auto prometheus = Prometheus::Holding(past + "# EOF\n");
  const ApiServer server(prometheus->url());
  const auto shown = [&](std::int64_t at) {
    const std::string target =
        "/api/v1/gpu/metrics?format=csv&fields=node_name,gpu_id,utilization&at=";
    return server.Get(target + std::to_string(at)).body;
  };
  const std::string head = "node_name,gpu_id,utilization\r\n";
  EXPECT_EQ(shown(kNow - 400), head + "left,0,1\r\nnew,0,50\r\nup,0,83\r\nup,1,12\r\n");
  EXPECT_EQ(shown(kNow - 200), head + "left,0,1\r\nnew,0,50\r\nup,0,83\r\nup,1,12\r\n");
  EXPECT_EQ(shown(kNow), head + "left,0,1\r\nnew,0,100\r\nup,0,100\r\nup,1,100\r\n");
  const json::Value answer = server.Get("/api/v1/gpu/metrics?at=" + std::to_string(kNow)).Json();
  ASSERT_EQ(answer["warnings"].size(), 1U);
  const std::string warning = *answer["warnings"][0].AsString();
  EXPECT_NE(warning.find("ratio"), std::string::npos) << warning;
}

// A ratio of 1.5 is impossible, and changes the meaning of nothing; memory that a GPU does not have
// is no process's.
TEST(UpgradesTest, WhatIsImpossibleIsNullAndChangesNoOther) {
  const std::string dcgm = R"(hostname="n1",job="dcgm",instance="n1:9400"})";
  const std::string gpus = R"(node="n1",job="gpu",instance="n1:9100")";
  const auto prometheus = Prometheus::Holding(
      "# TYPE DCGM_FI_DEV_GPU_UTIL_RATIO gauge\n" +
      PagesOf(R"(DCGM_FI_DEV_GPU_UTIL_RATIO{gpu="0",UUID="GPU-0",)" + dcgm, kNow - 60, kNow,
              "0.64") +
      PagesOf(R"(DCGM_FI_DEV_GPU_UTIL_RATIO{gpu="1",UUID="GPU-1",)" + dcgm, kNow - 60, kNow,
              "1.5") +
      "# TYPE nvidia_gpu_total_memory_bytes gauge\n" +
      PagesOf("nvidia_gpu_total_memory_bytes{gpu=\"7\"," + gpus + "}", kNow - 60, kNow, "8e10") +
      "# TYPE nvidia_gpu_process_gpu_memory_bytes gauge\n" +
      PagesOf("nvidia_gpu_process_gpu_memory_bytes{gpu=\"7\",pid=\"1\"," + gpus + "}", kNow - 60,
              kNow, "5e11") +
      PagesOf("nvidia_gpu_process_gpu_memory_bytes{gpu=\"7\",pid=\"2\"," + gpus + "}", kNow - 60,
              kNow, "5368709121") +
      "# TYPE up gauge\n" + PagesOf("up{job=\"dcgm\",instance=\"n1:9400\"}", kNow - 60, kNow) +
      PagesOf("up{job=\"gpu\",instance=\"n1:9100\"}", kNow - 60, kNow) + "# EOF\n");
  const ApiServer server(prometheus->url());
  const std::string at = "&format=csv&at=" + std::to_string(kNow);
  EXPECT_EQ(server.Get("/api/v1/gpu/metrics?fields=gpu_id,utilization" + at).body,
            "gpu_id,utilization\r\n0,64\r\n1,\r\n7,\r\n");
  EXPECT_EQ(server.Get("/api/v1/gpu/processes?sort=pid&fields=pid,gpu_memory_bytes" + at).body,
            "pid,gpu_memory_bytes\r\n1,\r\n2,5368709121\r\n");
}

}  // namespace
}  // namespace gpumon::e2e
