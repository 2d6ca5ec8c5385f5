#include "internal/gpu/nodes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/contest.h"
#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::NodeQuantity;
using models::NullReason;
using models::Part;
using models::TargetState;
using prom::FakeSample;
using prom::Labels;
using Series = std::vector<FakeSample>;

constexpr double kNow = 1700000000;
const double kNaN = std::numeric_limits<double>::quiet_NaN();

FakeSample One(const std::string& metric, Labels labels, double value) {
  labels.emplace_back("__name__", metric);
  return {std::move(labels), value};
}
FakeSample Made(const std::string& series, Labels labels, double value) {
  labels.emplace_back("__series__", series);
  return {std::move(labels), value};
}
// Of node-exporter on that address.
Labels At(const std::string& host, Labels more = {}) {
  more.insert(more.end(), {{"job", "node"}, {"instance", host + ":9100"}});
  return more;
}
// Of kube-state-metrics about that node.
Labels Kube(const std::string& node, Labels more = {}) {
  more.insert(more.end(), {{"job", "ksm"}, {"instance", "10.9.9.9:8080"}, {"node", node}});
  return more;
}
FakeSample Info(const std::string& node, const std::string& ip) {
  return One("kube_node_info", Kube(node, {{"internal_ip", ip}}), 1);
}
FakeSample Resource(const std::string& metric, const std::string& node, const std::string& resource,
                    double value) {
  return One("kube_node_status_" + metric, Kube(node, {{"resource", resource}}), value);
}
FakeSample Ready(const std::string& node, double value) {
  return One("kube_node_status_condition", Kube(node, {{"condition", "Ready"}, {"status", "true"}}),
             value);
}

class NodesTest : public ::testing::Test {
 protected:
  // By query; a query that is not there has failed when `failed` has it.
  void Read(std::map<NodeQuery, Series> series, const std::set<NodeQuery>& failed = {},
            const TargetMemory* memory = nullptr) {
    snapshot_ = models::Snapshot();
    snapshot_.as_of = kNow;
    std::array<prom::InstantVector, kNodeQueries> vectors;
    NodeAnswers answers{};
    for (std::size_t i = 0; i < kNodeQueries; ++i) {
      const auto query = static_cast<NodeQuery>(i);
      vectors[i] = prom::MakeInstantVector(series[query]);
      if (failed.count(query) == 0) answers[i] = &vectors[i];
    }
    ReadNodes(answers, {detected_, memory}, snapshot_);
  }
  const models::Node& Node(std::string_view name) const {
    static const models::Node kNone;
    for (const auto& node : snapshot_.nodes) {
      if (node.name == name) return node;
    }
    ADD_FAILURE() << "no node " << name;
    return kNone;
  }
  std::string Names() const {
    std::string names;
    for (const auto& node : snapshot_.nodes) names += std::string(node.name) + ' ';
    return names;
  }
  NullReason Why(std::string_view name, NodeQuantity quantity) const {
    return Node(name).readings.reason(static_cast<std::size_t>(quantity));
  }
  // "exporter state" of each target.
  std::string Targets(std::string_view name) const {
    const auto& range = Node(name).parts.targets;
    std::string text;
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      text += std::string(snapshot_.targets[i].exporter) + ' ' +
              std::string(models::NameOf(snapshot_.targets[i].state)) + "; ";
    }
    return text;
  }

  Detected detected_;
  models::Snapshot snapshot_;
};

