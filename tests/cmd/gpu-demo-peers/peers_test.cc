// What all stand-ins promise, and the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <optional>

#include "cmd/gpu-demo-peers/dstack_vmm.h"
#include "cmd/gpu-demo-peers/gpud_host.h"
#include "cmd/gpu-demo-peers/hakuriver_host.h"
#include "internal/collect/gpud_task.h"
#include "internal/dstack/gpus.h"
#include "internal/exporter/families.h"
#include "internal/gpud/answers.h"
#include "models/gpu.h"
#include "tests/cmd/gpu-demo-peers/asking.h"
#include "tests/fakes/http/raw_client.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::demo {
namespace {

using process::ChildProcess;
using process::ScratchDirectory;
using testing::HasSubstr;

const std::vector<std::pair<std::string, std::string>> kSinceYesterday = {
    {"startTime", std::to_string(kNoon.time_since_epoch().count() / 1000 - 86400)}};

TEST(DstackVmmTest, ItsGpusAreThoseOfTheFirstNode) {
  const exporter::Fleet fleet = MakeFleet();
  const auto list = dstack::ParseGpuList(Ask(DstackVmm(fleet).Rows(), "/prpc/ListGpus").body);
  ASSERT_TRUE(list.has_value()) << list.error().message;
  const exporter::FleetState state = fleet.At(kNoon);
  std::size_t free = 0;
  std::size_t present = 0;
  for (int i = 0; i < 8; ++i) {
    const exporter::GpuState& gpu = state.gpus[static_cast<std::size_t>(i)];
    present += gpu.present ? 1 : 0;
    free += gpu.present && gpu.pod < 0 ? 1 : 0;
  }
  EXPECT_EQ(list->gpus.size(), present);
  EXPECT_EQ(static_cast<std::size_t>(std::count_if(list->gpus.begin(), list->gpus.end(),
                                                   [](const auto& gpu) { return gpu.is_free; })),
            free);
  EXPECT_EQ(list->gpus[0].slot, "10:00.0");
  // The server's own /health passes on no other mark.
  EXPECT_THAT(list->gpus[0].description, HasSubstr("(demo)"));
}

TEST(DstackVmmTest, EveryBoardOfTheFleetsHasAProductId) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const exporter::Fleet fleet = MakeFleet({.nodes = 1, .gpus_per_node = 1, .seed = seed});
    const json::Value list = JsonOf(Ask(DstackVmm(fleet).Rows(), "/prpc/ListGpus"));
    const std::string name(fleet.nodes()[0].model->name);
    const std::string word = name.substr(name.rfind(' ') + 1).substr(0, 4);
    EXPECT_THAT(TextOf(list["gpus"][0]["description"]),
                HasSubstr(name.find("H100") != std::string::npos ? "H100" : word));
  }
}

TEST(GpudHostTest, WhatItTellsIsAHostWithTheFleetsReadings) {
  const exporter::Fleet fleet = MakeFleet();
  const GpudHost of_node(fleet);
  const std::vector<Row> rows = of_node.Rows();
  gpud::Host host;
  host.machine = *gpud::ReadMachine(Ask(rows, "/machine-info").body);
  host.states = *gpud::ReadStates(Ask(rows, "/v1/states").body);
  host.events = *gpud::ReadEvents(Ask(rows, "/v1/events", kNoon, kSinceYesterday).body);
  host.metrics = *gpud::ReadMetrics(Ask(rows, "/v1/metrics").body);
  const store::Snapshot snapshot = collect::TaskOf(host, kNoon, {});
  EXPECT_EQ(snapshot.gpud_version, "v0.5.1");
  ASSERT_EQ(snapshot.gpu_metrics.size(), host.machine.gpus.size());
  EXPECT_TRUE(snapshot.system_metrics.has_value());
  EXPECT_EQ(host.events.size(), 50U) << "an XID every ten minutes, the last ones";
  const auto demo = std::find(snapshot.machine_info.begin(), snapshot.machine_info.end(),
                              std::pair<std::string, std::string>("demo", "true"));
  EXPECT_NE(demo, snapshot.machine_info.end()) << "what is stored of it says so too";
  const exporter::FleetState state = fleet.At(kNoon);
  for (const exporter::GpuState& gpu : state.gpus) {
    if (state.nodes[static_cast<std::size_t>(gpu.node)].spec->name != host.machine.hostname)
      continue;
    for (const gpud::Metric& metric : host.metrics) {
      if (metric.uuid != exporter::UuidText(gpu)) continue;
      if (metric.name == "accelerator_nvidia_utilization_gpu_util_percent") {
        EXPECT_EQ(metric.value, gpu.utilization);
      }
    }
  }
}

TEST(GpudHostTest, EventsBeginNowUnlessAStartIsGivenAndComponentsCanBeChosen) {
  const exporter::Fleet fleet = MakeFleet();
  const GpudHost of_node(fleet);
  const std::vector<Row> rows = of_node.Rows();
  EXPECT_TRUE(gpud::ReadEvents(Ask(rows, "/v1/events", kNoon + Millis(1)).body)->empty());
  EXPECT_EQ(Ask(rows, "/v1/events", kNoon, {{"startTime", "yesterday"}}).status, 400);
  const auto some =
      JsonOf(Ask(rows, "/v1/states", kNoon, {{"components", "cpu,accelerator-nvidia-ecc"}}));
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(TextOf(some[0]["component"]), "accelerator-nvidia-ecc");
  EXPECT_EQ(TextOf(some[1]["component"]), "cpu");
}

