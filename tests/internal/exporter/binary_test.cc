// The real gpu-exporter, from its start to its end.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <tuple>

#include "internal/base/process.h"
#include "tests/fakes/nvml/smi_script.h"
#include "tests/fakes/nvml/stage.h"
#include "tests/fakes/process/child_process.h"
#include "tests/internal/exporter/child_process.h"
#include "tests/internal/exporter/strict_page.h"

namespace gpumon::exporter {
namespace {

std::string BodyOf(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

TEST(GpuExporterTest, ServesTheFleetAndEndsOnSigterm) {
  ExporterProcess exporter({"--demo", "--nodes", "2", "--gpus-per-node", "7"});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.Wait().errors;

  const std::string answer = Get(port, "/metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer.substr(0, 300);
  EXPECT_NE(answer.find("text/plain; version=0.0.4; charset=utf-8"), std::string::npos);
  const StrictPage page = ReadStrictly(BodyOf(answer));
  EXPECT_EQ(page.problem, "");
  EXPECT_EQ(page.Family("kube_node_info").size(), 2U);
  EXPECT_GE(page.Family("nvidia_gpu_utilization_percent").size(), 13U);

  exporter.Signal(SIGTERM);
  const Ended ended = exporter.Wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.errors;
  EXPECT_EQ(ended.output, "");
}

TEST(GpuExporterTest, CompressesForWhoAsks) {
  ExporterProcess exporter({"--demo"});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.Wait().errors;
  const std::string answer = Get(port, "/metrics", "Accept-Encoding: gzip\r\n");
  EXPECT_NE(answer.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_TRUE(BodyOf(answer).starts_with("\x1f\x8b"));
  exporter.Signal(SIGINT);
  EXPECT_EQ(exporter.Wait().exit_code, 0);
}

TEST(GpuExporterTest, AnswersTheOtherPathsToo) {
  ExporterProcess exporter({"--demo"});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.Wait().errors;
  EXPECT_EQ(BodyOf(Get(port, "/livez")), "ok\n");
  EXPECT_NE(Get(port, "/").find("/metrics"), std::string::npos);
  EXPECT_TRUE(Get(port, "/nothing").starts_with("HTTP/1.1 404 "));
  const std::string post = Fetch(
      port, "POST /metrics HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 ")) << post;
  EXPECT_NE(post.find("Allow: "), std::string::npos);
}

TEST(GpuExporterTest, ATakenPortIsOneClearLine) {
  ExporterProcess first({"--demo"});
  const std::uint16_t port = first.AwaitPort();
  ASSERT_NE(port, 0) << first.Wait().errors;
  // Without "--demo" among the arguments the port flags are the test's own.
  ExporterProcess second({"--demo=true", "--listen-addr", "127.0.0.1:" + std::to_string(port)});
  const Ended ended = second.Wait();
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.errors.find(std::to_string(port)), std::string::npos) << ended.errors;
}

TEST(GpuExporterTest, WrongFlagsEndWithTwoAndOneLineThatNamesTheFlag) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--demo=true", "--nodes", "0"}, "--nodes"},
      {{"--demo=true", "--nodes", "12501"}, "--gpus-per-node"},
      {{"--demo=true", "--seed", "x"}, "--seed"},
      {{"--demo=true", "--colour", "red"}, "--colour"},
      {{"--demo=true", "--surroundings", "some"}, "--surroundings"},
      {{"--demo=true", "--past", "1h", "--past-end", "yesterday"}, "--past-end"},
      {{"--demo=true", "--listen-addr", "example.com"}, "--listen-addr"},
      {{"--past", "1h"}, "--demo"},
      {{"--read-limit", "1ms"}, "--read-limit"},
  };
  for (const auto& [arguments, flag] : cases) {
    ExporterProcess exporter(arguments);
    const Ended ended = exporter.Wait();
    EXPECT_EQ(ended.exit_code, 2) << flag;
    EXPECT_NE(ended.errors.find(flag), std::string::npos) << ended.errors;
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
  }
}

// The program over the fake NVML that acts out a script.
class LiveProcess {
 public:
  explicit LiveProcess(const std::string& script, std::vector<std::string> arguments = {}) {
    folder_.Write("script", script);
    arguments.insert(arguments.end(),
                     {"--nvml-library", fake_nvml::kLibrary, "--node-name", "n1", "--listen-addr",
                      "127.0.0.1", "--port", "0", "--port-file", folder_.File("port")});
    child_.emplace(GPU_EXPORTER_BINARY, std::move(arguments),
                   process::Environment{{fake_nvml::kScriptVariable, folder_.File("script")}});
  }
  // 0 when it ended first.
  std::uint16_t AwaitPort() const {
    std::string text;
    process::WaitUntil(
        [&] {
          text = process::ReadFile(folder_.File("port"));
          return !text.empty() || !child_->Running();
        },
        Millis(30'000));
    return static_cast<std::uint16_t>(std::atoi(text.c_str()));
  }
  process::ChildProcess& child() { return *child_; }
  const process::ScratchDirectory& folder() const { return folder_; }

 private:
  const process::ScratchDirectory folder_{};
  std::optional<process::ChildProcess> child_;
};

TEST(GpuExporterTest, ServesTheGpusOfThisMachineAndEndsOnSigterm) {
  LiveProcess exporter(fake_nvml::kRtx4090);
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.child().Errors();
  const StrictPage page = ReadStrictly(BodyOf(Get(port, "/metrics")));
  EXPECT_EQ(page.problem, "");
  EXPECT_EQ(page.ByGpu("nvidia_gpu_power_watts"), (std::map<std::string, double>{{"n1/0", 180.5}}));
  EXPECT_EQ(BodyOf(Get(port, "/livez")), "ok\n");
  exporter.child().Signal(SIGTERM);
  const auto ended = exporter.child().Wait(Millis(30'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0) << exporter.child().Errors();
}

TEST(GpuExporterTest, WithoutAnNvidiaGpuItSaysWhatToDoAndEndsWithThree) {
  for (const auto& [script, arguments, says] :
       std::vector<std::tuple<std::string, std::vector<std::string>, std::string>>{
           {"", {"--nvidia-smi", "off"}, "NVML counts no GPU"},
           {"error nvmlInit_v2 9\n", {"--nvidia-smi", "off"}, "modprobe nvidia"},
           {"error nvmlInit_v2 4\n", {"--nvidia-smi", "off"}, "no permission"},
           {"error nvmlInit_v2 28\n", {"--nvidia-smi", "/no/such"}, "/no/such"}}) {
    LiveProcess exporter(script, arguments);
    const auto ended = exporter.child().Wait(Millis(30'000));
    ASSERT_TRUE(ended);
    const std::string errors = exporter.child().Errors();
    EXPECT_EQ(ended->exit_code, 3) << errors;
    EXPECT_NE(errors.find(says), std::string::npos) << errors;
    EXPECT_NE(errors.find("--demo"), std::string::npos) << errors;
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  }
}

TEST(GpuExporterTest, AHangingDriverDoesNotHoldItsEndUp) {
  const process::ScratchDirectory folder;
  LiveProcess exporter(
      "hang nvmlDeviceGetUUID " + folder.Write("hang", "") + '\n' + fake_nvml::kRtx4090,
      {"--read-limit", "100ms"});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.child().Errors();
  EXPECT_NE(BodyOf(Get(port, "/metrics")).find("gpu_exporter_driver_hanging{node=\"n1\"} 1\n"),
            std::string::npos);
  EXPECT_NE(exporter.child().Errors().find("the driver does not answer"), std::string::npos);
  exporter.child().Signal(SIGTERM);
  const auto ended = exporter.child().Wait(Millis(30'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0) << exporter.child().Errors();
}

// A table graphics card, of which NVML tells no memory temperature and no ECC errors.
constexpr const char* kUuid = "GPU-11111111-2222-3333-4444-555555555555";

// Scrapes until `is_so` of the page, or in vain.
StrictPage AwaitPage(std::uint16_t port, const std::function<bool(const StrictPage&)>& is_so) {
  StrictPage page;
  EXPECT_TRUE(process::WaitUntil(
      [&] {
        page = ReadStrictly(BodyOf(Get(port, "/metrics")));
        return is_so(page);
      },
      Millis(30'000)));
  EXPECT_EQ(page.problem, "");
  return page;
}

bool TellsMemoryTemperature(const StrictPage& page) {
  return !page.Family("nvidia_gpu_memory_temperature_celsius").empty();
}

TEST(GpuExporterTest, NvidiaSmiTellsWhatNvmlLacksAndIsNotStartedForEachScrape) {
  // Other numbers than NVML's, where that tells them.
  const fake_nvml::SmiScript smi(fake_nvml::EachCell(kUuid, "77"));
  const SteadyTime begin = SystemClock().Steady();
  LiveProcess exporter(fake_nvml::kRtx4090, {"--nvidia-smi", smi.path()});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.child().Errors();
  AwaitPage(port, TellsMemoryTemperature);
  for (int i = 0; i < 20; ++i) Get(port, "/metrics");
  const StrictPage page = AwaitPage(port, TellsMemoryTemperature);
  EXPECT_EQ(page.ByGpu("nvidia_gpu_memory_temperature_celsius"),
            (std::map<std::string, double>{{"n1/0", 77}}));
  EXPECT_EQ(page.ByGpu("nvidia_gpu_power_watts"), (std::map<std::string, double>{{"n1/0", 180.5}}));
  EXPECT_EQ(page.ByGpu("nvidia_gpu_fan_speed_percent"),
            (std::map<std::string, double>{{"n1/0", 30}}));
  const std::string calls = smi.Calls();
  const auto ten_seconds = (SystemClock().Steady() - begin) / std::chrono::seconds(10);
  EXPECT_LE(std::count(calls.begin(), calls.end(), '\n'), 1 + ten_seconds) << calls;
}

// Whatever it does, the page is NVML's.
void ExpectNvmlAlone(const std::string& program, const std::string& logged) {
  LiveProcess exporter(fake_nvml::kRtx4090, {"--nvidia-smi", program, "--read-limit", "1s"});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.child().Errors();
  const auto tells_power = [](const StrictPage& page) {
    return !page.Family("nvidia_gpu_power_watts").empty();
  };
  AwaitPage(port, tells_power);
  EXPECT_TRUE(process::WaitUntil(
      [&] { return exporter.child().Errors().find(logged) != std::string::npos; }, Millis(30'000)))
      << exporter.child().Errors();
  const StrictPage page = AwaitPage(port, tells_power);
  EXPECT_FALSE(TellsMemoryTemperature(page));
  EXPECT_TRUE(page.Family("gpu_exporter_nvidia_smi_tells").empty());
  const std::string errors = exporter.child().Errors();
  EXPECT_EQ(errors.find(logged), errors.rfind(logged)) << errors;
  exporter.child().Signal(SIGTERM);
  const auto ended = exporter.child().Wait(Millis(30'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0) << exporter.child().Errors();
}

TEST(GpuExporterTest, AnNvidiaSmiThatHangsOrPrintsRubbishOrIsNotThereChangesNothing) {
  const fake_nvml::SmiScript hangs("*) exec sleep 600 ;;\n");
  ExpectNvmlAlone(hangs.path(), "did not end in time");
  const fake_nvml::SmiScript rubbish("*) echo '<html>' ;;\n");
  ExpectNvmlAlone(rubbish.path(), "<html>");
  const fake_nvml::SmiScript fails("*) exit 9 ;;\n");
  ExpectNvmlAlone(fails.path(), "cannot communicate with the NVIDIA driver");
  ExpectNvmlAlone("/no/such/nvidia-smi", "/no/such/nvidia-smi is not there");
}

TEST(GpuExporterTest, WhatNvidiaSmiLacksTooIsAbsentAndItIsAskedOnce) {
  const fake_nvml::SmiScript smi(fake_nvml::EachCell(kUuid, "[N/A]"));
  LiveProcess exporter(fake_nvml::kRtx4090, {"--nvidia-smi", smi.path()});
  const std::uint16_t port = exporter.AwaitPort();
  ASSERT_NE(port, 0) << exporter.child().Errors();
  AwaitPage(port, [&](const StrictPage&) { return !smi.Calls().empty(); });
  for (int i = 0; i < 20; ++i) {
    const StrictPage page = ReadStrictly(BodyOf(Get(port, "/metrics")));
    EXPECT_FALSE(TellsMemoryTemperature(page));
    EXPECT_EQ(page.Family("nvidia_gpu_power_watts").size(), 1U);
  }
  const std::string calls = smi.Calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1) << calls;
}

TEST(GpuExporterTest, WritesAPastAndEnds) {
  ExporterProcess exporter({"--demo=true", "--past", "10m", "--past-end", "1795345000"});
  const Ended ended = exporter.Wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.errors;
  EXPECT_EQ(ended.errors, "");
  EXPECT_NE(ended.output.find("\nup{job=\"gpu-exporter\",instance=\"demo\"} 1 1795345000\n# EOF\n"),
            std::string::npos);
}

TEST(GpuExporterTest, APastThatFindsNoRoomOrNoReaderIsOneClearLine) {
  const std::string past =
      std::string(GPU_EXPORTER_BINARY) + " --demo --past 24h --past-end 1795345000 ";
  // The shell shows the exporter's exit code and what it said.
  for (const std::string& command :
       {past + ">/dev/full 2>&3; echo $? >&3",
        "{ " + past + "2>&3; echo $? >&3; } | head -c 10 >/dev/null"}) {
    FILE* const shell = popen(("exec 3>&1; " + command).c_str(), "r");
    ASSERT_NE(shell, nullptr);
    std::string said;
    for (int c = 0; (c = std::fgetc(shell)) != EOF;) said += static_cast<char>(c);
    EXPECT_EQ(pclose(shell), 0);
    EXPECT_EQ(said, "gpu-exporter: " + std::string(kUnwritten) + "\n1\n") << command;
  }
}

TEST(GpuExporterTest, HealthcheckTellsTheContainerRuntime) {
  ExporterProcess exporter({"--demo", "--nodes", "1"});
  const std::string port = std::to_string(exporter.AwaitPort());
  const std::string all = "0.0.0.0:" + port;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--healthcheck", "--listen-addr", all},
           {"--healthcheck=/", "--port", port, "--listen-addr", "127.0.0.1"}}) {
    ExporterProcess well(arguments);
    const Ended ended = well.Wait();
    EXPECT_EQ(ended.exit_code, 0) << ended.errors;
    EXPECT_EQ(ended.output + ended.errors, "");
  }
  const auto told = [&](std::vector<std::string> arguments) {
    ExporterProcess asking(std::move(arguments));
    const Ended ended = asking.Wait();
    EXPECT_EQ(ended.exit_code, 1) << ended.errors;
    return ended.errors;
  };
  const std::string where = "healthcheck: 127.0.0.1:" + port;
  EXPECT_EQ(told({"--healthcheck=/nothing", "--listen-addr", all}),
            where + "/nothing answered 404\n");
  EXPECT_NE(told({"--healthcheck", "livez"}).find("slash"), std::string::npos);
  EXPECT_NE(told({"--healthcheck", "--port", "http"}).find("--port"), std::string::npos);
  exporter.Signal(SIGTERM);
  EXPECT_EQ(exporter.Wait().exit_code, 0);
  EXPECT_EQ(told({"--healthcheck", "--listen-addr", all}), where + "/livez: Connection refused\n");
}

TEST(GpuExporterTest, TellsItsOptionsAndItsVersion) {
  ExporterProcess help({"--help"});
  const Ended ended = help.Wait();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.output.find("--gpus-per-node"), std::string::npos);
  EXPECT_EQ(ended.errors, "");
  ExporterProcess version({"--version"});
  EXPECT_TRUE(version.Wait().output.starts_with("gpu-exporter "));
}

}  // namespace
}  // namespace gpumon::exporter