TEST_F(NodesTest, NodeExporterIsTheNodeThatUnameNames) {
  Read(
      {{NodeQuery::kHosts,
        {One("node_uname_info", At("10.0.0.1", {{"nodename", "gpu-a01"}}), 1),
         One("node_load1", At("10.0.0.1"), 2.5),
         One("node_memory_MemTotal_bytes", At("10.0.0.1"), 1000),
         One("node_memory_MemAvailable_bytes", At("10.0.0.1"), 250),
         One("node_filesystem_size_bytes",
             At("10.0.0.1", {{"mountpoint", "/"}, {"device", "/dev/a"}, {"fstype", "ext4"}}), 100),
         One("node_filesystem_avail_bytes",
             At("10.0.0.1", {{"mountpoint", "/"}, {"device", "/dev/a"}, {"fstype", "ext4"}}), 40)}},
       {NodeQuery::kRates,
        {Made("cpu", At("10.0.0.1"), 12), Made("cores", At("10.0.0.1"), 64),
         Made("rx", At("10.0.0.1"), 5), Made("tx", At("10.0.0.1"), 6),
         Made("temperature", At("10.0.0.1"), 55)}}});
  EXPECT_EQ(Names(), "gpu-a01 ");
  const auto& node = Node("gpu-a01");
  for (const auto& [quantity, value] :
       {std::pair(NodeQuantity::kLoad1, 2.5), std::pair(NodeQuantity::kCpu, 12.0),
        std::pair(NodeQuantity::kCores, 64.0), std::pair(NodeQuantity::kMemoryUsedPercent, 75.0),
        std::pair(NodeQuantity::kNetworkRx, 5.0), std::pair(NodeQuantity::kNetworkTx, 6.0),
        std::pair(NodeQuantity::kTemperature, 55.0)}) {
    EXPECT_EQ(node.Get(quantity), value);
  }
  ASSERT_EQ(snapshot_.disks.size(), 1U);
  EXPECT_EQ(snapshot_.disks[0].size, 100);
  EXPECT_EQ(snapshot_.disks[0].available, 40);
  EXPECT_FALSE(node.has_gpus);
  EXPECT_FALSE(node.in_kubernetes);
}

TEST_F(NodesTest, KubernetesNamesANodeByItsAddressOrWithoutItsDomain) {
  Read({{NodeQuery::kHosts,
         {One("node_load1", At("10.0.0.1"), 1),
          One("node_uname_info", At("10.0.0.2", {{"nodename", "b.example.com"}}), 1),
          One("node_load1", At("10.0.0.2"), 2), One("node_load1", At("host-c"), 3),
          One("gpu_metrics_cpu_utilization", {{"hostname", "10.0.0.1"}, {"job", "g"}}, 50)}},
        {NodeQuery::kKubernetes, {Info("a", "10.0.0.1"), Info("b", "10.7.0.2")}}});
  EXPECT_EQ(Names(), "a b host-c ");
  EXPECT_EQ(Node("a").Get(NodeQuantity::kLoad1), 1);
  EXPECT_EQ(Node("a").Get(NodeQuantity::kCpu), 50) << "the GPU exporter's, without node-exporter";
  EXPECT_EQ(Node("b").Get(NodeQuantity::kLoad1), 2);
}

TEST_F(NodesTest, SeriesThatNameNoMachineAreCounted) {
  Read({{NodeQuery::kHosts,
         {One("node_load1", At("10.0.0.1"), 1), One("node_load1", At("localhost"), 1)}}});
  EXPECT_EQ(Names(), "");
  ASSERT_EQ(snapshot_.warnings.size(), 1U);
  EXPECT_EQ(snapshot_.warnings[0].substr(0, 2), "2 ");
}

TEST_F(NodesTest, ANumaNodeIsNoMachine) {
  // As node-exporter has it, and as a scrape stores it whose target has a label `node` too.
  Read({{NodeQuery::kHosts,
         {One("node_uname_info", At("h", {{"nodename", "a"}}), 1),
          One("node_memory_numa_MemTotal", At("h", {{"node", "0"}}), 100),
          One("node_memory_numa_MemFree", At("h", {{"node", "0"}}), 30),
          One("node_memory_numa_MemTotal", At("h2", {{"exported_node", "1"}, {"node", "b"}}),
              200)}}});
  EXPECT_EQ(Names(), "a b ");
  ASSERT_EQ(snapshot_.numa.size(), 2U);
  EXPECT_EQ(snapshot_.numa[0].id, "0");
  EXPECT_EQ(snapshot_.numa[0].memory, 100);
  EXPECT_EQ(snapshot_.numa[0].memory_free, 30);
  EXPECT_EQ(snapshot_.numa[1].id, "1");
  EXPECT_TRUE(std::isnan(snapshot_.numa[1].memory_free));
}

TEST_F(NodesTest, NodeExporterStandsAboveWhatGpuExportersSayOfTheHost) {
  Read({{NodeQuery::kHosts,
         {One("all_smi_cpu_utilization", {{"hostname", "a"}}, 90),
          One("gpu_metrics_cpu_utilization", {{"hostname", "b"}}, 30),
          One("all_smi_cpu_utilization", {{"hostname", "b"}}, 90),
          One("cpu_used_percent", {{"node", "c"}}, 70),
          One("cpu_used_percent", {{"node", "d"}, {"gpud_component", "cpu"}}, 70)}},
        {NodeQuery::kRates, {Made("cpu", {{"node", "a"}}, 10)}}});
  EXPECT_EQ(Node("a").Get(NodeQuantity::kCpu), 10);
  EXPECT_EQ(Node("b").Get(NodeQuantity::kCpu), 30);
  EXPECT_EQ(Node("c").Get(NodeQuantity::kCpu), std::nullopt) << "a generic name, not GPUd's";
  EXPECT_EQ(Node("d").Get(NodeQuantity::kCpu), 70);
}