TEST(GpudHostTest, AFleetWithoutOddGpusHasOneToo) {
  const exporter::Fleet fleet = MakeFleet({.nodes = 1, .gpus_per_node = 1});
  const GpudHost of_node(fleet);
  const std::vector<Row> rows = of_node.Rows();
  EXPECT_EQ(gpud::ReadMachine(Ask(rows, "/machine-info").body)->gpus.size(), 1U);
  EXPECT_TRUE(gpud::ReadEvents(Ask(rows, "/v1/events", kNoon, kSinceYesterday).body)->empty());
}

// An object, or each object of a list, says so itself.
bool SaysDemo(const json::Value& value) {
  if (value.is_object()) return value.Find("demo") != nullptr;
  return std::all_of(value.elements().begin(), value.elements().end(),
                     [](const json::Value& one) { return one.AsString() || SaysDemo(one); });
}

TEST(PeersTest, EveryAnswerSaysThatItIsADemos) {
  const exporter::Fleet fleet = MakeFleet();
  const DstackVmm vmm(fleet);
  const GpudHost of_node(fleet);
  HakuRiverHost hakuriver(fleet);
  const std::string task = TextOf(JsonOf(Ask(hakuriver.Rows(), "/api/tasks"))[0]["task_id"]);
  for (const std::vector<Row>& rows : {vmm.Rows(), of_node.Rows(), hakuriver.Rows()}) {
    for (const Row& row : rows) {
      for (const std::string& id : {task, std::string("1"), std::string("x")}) {
        const Answer answer = row.answer({kNoon, {id}, {}});
        if (answer.content_type == "application/json") {
          EXPECT_TRUE(SaysDemo(JsonOf(answer))) << row.path << ' ' << answer.body.substr(0, 200);
        } else {
          EXPECT_THAT(answer.body, HasSubstr("demo")) << row.path;
        }
      }
    }
  }
}

TEST(PeersTest, TheSameSeedAndTimeGiveTheSameAnswers) {
  const exporter::Fleet one = MakeFleet();
  const exporter::Fleet two = MakeFleet();
  EXPECT_EQ(Ask(HakuRiverHost(one).Rows(), "/api/tasks").body,
            Ask(HakuRiverHost(two).Rows(), "/api/tasks").body);
  EXPECT_EQ(Ask(GpudHost(one).Rows(), "/v1/metrics").body,
            Ask(GpudHost(two).Rows(), "/v1/metrics").body);
}

class GpuDemoPeersTest : public testing::Test {
 protected:
  std::uint16_t Start() {
    child_.emplace(GPUMON_DEMO_PEERS,
                   std::vector<std::string>{"--port-file", directory_.File("port")});
    EXPECT_TRUE(process::WaitUntil(
        [&] { return !process::ReadFile(directory_.File("port")).empty() || !child_->Running(); },
        Millis(20'000)));
    return static_cast<std::uint16_t>(std::stoi("0" + process::ReadFile(directory_.File("port"))));
  }
  static http::RawAnswer Get(std::uint16_t port, const std::string& target) {
    http::RawClient client(port);
    return client.Ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .value_or(http::RawAnswer());
  }

  ScratchDirectory directory_;
  std::optional<ChildProcess> child_;
};

TEST_F(GpuDemoPeersTest, AnswersForAllOfThemOnOnePortAndEndsOnSigterm) {
  const std::uint16_t port = Start();
  for (const std::string target : {"/livez", "/prpc/ListGpus?json", "/api/nodes", "/api/vps",
                                   "/v1/states", "/machine-info", "/nothing"}) {
    const http::RawAnswer answer = Get(port, target);
    EXPECT_EQ(answer.status, target == "/nothing" ? 404 : 200) << target;
    EXPECT_EQ(answer.Value("X-Demo"), "true") << target;
  }
  EXPECT_EQ(Get(port, "/api/nodes?%zz").status, 400);
  child_->Signal(SIGTERM);
  const auto ended = child_->Wait(Millis(20'000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << child_->Errors();
}

TEST_F(GpuDemoPeersTest, ListensOnLoopbackUnlessTold) {
  const std::string help = process::Run(GPUMON_DEMO_PEERS, {"--help"}).output;
  EXPECT_THAT(help, HasSubstr("127.0.0.1."));
  EXPECT_THAT(help, HasSubstr("nothing that it tells is real"));
}

TEST_F(GpuDemoPeersTest, WrongOptionsAndATakenPortAreOneLine) {
  const std::string port = std::to_string(Start());
  const auto taken = process::Run(GPUMON_DEMO_PEERS, {"--port", port});
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_THAT(taken.errors, HasSubstr(port));
  for (const auto& [flag, value] : std::vector<std::pair<std::string, std::string>>{
           {"--nodes", "0"}, {"--colour", "red"}, {"--listen-addr", "here"}}) {
    const auto refused = process::Run(GPUMON_DEMO_PEERS, {flag, value});
    EXPECT_EQ(refused.exit_code, 2) << flag;
    EXPECT_THAT(refused.errors, HasSubstr(flag));
    EXPECT_EQ(std::count(refused.errors.begin(), refused.errors.end(), '\n'), 1);
  }
  EXPECT_EQ(process::Run(GPUMON_DEMO_PEERS, {"--nodes", "100000"}).exit_code, 2);
}

}  // namespace
}  // namespace gpumon::demo
