// Owners and requests from kube-state-metrics, scraped by a real Prometheus with and without
// honorLabels.
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr char kWorkloads[] = "/api/v1/gpu/workloads";
constexpr char kFields[] =
    "?format=csv&fields=namespace,pod,phase,owner_kind,owner_name,node_names,gpus,gpus_requested";
// What the target of kube-state-metrics itself is called.
constexpr char kTarget[] =
    "namespace: monitoring, pod: ksm-0, container: ksm, node: gpu-a01, service: ksm";

std::string Cluster() {
  std::ifstream in(std::string(GPUMON_SOURCE_DIR) + "/tests/captures/kube/cluster.prom");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The text without the lines that begin with `prefix`.
std::string Without(const std::string& text, const std::string& prefix) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(prefix)) rest += line + '\n';
  }
  return rest;
}

// Prometheus over one text, and the server over that.
class World {
 public:
  World(std::string text, bool honor_labels)
      : text_(std::move(text)),
        exporter_(
            [this](const fault::Request&) { return fault::HttpStatus(200, text_, "text/plain"); }),
        prometheus_(Prometheus::Scraping(exporter_.port(), honor_labels, kTarget)) {
    EXPECT_TRUE(
        process::WaitUntil([&] { return Ask("up{job=\"gpu\"} == 1").size() > 0; }, Millis(20'000)));
    server_ = std::make_unique<ApiServer>(
        prometheus_->url(), Environment{{"CACHE_TTL", "0s"}, {"DEBUG_ENDPOINTS", "true"}});
    EXPECT_TRUE(process::WaitUntil(
        [&] { return server_->Get(kMetrics).Json()["data"].size() == 2; }, Millis(20'000)));
  }

  Value Ask(const std::string& promql) const {
    return prometheus_->Query(promql, std::to_string(std::time(nullptr) + 1));
  }
  const ApiServer& server() const { return *server_; }
  const Prometheus& prometheus() const { return *prometheus_; }

 private:
  const std::string text_;
  fault::FaultServer exporter_;
  std::unique_ptr<Prometheus> prometheus_;
  std::unique_ptr<ApiServer> server_;
};

class KubeTest : public testing::TestWithParam<bool> {};

TEST_P(KubeTest, WorkloadsHaveTheirOwnersAndWhatTheyAskFor) {
  const World world(Cluster(), GetParam());
  EXPECT_EQ(world.server().Get(std::string(kWorkloads) + kFields).body,
            "namespace,pod,phase,owner_kind,owner_name,node_names,gpus,gpus_requested\r\n"
            "ml-team,bert-ft-7c9d-0,Running,StatefulSet,bert-ft-7c9d,gpu-a01,1,1\r\n"
            "ml-team,eval-29481-q8w2e,Running,CronJob,eval,gpu-c01,,2\r\n"
            "web,chat-5d9f7c-x2x4k,Running,Deployment,chat,gpu-a01,1,1\r\n");
  EXPECT_EQ(world.server().Get(std::string(kWorkloads) + kFields + "&by=namespace").body,
            "namespace,pod,phase,owner_kind,owner_name,node_names,gpus,gpus_requested\r\n"
            "ml-team,,,,,gpu-a01 gpu-c01,1,3\r\n"
            "web,,,,,gpu-a01,1,1\r\n");
  const Value owners = world.server().Get(std::string(kWorkloads) + "?by=owner&owner=chat").Json();
  ASSERT_EQ(owners["data"].size(), 1U);
  EXPECT_EQ(TextOf(owners["data"][0]["owner_kind"]), "Deployment");
  EXPECT_EQ(owners["meta"]["sources"].size(), 2U);
  EXPECT_FALSE(*owners["meta"]["partial"].AsBool());
}

// As two kube-state-metrics, or two Prometheus behind one address, show everything twice.
TEST_P(KubeTest, WhatIsThereTwiceCountsOnce) {
  std::istringstream lines(Cluster());
  std::string twice = Cluster();
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("kube_")) continue;
    twice += line.insert(line.find('{') + 1, "replica=\"b\",") + '\n';
  }
  const World world(Cluster(), GetParam());
  const World doubled(twice, GetParam());
  ASSERT_EQ(doubled.Ask("kube_pod_info").size(), 2 * world.Ask("kube_pod_info").size());
  for (const std::string by : {"pod", "owner"}) {
    const std::string target = std::string(kWorkloads) + kFields + "&by=" + by;
    EXPECT_EQ(doubled.server().Get(target).body, world.server().Get(target).body);
  }
}

// By a claim of dynamic resource allocation, by its memory, or by NVIDIA_VISIBLE_DEVICES.
TEST_P(KubeTest, APodThatHoldsAGpuWithoutAskingForOneHasItsOwner) {
  const std::string text =
      Without(Cluster(), "kube_pod_container_resource_requests{namespace=\"web\",pod=\"chat");
  const World world(text, GetParam());
  const std::string found =
      "namespace,pod,phase,owner_kind,owner_name,node_names,gpus,gpus_requested\r\n"
      "ml-team,bert-ft-7c9d-0,Running,StatefulSet,bert-ft-7c9d,gpu-a01,1,1\r\n"
      "ml-team,eval-29481-q8w2e,Running,CronJob,eval,gpu-c01,,2\r\n"
      "web,chat-5d9f7c-x2x4k,Running,Deployment,chat,gpu-a01,1,\r\n";
  EXPECT_EQ(world.server().Get(std::string(kWorkloads) + kFields).body, found);
  const ApiServer anew(world.prometheus().url(), {});
  EXPECT_EQ(anew.Get(std::string(kWorkloads) + kFields).body, found) << "before anything else";
  const Value summary = world.server().Get("/api/v1/gpu/summary").Json();
  EXPECT_EQ(summary["data"][0]["pods_running"].AsDouble(), 2) << "those that ask for GPUs";
}

TEST_P(KubeTest, OnlyPodsThatAskForGpusOrHoldThemAreFetched) {
  const World world(Cluster(), GetParam());
  const Value queries = world.server().Get("/debug/vars").Json()["queries"];
  const std::string promql = TextOf(queries["pods/kube_state_metrics/pods"]);
  ASSERT_FALSE(promql.empty());
  const Value fetched = world.Ask(promql);
  std::size_t waiting = 0;
  for (const Value& series : fetched.elements()) {
    bool waits = false;
    for (const auto& [name, value] : series["metric"].members()) {
      EXPECT_FALSE(Holds(TextOf(value), "shop")) << name << ": a pod without a GPU";
      EXPECT_FALSE(Holds(TextOf(value), "gpumem")) << name;
      EXPECT_NE(TextOf(value), "memory");
      waits |= TextOf(value) == "waits";
    }
    waiting += waits ? 1U : 0U;
  }
  EXPECT_EQ(waiting, 4U) << "its request, info, owner and phase";
}

TEST_P(KubeTest, WithoutKubeStateMetricsExportersStillTell) {
  const World world(Without(Cluster(), "kube_"), GetParam());
  const Value document = world.server().Get(kWorkloads).Json();
  ASSERT_EQ(document["data"].size(), 2U);
  EXPECT_EQ(document["data"][0]["gpus"].AsDouble(), 1);
  const Value& reasons = document["meta"]["null_reasons"];
  for (const char* const field : {"phase", "owner_kind", "owner_name", "gpus_requested"}) {
    EXPECT_TRUE(document["data"][0][field].is_null());
    EXPECT_EQ(TextOf(reasons[field]), "not_exported") << field;
  }
  EXPECT_FALSE(*document["meta"]["partial"].AsBool());
  EXPECT_TRUE(Holds(TextOf(document["warnings"][0]), "kube-state-metrics"));
}

// What a scrape makes of the labels of a target's series: those that the target has itself are
// renamed.
struct TargetLabels {
  std::string name;
  std::vector<std::string> own;  // of namespace and pod
  bool twice = false;            // two targets of one address, as while one replaces the other
};

std::string Scraped(const std::string& line, const TargetLabels& target, int replica) {
  std::string scraped = line;
  std::string more = R"(job="j",instance="10.0.0.1:8080",)";
  for (const std::string& label : target.own) {
    for (const char* const before : {"{", ","}) {
      const auto at = scraped.find(before + label + "=");
      if (at != std::string::npos) scraped.insert(at + 1, "exported_");
    }
    more += label + "=\"of-target-" + std::to_string(replica) + "\",";
  }
  return scraped.insert(scraped.find('{') + 1, more);
}

TEST(KubeLabelsTest, PodsHaveTheirOwnersWhateverTheirTargetsAreCalled) {
  const std::vector<TargetLabels> targets = {
      {"none", {}},
      {"namespace", {"namespace"}},
      {"pod", {"pod"}},
      {"both", {"namespace", "pod"}},
      {"twice", {"namespace", "pod"}, true},
      {"twice, on nodes", {"namespace", "pod", "node", "uid"}, true}};
  // The chat pod asks for none, and of the exporter's usual metrics there is one.
  const std::string text = Without(
      Without(
          Without(Cluster(), "kube_pod_container_resource_requests{namespace=\"web\",pod=\"chat"),
          "DCGM_FI_DEV_FB_USED"),
      "#");
  for (const TargetLabels& ksm : targets) {
    for (const TargetLabels& dcgm : targets) {
      if (dcgm.twice) continue;
      std::istringstream lines(text);
      std::string held;
      for (std::string line; std::getline(lines, line);) {
        const TargetLabels& target = line.starts_with("kube_") ? ksm : dcgm;
        for (int replica = 0; replica <= (target.twice ? 1 : 0); ++replica) {
          held += Scraped(line, target, replica) + " 1700000000\n";
        }
      }
      const std::string where = "kube-state-metrics: " + ksm.name + ", dcgm-exporter: " + dcgm.name;
      std::string ups;
      std::string own;
      for (const std::string& label : dcgm.own) own += label + "=\"of-target-0\",";
      ups = "up{" + own + "job=\"j\",instance=\"10.0.0.1:8080\"} 1 1700000000\n";
      const auto prometheus = Prometheus::Holding(held + ups + "# EOF\n");
      const ApiServer server(prometheus->url(), {});
      EXPECT_EQ(server.Get(std::string(kWorkloads) + kFields + "&at=1700000010").body,
                "namespace,pod,phase,owner_kind,owner_name,node_names,gpus,gpus_requested\r\n"
                "ml-team,bert-ft-7c9d-0,Running,StatefulSet,bert-ft-7c9d,gpu-a01,1,1\r\n"
                "ml-team,eval-29481-q8w2e,Running,CronJob,eval,gpu-c01,,2\r\n"
                "web,chat-5d9f7c-x2x4k,Running,Deployment,chat,gpu-a01,1,\r\n")
          << where;
      EXPECT_EQ(
          server.Get("/api/v1/gpu/nodes?format=csv&fields=node_name,gpus_requested&at=1700000010")
              .body,
          "node_name,gpus_requested\r\ngpu-a01,1\r\n")
          << where;
      const Value tasks = server.Get("/api/v1/gpu/tasks?at=1700000010").Json();
      EXPECT_EQ(tasks["data"].size(), 6U) << where;
      EXPECT_FALSE(*tasks["meta"]["partial"].AsBool()) << where;
    }
  }
}

// By the labels that each schema reads, in their order, and by metrics that are none of its marks.
TEST(KubeLabelsTest, PodsHaveTheirOwnersWhicheverLabelsAndMetricsAnExporterHas) {
  const std::string ksm =
      R"(kube_pod_info{job="k",namespace="ml",pod="p",uid="u",node="n"} 1 1700000000
kube_pod_owner{job="k",namespace="ml",pod="p",uid="u",owner_kind="Job",owner_name="j",owner_is_controller="true"} 1 1700000000
kube_pod_status_phase{job="k",namespace="ml",pod="p",uid="u",phase="Running"} 1 1700000000
)";
  for (
      const std::string series : {
          R"(dcgm_gpu_temp{gpu="0",uuid="GPU-1",pod_namespace="of-target",exported_pod_namespace="ml",pod_name="p"})",
          R"(dcgm_mem_copy_utilization{gpu="0",uuid="GPU-1",pod_namespace="ml",exported_pod_name="p",pod_name="of-target"})",
          R"(HostCoreUtilization{nodeid="n",deviceuuid="GPU-1",deviceidx="0"} 1 1700000000
vGPU_device_memory_usage_in_bytes{nodeid="n",deviceuuid="GPU-1",exported_podname="p",podname="of-target",podnamespace="ml",vdeviceid="0"})",
          R"(DCGM_FI_DEV_MEM_COPY_UTIL{gpu="0",UUID="GPU-1",Hostname="n",namespace="ml",pod="p"})",
          R"(DCGM_FI_DRAM{gpu="0",UUID="GPU-1",Hostname="n",namespace="ml",pod="p"} 1 1700000000
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-1",Hostname="n",namespace="ml",pod="p"})",
          R"(xpum_power_watts{node="n",dev_file="card0",uuid="0100-1",exported_kube_pod="p",kube_pod="of-target",kube_namespace="ml"})",
      }) {
    const auto prometheus =
        Prometheus::Holding(ksm + series + " 1 1700000000\nup{pod=\"own\"} 1 1700000000\n# EOF\n");
    const ApiServer server(prometheus->url(), {});
    EXPECT_EQ(server
                  .Get(std::string(kWorkloads) +
                       "?format=csv&fields=namespace,pod,phase,owner_kind,owner_name,gpus"
                       "&at=1700000010")
                  .body,
              "namespace,pod,phase,owner_kind,owner_name,gpus\r\nml,p,Running,Job,j,1\r\n")
        << series;
  }
}

// A target of an exporter that calls pods otherwise may have such a label itself.
TEST(KubeLabelsTest, AnExportersOwnPodHoldsNoGpuWhateverItsLabelIsCalled) {
  const auto prometheus = Prometheus::Holding(
      R"(dcgm_gpu_temp{gpu="0",uuid="GPU-1",job="d",instance="a",pod_name="own",pod_namespace="mon",exported_pod_name="train",exported_pod_namespace="ml"} 1 1700000000
dcgm_gpu_temp{gpu="1",uuid="GPU-2",job="d",instance="a",pod_name="own",pod_namespace="mon"} 1 1700000000
dcgm_gpu_temp{gpu="0",uuid="GPU-3",job="d",instance="b",pod_name="honored",pod_namespace="ml"} 1 1700000000
dcgm_gpu_temp{gpu="1",uuid="GPU-4",job="d",instance="b",pod_name="own-b",pod_namespace="mon"} 1 1700000000
xpum_power_watts{node="n",dev_file="card0",uuid="0100-1",job="x",instance="c",kube_pod="own-x",kube_namespace="mon"} 1 1700000000
nvidia_gpu_process_gpu_memory_bytes{node="m",gpu="0",pid="7",job="o",instance="o",uid="of-pod"} 5 1700000000
nvidia_gpu_process_gpu_memory_bytes{node="m",gpu="0",pid="8",job="o",instance="o",uid="of-pod",exported_uid="1000"} 5 1700000000
nvidia_gpu_used_memory_bytes{node="m",gpu="0",job="o",instance="o",uid="of-pod"} 5 1700000000
up{job="o",instance="o",uid="of-pod"} 1 1700000000
up{job="d",instance="a",pod_name="own",pod_namespace="mon"} 1 1700000000
up{job="d",instance="b",pod_name="own-b",pod_namespace="mon"} 1 1700000000
up{job="x",instance="c",kube_pod="own-x",kube_namespace="mon"} 1 1700000000
# EOF
)");
  const ApiServer server(prometheus->url(), {});
  EXPECT_EQ(
      server.Get(std::string(kWorkloads) + "?format=csv&fields=namespace,pod,gpus&at=1700000010")
          .body,
      "namespace,pod,gpus\r\nml,honored,1\r\nml,train,1\r\n");
  EXPECT_EQ(server.Get("/api/v1/gpu/processes?format=csv&fields=pid,user&at=1700000010").body,
            "pid,user\r\n7,\r\n8,1000\r\n");
}

INSTANTIATE_TEST_SUITE_P(HonorLabels, KubeTest, testing::Bool(), [](const auto& one) {
  return one.param ? std::string("Honored") : std::string("NotHonored");
});

TEST(KubeDemoTest, TheDemoFleetShowsWhoseItsPodsAre) {
  const Exporter exporter({"--nodes", "4", "--gpus-per-node", "8", "--seed", "1"});
  for (const bool honor_labels : {true, false}) {
    const auto prometheus = Prometheus::Scraping(exporter.port(), honor_labels);
    const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
    Value document;
    ASSERT_TRUE(process::WaitUntil(
        [&] {
          document = server.Get(std::string(kWorkloads) + "?by=owner").Json();
          return document["data"].size() > 0 && document["meta"]["sources"].size() > 1;
        },
        Millis(20'000)));
    for (const Value& row : document["data"].elements()) {
      EXPECT_FALSE(TextOf(row["owner_kind"]).empty());
      EXPECT_NE(TextOf(row["owner_kind"]), "ReplicaSet") << "the Deployment is above it";
      EXPECT_GT(row["gpus_requested"].AsDouble().value_or(0), 0);
    }
  }
}

}  // namespace
}  // namespace gpumon::e2e