TEST_F(NodesTest, ImpossibleValuesAreNull) {
  Read({{NodeQuery::kHosts,
         {One("node_load1", {{"node", "a"}}, -1), One("node_load5", {{"node", "a"}}, kNaN),
          One("node_memory_MemTotal_bytes", {{"node", "a"}}, 100),
          One("node_memory_MemAvailable_bytes", {{"node", "a"}}, 200),
          One("node_filesystem_size_bytes", {{"node", "a"}, {"mountpoint", "/"}}, 10),
          One("node_filesystem_avail_bytes", {{"node", "a"}, {"mountpoint", "/"}}, 20)}},
        {NodeQuery::kRates,
         {Made("cpu", {{"node", "a"}}, 250), Made("temperature", {{"node", "a"}}, 65261),
          Made("rx", {{"node", "a"}}, std::numeric_limits<double>::infinity())}}});
  for (const NodeQuantity quantity :
       {NodeQuantity::kLoad1, NodeQuantity::kLoad5, NodeQuantity::kMemoryAvailable,
        NodeQuantity::kCpu, NodeQuantity::kTemperature, NodeQuantity::kNetworkRx}) {
    EXPECT_EQ(Why("a", quantity), NullReason::kInvalidValue) << static_cast<int>(quantity);
  }
  EXPECT_EQ(Why("a", NodeQuantity::kMemoryUsedPercent), NullReason::kNotExported);
  EXPECT_EQ(snapshot_.disks[0].size, 10);
  EXPECT_TRUE(std::isnan(snapshot_.disks[0].available));
}

TEST_F(NodesTest, KubernetesSaysWhatANodeCanGiveAndHasGiven) {
  const Series kubernetes = {Info("a", "10.0.0.1"),
                             Info("cpu", "10.0.0.2"),
                             Ready("a", 1),
                             Ready("cpu", 0),
                             Resource("capacity", "a", "nvidia_com_gpu", 8),
                             Resource("allocatable", "a", "nvidia_com_gpu", 6),
                             Resource("allocatable", "a", "nvidia_com_mig_3g_40gb", 2),
                             Resource("capacity", "a", "cpu", 64),
                             Resource("allocatable", "a", "cpu", 63.5),
                             Resource("allocatable", "cpu", "cpu", 8)};
  const Series requests = {
      Made("requests", Kube("a", {{"resource", "cpu"}}), 10),
      Made("requests", Kube("a", {{"resource", "nvidia_com_gpu"}}), 3),
      Made("requests", Kube("a", {{"resource", "nvidia_com_mig_3g_40gb"}}), 1)};
  Read({{NodeQuery::kKubernetes, kubernetes}, {NodeQuery::kRequests, requests}});
  const auto& a = Node("a");
  EXPECT_EQ(a.Get(NodeQuantity::kGpusCapacity), 8);
  EXPECT_EQ(a.Get(NodeQuantity::kGpusAllocatable), 8) << "GPUs and instances";
  EXPECT_EQ(a.Get(NodeQuantity::kGpusRequested), 4);
  EXPECT_EQ(a.Get(NodeQuantity::kCoresAllocatable), 63.5);
  EXPECT_EQ(a.Get(NodeQuantity::kCoresRequested), 10);
  EXPECT_EQ(a.Get(NodeQuantity::kReady), 1);
  EXPECT_TRUE(a.has_gpus);
  EXPECT_FALSE(Node("cpu").has_gpus);
  EXPECT_EQ(Node("cpu").Get(NodeQuantity::kReady), 0);
  EXPECT_EQ(Node("cpu").Get(NodeQuantity::kCoresRequested), 0) << "no pod of it asks for any";
  EXPECT_EQ(snapshot_.sources, std::vector<std::string>{"kube_state_metrics"});

  Read({{NodeQuery::kKubernetes, kubernetes}}, {NodeQuery::kRequests});
  EXPECT_EQ(Why("a", NodeQuantity::kGpusRequested), NullReason::kQueryFailed);
  EXPECT_EQ(Why("a", NodeQuantity::kCpu), NullReason::kNotExported);
  Read({{NodeQuery::kKubernetes, kubernetes}});
  EXPECT_EQ(Why("a", NodeQuantity::kGpusRequested), NullReason::kNotExported)
      << "nobody tells of any pod's";
}

// As where kube-state-metrics' own target has a label `node`, and labels are not honored.
TEST_F(NodesTest, ExportedLabelsAreTheNodes) {
  Series series = {Info("infra-1", "10.0.0.1"),
                   Resource("allocatable", "infra-1", "nvidia_com_gpu", 8), Ready("infra-1", 1)};
  for (FakeSample& sample : series) sample.labels.emplace_back("exported_node", "a");
  Read({{NodeQuery::kKubernetes, series},
        {NodeQuery::kHosts, {One("node_load1", At("10.0.0.1"), 4)}}});
  EXPECT_EQ(Names(), "a ");
  EXPECT_EQ(Node("a").Get(NodeQuantity::kLoad1), 4);
}

TEST_F(NodesTest, TwoKubeStateMetricsSayOneThing) {
  Series twice;
  for (const FakeSample& sample :
       {Info("a", "10.0.0.1"), Resource("capacity", "a", "nvidia_com_gpu", 8), Ready("a", 1)}) {
    twice.push_back(sample);
    twice.push_back(sample);
    twice.back().labels.emplace_back("replica", "b");
  }
  Read({{NodeQuery::kKubernetes, twice}});
  EXPECT_EQ(Node("a").Get(NodeQuantity::kGpusCapacity), 8);
}

TEST_F(NodesTest, ANodeThatKubernetesNoLongerListsHasVanished) {
  const FakeSample gone = Made("vanished", Kube("gone"), kNow - 600);
  Read({{NodeQuery::kKubernetes,
         {Info("a", "10.0.0.1"), gone, Made("vanished", Kube("a"), kNow - 60)}}});
  EXPECT_EQ(Node("gone").vanished, kNow - 600);
  EXPECT_TRUE(Node("gone").has_gpus);
  EXPECT_TRUE(std::isnan(Node("a").vanished)) << "it is listed";
  Read({{NodeQuery::kKubernetes, {gone}}});
  EXPECT_EQ(Names(), "") << "kube-state-metrics is away, not the nodes";
}

TEST_F(NodesTest, TargetsAreUpDownOrFrozen) {
  const auto dcgm = [](const std::string& host, Labels more = {}) {
    more.insert(more.end(), {{"job", "dcgm"}, {"instance", host + ":9400"}});
    return more;
  };
  const auto shows = [&](const std::string& host, const std::string& node) {
    return Made("exporter", dcgm(host, {{"exporter", "dcgm"}, {"node", node}}), 1);
  };
  const auto& registry = schema::Registry::BuiltIn();
  Subject subject;
  for (const auto& exporter : registry.exporters()) {
    if (exporter->name == "dcgm") subject.exporter = exporter.get();
  }
  ASSERT_NE(subject.exporter, nullptr);
  const auto key = [&](const std::string& host) {
    return Contest::TargetOf(prom::MakeInstantVector({{dcgm(host), 1}}).labels(0));
  };
  subject.jobs = {"dcgm"};
  subject.frozen[key("10.0.0.2")] = "two";
  detected_.subjects = {subject};
  FakeClock clock;
  TargetMemory memory(clock);
  memory.Learn(models::Part::kGpus,
               {{{"dcgm", key("10.0.0.3")}, {.nodes = {{"c", {.of_gpus = 1}}}, .hidden_in = ""}}});
  Read({{NodeQuery::kKubernetes, {Info("d", "10.0.0.4")}},
        {NodeQuery::kTargets,
         {shows("10.0.0.1", "a"), Made("scraped", dcgm("10.0.0.1"), kNow - 10),
          shows("10.0.0.2", "b"),
          Made("exporter",
               {{"exporter", "node_exporter"},
                {"job", "node"},
                {"instance", "x:9100"},
                {"node", "a"}},
               1),
          Made("down", dcgm("10.0.0.3"), 0), Made("last_up", dcgm("10.0.0.3"), kNow - 300),
          Made("down", dcgm("10.0.0.4"), 0),
          Made("down", {{"job", "node-exporter"}, {"instance", "10.0.0.4:9100"}}, 0),
          Made("down", {{"job", "shop"}, {"instance", "10.0.0.4:80"}}, 0)}}},
       {}, &memory);
  EXPECT_EQ(Targets("a"), "dcgm up; node_exporter up; ");
  EXPECT_EQ(Targets("b"), "dcgm frozen; ");
  EXPECT_EQ(Targets("c"), "dcgm down; ") << "it is remembered";
  EXPECT_EQ(Targets("d"), "dcgm down; node_exporter down; ") << "by its job and its address";
  EXPECT_TRUE(Node("c").has_gpus);
  const auto& down = snapshot_.targets[Node("c").parts.targets.first];
  EXPECT_EQ(down.newest, kNow - 300);
  EXPECT_EQ(snapshot_.targets[Node("a").parts.targets.first].newest, kNow - 10);
  EXPECT_TRUE(std::isnan(snapshot_.targets[Node("b").parts.targets.first].newest));
  EXPECT_EQ(Why("d", NodeQuantity::kCpu), NullReason::kExporterDown);
}

TEST_F(NodesTest, TargetsWithoutAGpuAreTold) {
  const auto of = [](const std::string& job, const std::string& host) {
    return Labels{{"job", job}, {"instance", host}};
  };
  Labels shows = of("gpu", "a:9400");
  shows.insert(shows.end(), {{"exporter", "dcgm"}, {"Hostname", "a"}});
  Read({{NodeQuery::kTargets,
         {Made("exporter", shows, 1), Made("scraped", of("gpu", "a:9400"), kNow),
          Made("scraped", of("gpu", "b:9400"), kNow), Made("scraped", of("gpu", "c:9400"), kNow),
          Made("scraped", of("gpu", "e:9400"), kNow), Made("started", of("gpu", "e:9400"), 20),
          Made("down", of("gpu", "c:9400"), 0), Made("down", of("shop", "d:80"), 0),
          Made("scraped", of("node-exporter", "a:9100"), kNow)}}});
  std::string silent;
  for (const auto& target : snapshot_.silent) {
    silent.append(target.instance).append(target.up ? " up" : " down");
    silent.append(std::isnan(target.up_for) ? "; " : " lately; ");
  }
  EXPECT_EQ(silent, "b:9400 up; c:9400 down; e:9400 up lately; d:80 down; ");
}

TEST_F(NodesTest, OneThatIsUpAndShowsNoGpuAnyMoreIsStillOfItsMachine) {
  const auto of = [](const std::string& host) {
    return Labels{{"job", "gpu"}, {"instance", host + ":9400"}};
  };
  Subject subject;
  for (const auto& exporter : schema::Registry::BuiltIn().exporters()) {
    if (exporter->name == "dcgm") subject.exporter = exporter.get();
  }
  ASSERT_NE(subject.exporter, nullptr);
  subject.jobs = {"gpu"};
  detected_.subjects = {subject};
  FakeClock clock;
  TargetMemory memory(clock);
  for (const std::string host : {"a", "b", "d"}) {
    const auto key = Contest::TargetOf(prom::MakeInstantVector({{of(host), 1}}).labels(0));
    memory.Learn(models::Part::kGpus,
                 {{{"dcgm", key}, {.nodes = {{host, {.of_gpus = 1}}}, .hidden_in = ""}}});
  }
  std::vector<FakeSample> targets = {Made("started", of("b"), 20), Made("started", of("d"), 120)};
  for (const char* const host : {"a", "b", "c", "d"}) {
    targets.push_back(Made("scraped", of(host), kNow - 10));
  }
  // Who is there was looked for before b came up: what it showed until then is no news of it.
  const auto b = Contest::TargetOf(prom::MakeInstantVector({{of("b"), 1}}).labels(0));
  detected_.subjects[0].down[b].gpus = {{"b", {.of_gpus = 1}}};
  clock.Advance(Millis(30'000));
  Read({{NodeQuery::kTargets, targets}}, {}, &memory);
  EXPECT_TRUE(snapshot_.targets[Node("b").parts.targets.first].started);
  EXPECT_FALSE(snapshot_.targets[Node("d").parts.targets.first].started) << "it showed one since";
  snapshot_ = {};
  clock.Advance(TargetMemory::kHour * 2);
  Read({{NodeQuery::kTargets, targets}}, {}, &memory);
  EXPECT_EQ(snapshot_.nodes.size(), 3U) << "of c nobody ever said that it has GPUs";
  for (const std::string node : {"a", "b", "d"}) {
    EXPECT_EQ(Targets(node), "dcgm up; ") << node;
    EXPECT_TRUE(Node(node).has_gpus);
    const auto& target = snapshot_.targets[Node(node).parts.targets.first];
    EXPECT_TRUE(target.of_gpus);
    EXPECT_EQ(target.newest, kNow - 10);
    EXPECT_EQ(target.started, node != "a");
  }
}

TEST_F(NodesTest, TheOrderOfSeriesDoesNotCount) {
  std::map<NodeQuery, Series> series = {
      {NodeQuery::kHosts,
       {One("node_load1", {{"node", "a"}}, 1), One("node_load1", {{"node", "a"}, {"x", "y"}}, 3),
        One("node_load1", {{"node", "b"}}, 2),
        One("gpu_metrics_cpu_utilization", {{"node", "b"}}, 5),
        One("all_smi_cpu_utilization", {{"node", "b"}}, 6)}},
      {NodeQuery::kKubernetes,
       {Info("a", "1.1.1.1"), Info("b", "1.1.1.2"), Resource("capacity", "a", "nvidia_com_gpu", 2),
        Resource("capacity", "a", "nvidia_com_gpu", 4)}}};
  std::mt19937 random{7};
  for (int i = 0; i < 20; ++i) {
    for (auto& [query, all] : series) std::shuffle(all.begin(), all.end(), random);
    Read(series);
    EXPECT_EQ(Names(), "a b ");
    EXPECT_EQ(Node("a").Get(NodeQuantity::kLoad1), 3);
    EXPECT_EQ(Node("a").Get(NodeQuantity::kGpusCapacity), 4);
    EXPECT_EQ(Node("b").Get(NodeQuantity::kCpu), 5);
  }
}

class NodesRefreshTest : public ::testing::Test {
 protected:
  NodesRefreshTest() {
    rig_.client().SetFunction([](const prom::FakePromClient::Call& call) {
      Series series;
      // Somebody has looked already: nothing is assumed.
      if (call.promql.find("node_load1") != std::string::npos) {
        series.push_back(One("node_load1", {{"node", "a"}}, 1));
      }
      return prom::FakePromClient::Answer(prom::MakeResult(series));
    });
  }
  static std::string HostsQuery() { return PromqlOf(NodeQuery::kHosts, Detected()); }

  RefreshRig rig_;
};

TEST_F(NodesRefreshTest, AsksAFixedNumberOfQueriesAtOneInstant) {
  const auto collected = rig_.Collect(Part::kNodes, kNow);
  ASSERT_TRUE(collected);
  EXPECT_EQ((*collected)->part, Part::kNodes);
  EXPECT_EQ((*collected)->as_of, kNow);
  EXPECT_EQ((*collected)->rows(), 1U);
  EXPECT_FALSE((*collected)->partial);
  std::size_t of_nodes = 0;
  for (const auto& query : rig_.observer.queries()) {
    for (std::size_t i = 0; i < kNodeQueries; ++i) {
      of_nodes += query.name == NameOf(static_cast<NodeQuery>(i)) ? 1U : 0U;
    }
  }
  EXPECT_EQ(of_nodes, kNodeQueries);
  for (const auto& call : rig_.client().calls()) EXPECT_EQ(call.start, kNow);
}

TEST_F(NodesRefreshTest, WhatFailedIsPartialAndAllThatFailedIsAnError) {
  rig_.client().SetError(PromqlOf(NodeQuery::kRates, Detected()), Code::kUpstreamTimeout);
  const auto partial = rig_.Collect(Part::kNodes);
  ASSERT_TRUE(partial);
  EXPECT_TRUE((*partial)->partial);
  ASSERT_EQ((*partial)->warnings.size(), 1U);
  EXPECT_EQ((*partial)->warnings[0], "node_exporter/rates: query failed (upstream_timeout)");
  EXPECT_EQ((*partial)->nodes[0].readings.reason(static_cast<std::size_t>(NodeQuantity::kCpu)),
            NullReason::kQueryFailed);
  EXPECT_EQ((*partial)->nodes[0].Get(NodeQuantity::kLoad1), 1);
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(rig_.Collect(Part::kNodes).error().code, Code::kUpstreamUnreachable)
        << "and its place is given back";
  }
}

}  // namespace
}  // namespace gpumon::gpu
