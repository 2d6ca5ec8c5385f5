#include "internal/gpu/pods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/look.h"
#include "internal/gpu/named_pods.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using prom::FakeSample;
using prom::Labels;
using Series = std::vector<FakeSample>;

FakeSample One(const std::string& metric, Labels labels, double value = 1) {
  labels.emplace_back("__name__", metric);
  labels.emplace_back("job", "ksm");
  return {std::move(labels), value};
}

Labels Of(const std::string& pod, Labels more = {}) {
  more.insert(more.end(), {{"namespace", "ml"}, {"pod", pod}, {"uid", "uid-" + pod}});
  return more;
}

FakeSample Request(const std::string& pod, const std::string& container, double gpus,
                   const std::string& resource = "nvidia_com_gpu") {
  return One("kube_pod_container_resource_requests",
             Of(pod, {{"container", container}, {"node", "n1"}, {"resource", resource}}), gpus);
}

FakeSample Phase(const std::string& pod, const std::string& phase) {
  return One("kube_pod_status_phase", Of(pod, {{"phase", phase}}));
}

FakeSample OwnerOf(const std::string& pod, const std::string& kind, const std::string& name) {
  return One("kube_pod_owner",
             Of(pod, {{"owner_kind", kind},
                      {"owner_name", name},
                      {"owner_is_controller", kind.empty() || kind == "<none>" ? "" : "true"}}));
}

FakeSample Maker(const std::string& metric, const std::string& label, const std::string& made,
                 const std::string& kind, const std::string& name) {
  return One(metric, {{"namespace", "ml"},
                      {label, made},
                      {"owner_kind", kind},
                      {"owner_name", name},
                      {"owner_is_controller", "true"}});
}

// Of the only exporter that a fake Prometheus has.
std::string Query() {
  Subject subject;
  subject.exporter = schema::Registry::BuiltIn().Find("nvidia_gpu");
  return PodsQuery(std::array{subject});
}

class PodsTest : public ::testing::Test {
 protected:
  const std::vector<models::Pod>& Read(const Series& series) {
    snapshot_ = models::Snapshot();
    ReadPods(prom::MakeInstantVector(series), snapshot_);
    return snapshot_.pods;
  }
  // "kind/name" of the only pod's owner.
  std::string OwnerIn(const Series& series) {
    const auto& pods = Read(series);
    if (pods.size() != 1) return std::to_string(pods.size()) + " pods";
    return std::string(pods[0].owner_kind) + '/' + std::string(pods[0].owner_name);
  }

 private:
  models::Snapshot snapshot_;
};

TEST_F(PodsTest, APodIsARowWithTheRequestsOfItsContainersTogether) {
  const auto& pods = Read({Request("a", "main", 2), Request("a", "side", 1),
                           Request("a", "main", 1, "nvidia_com_mig_x"), Phase("a", "Running"),
                           One("kube_pod_info", Of("a", {{"node", "n1"}})),
                           One("kube_pod_created", Of("a"), 1700000000)});
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(pods[0].name_space, "ml");
  EXPECT_EQ(pods[0].name, "a");
  EXPECT_EQ(pods[0].node, "n1");
  EXPECT_EQ(pods[0].phase, "Running");
  EXPECT_EQ(pods[0].gpus_requested, 4);
  EXPECT_EQ(pods[0].created, 1700000000);
  EXPECT_TRUE(pods[0].holds_gpus());
}

TEST_F(PodsTest, WhatIsNotThereIsAbsent) {
  const auto& pods = Read({Request("a", "c", std::numeric_limits<double>::quiet_NaN())});
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_TRUE(std::isnan(pods[0].gpus_requested));
  EXPECT_TRUE(std::isnan(pods[0].created));
  EXPECT_EQ(pods[0].phase, "");
  EXPECT_EQ(pods[0].owner_kind, "");
  EXPECT_FALSE(pods[0].holds_gpus());
  EXPECT_FALSE(pods[0].ended());
  EXPECT_TRUE(Read({}).empty());
}

TEST_F(PodsTest, TheOwnerIsTheTopOne) {
  const FakeSample request = Request("a", "c", 1);
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "StatefulSet", "s")}), "StatefulSet/s");
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "ReplicaSet", "web-7d9")}), "ReplicaSet/web-7d9");
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "ReplicaSet", "web-7d9"),
                     Maker("kube_replicaset_owner", "replicaset", "web-7d9", "Deployment", "web")}),
            "Deployment/web");
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "Job", "eval-1"),
                     Maker("kube_job_owner", "job_name", "eval-1", "CronJob", "eval")}),
            "CronJob/eval");
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "Job", "web-7d9"),
                     Maker("kube_replicaset_owner", "replicaset", "web-7d9", "Deployment", "web")}),
            "Job/web-7d9")
      << "a ReplicaSet of the Job's name";
  EXPECT_EQ(OwnerIn({request, OwnerOf("a", "Job", "eval-1"),
                     Maker("kube_job_owner", "job_name", "eval-1", "<none>", "<none>")}),
            "Job/eval-1");
}

TEST_F(PodsTest, APodThatNothingMadeIsItsOwnOwner) {
  EXPECT_EQ(OwnerIn({Request("a", "c", 1), OwnerOf("a", "", "")}), "Pod/a");
  EXPECT_EQ(OwnerIn({Request("a", "c", 1), OwnerOf("a", "<none>", "<none>")}), "Pod/a");
  EXPECT_EQ(OwnerIn({Request("a", "c", 1)}), "/") << "nobody tells";
}

TEST_F(PodsTest, WithoutOwnersTheInfoTellsWhatMadeIt) {
  const Labels info = Of("a", {{"created_by_kind", "ReplicaSet"}, {"created_by_name", "web-7d9"}});
  EXPECT_EQ(OwnerIn({Request("a", "c", 1), One("kube_pod_info", info)}), "ReplicaSet/web-7d9");
}

// Several kube-state-metrics, or replicas of Prometheus behind one address.
TEST_F(PodsTest, SeriesThatAreThereTwiceCountOnceInAnyOrder) {
  Series series;
  for (const std::string replica : {"1", "2"}) {
    for (FakeSample sample :
         {Request("a", "c", 2), Phase("a", replica == "1" ? "Running" : "Succeeded"),
          OwnerOf("a", "ReplicaSet", "web-7d9"),
          Maker("kube_replicaset_owner", "replicaset", "web-7d9", "Deployment", "web")}) {
      sample.labels.emplace_back("instance", replica);
      series.push_back(std::move(sample));
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(series.begin(), series.end(), random);
    const auto& pods = Read(series);
    ASSERT_EQ(pods.size(), 1U);
    EXPECT_EQ(pods[0].gpus_requested, 2);
    EXPECT_EQ(pods[0].phase, "Succeeded") << "the other has not heard of it yet";
    EXPECT_EQ(pods[0].owner_name, "web");
  }
}

TEST_F(PodsTest, OfPodsOfOneNameTheLivingThenTheNewestCounts) {
  const auto with_uid = [](FakeSample sample, const std::string& uid) {
    for (auto& [name, value] : sample.labels) {
      if (name == "uid") value = uid;
    }
    return sample;
  };
  Series series = {with_uid(Request("a", "c", 8), "z"),
                   with_uid(Phase("a", "Failed"), "z"),
                   with_uid(One("kube_pod_created", Of("a"), 200), "z"),
                   with_uid(Request("a", "c", 1), "b"),
                   with_uid(Phase("a", "Running"), "b"),
                   with_uid(One("kube_pod_created", Of("a"), 100), "b"),
                   with_uid(Request("a", "c", 2), "c"),
                   with_uid(Phase("a", "Pending"), "c"),
                   with_uid(One("kube_pod_created", Of("a"), 150), "c")};
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(series.begin(), series.end(), random);
    const auto& pods = Read(series);
    ASSERT_EQ(pods.size(), 1U);
    EXPECT_EQ(pods[0].gpus_requested, 2);
  }
}

// kube-state-metrics before 2.0.
TEST_F(PodsTest, WhereTheInfoAloneHasTheUidItIsOnePodStill) {
  const auto without = [](FakeSample sample) {
    std::erase_if(sample.labels, [](const auto& label) { return label.first == "uid"; });
    return sample;
  };
  Series series = {
      One("kube_pod_info",
          Of("a", {{"node", "n1"}, {"created_by_kind", "Job"}, {"created_by_name", "j"}})),
      without(Request("a", "c", 2)), without(Phase("a", "Failed")),
      without(One("kube_pod_created", Of("a"), 100))};
  const auto& pods = Read(series);
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(pods[0].uid, "uid-a");
  EXPECT_EQ(pods[0].gpus_requested, 2);
  EXPECT_EQ(pods[0].phase, "Failed");
  EXPECT_EQ(pods[0].created, 100);
  EXPECT_EQ(pods[0].node, "n1");
  EXPECT_EQ(pods[0].job, "j");
  // Of two it is nobody's: neither has what may be the other's.
  series.push_back(One("kube_pod_info", {{"namespace", "ml"}, {"pod", "a"}, {"uid", "other"}}));
  for (const models::Pod& pod : Read(series)) {
    EXPECT_TRUE(pod.uid.empty() || std::isnan(pod.gpus_requested));
  }
}

// Without honorLabels the labels of kube-state-metrics' own target stand in the way.
Labels Renamed(Labels labels) {
  for (auto& [name, value] : labels) {
    if (name == "namespace" || name == "pod" || name == "container" || name == "node") {
      name = "exported_" + name;
    }
  }
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  labels.insert(
      labels.end(),
      {{"namespace", "monitoring"}, {"pod", "ksm-0"}, {"container", "ksm"}, {"node", "infra-1"}});
  return labels;
}

TEST_F(PodsTest, LabelsThatTheScrapeRenamedAreThePods) {
  Series series = {Request("a", "x", 1),
                   Request("a", "y", 1),
                   Request("b", "x", 4),
                   Phase("b", "Pending"),
                   OwnerOf("a", "ReplicaSet", "web-7d9"),
                   Maker("kube_replicaset_owner", "replicaset", "web-7d9", "Deployment", "web")};
  for (auto& [name, value] : series[2].labels) {
    if (name == "node") value = "";  // not scheduled
  }
  for (FakeSample& sample : series) sample.labels = Renamed(sample.labels);
  const auto& pods = Read(series);
  ASSERT_EQ(pods.size(), 2U);
  EXPECT_EQ(pods[0].name_space, "ml");
  EXPECT_EQ(pods[0].name, "a");
  EXPECT_EQ(pods[0].node, "n1");
  EXPECT_EQ(pods[0].gpus_requested, 2) << "of two containers";
  EXPECT_EQ(pods[0].owner_name, "web");
  EXPECT_EQ(pods[1].name, "b");
  EXPECT_EQ(pods[1].node, "") << "infra-1 is where kube-state-metrics runs";
}

TEST_F(PodsTest, WithHonoredLabelsTheTargetsFillNothingOfThePods) {
  Series series = {Request("a", "x", 1), Phase("a", "Running")};
  series[1].labels.emplace_back("node", "infra-1");
  EXPECT_EQ(Read(series)[0].node, "n1");
}

TEST(NamedPodsTest, AreThoseOfTheLabelsThatRowsReadInTheirOrder) {
  const auto query = [](const std::string& exporter, bool without_marks = false) {
    Subject subject;
    subject.exporter = schema::Registry::BuiltIn().Find(exporter);
    subject.without_marks = without_marks;
    return NamedPods(std::array{subject});
  };
  EXPECT_EQ(
      query("xpum"),
      "label_join(label_replace(label_join(label_replace(label_join(group by("
      "exported_kube_namespace,kube_namespace,exported_kube_pod,kube_pod)({__name__=~"
      "\"xpum_engine_ratio|xpum_memory_used_bytes|xpum_power_watts|xpum_memory_bandwidth_ratio|"
      "xpum_temperature_celsius\"}),\"of_ns\",\"/\",\"exported_kube_namespace\","
      "\"kube_namespace\"),\"of_ns\",\"$1\",\"of_ns\",\"/*([^/]*).*\"),\"of_pod\",\"/\","
      "\"exported_kube_pod\",\"kube_pod\"),\"of_pod\",\"$1\",\"of_pod\",\"/*([^/]*).*\"),\"of\","
      "\"/\",\"of_ns\",\"of_pod\")");
  EXPECT_EQ(query("nvitop"), "");
  EXPECT_NE(query("hami").find("hami_vgpu_memory_used_bytes"), std::string::npos)
      << "its marks name no pod";
  EXPECT_NE(query("dcgm").find("group by(exported_namespace,namespace,exported_pod,pod)("),
            std::string::npos)
      << "whether labels are honored or not";
  EXPECT_EQ(query("dcgm").find("MEM_COPY_UTIL"), std::string::npos);
  EXPECT_NE(query("dcgm", true).find("MEM_COPY_UTIL"), std::string::npos);
}

TEST(PodsRefreshTest, IsOneQueryOnceItIsKnownWhoNamesPods) {
  RefreshRig rig;
  ASSERT_TRUE(rig.CollectGpus());
  const std::size_t before = rig.client().calls().size();
  rig.client().SetAnswer(Query(), {Request("a", "c", 1), Phase("a", "Running")});
  const auto collected = rig.Collect(Part::kPods, 1700000000);
  ASSERT_TRUE(collected);
  EXPECT_EQ((*collected)->part, Part::kPods);
  EXPECT_EQ((*collected)->as_of, 1700000000);
  EXPECT_EQ((*collected)->rows(), 1U);
  EXPECT_EQ((*collected)->sources, std::vector<std::string>{"kube_state_metrics"});
  EXPECT_TRUE((*collected)->warnings.empty());
  const auto calls = rig.client().calls();
  ASSERT_EQ(calls.size(), before + 1);
  EXPECT_EQ(calls.back().start, 1700000000);
  EXPECT_EQ(calls.back().deadline.Left(rig.clock), Millis(4500)) << "half of the refresh's";
  EXPECT_EQ(rig.observer.refreshes().back().part, Part::kPods);
  EXPECT_EQ(rig.observer.refreshes().back().rows, 1U);
  EXPECT_EQ(rig.observer.queries().back().name, kPodsQueryName);
}

// Nobody has looked yet: the first list of pods waits for that.
TEST(PodsRefreshTest, ThePodsOfWhoIsFoundAreAskedForAtOnce) {
  Subject subject;
  subject.exporter = schema::Registry::BuiltIn().Find("xpum");
  for (const std::optional<double> at : {std::optional<double>(), std::optional<double>(1.7e9)}) {
    RefreshRig rig;
    rig.client().SetAnswer(LookQuery(schema::Registry::BuiltIn()),
                           Series{{{{"exporter", "xpum"}, {"job", "intel"}}, 1}});
    rig.client().SetAnswer(PodsQuery(std::array{subject}), {Request("a", "c", 1)});
    const auto collected = rig.Collect(Part::kPods, at);
    ASSERT_TRUE(collected);
    EXPECT_EQ((*collected)->rows(), 1U);
  }
}

TEST(PodsRefreshTest, WithoutKubeStateMetricsThereIsNothingAndAWarning) {
  RefreshRig rig;
  rig.client().SetAnswer(Query(), Series{});
  const auto collected = rig.Collect(Part::kPods);
  ASSERT_TRUE(collected);
  EXPECT_TRUE((*collected)->pods.empty());
  EXPECT_TRUE((*collected)->sources.empty());
  EXPECT_FALSE((*collected)->partial);
  ASSERT_EQ((*collected)->warnings.size(), 1U);
  EXPECT_NE((*collected)->warnings[0].find("kube-state-metrics"), std::string::npos);
}

TEST(PodsRefreshTest, WhatPrometheusSaysOfItsAnswerIsKept) {
  RefreshRig rig;
  prom::QueryResult result = prom::MakeResult({Request("a", "c", 1)});
  result.partial = true;
  result.warnings = {"no store at http://me:secret@store:1"};
  rig.client().SetAnswer(Query(), result);
  const auto collected = rig.Collect(Part::kPods);
  ASSERT_TRUE(collected);
  EXPECT_TRUE((*collected)->partial);
  EXPECT_TRUE((*collected)->upstream_warned);
  ASSERT_EQ((*collected)->warnings.size(), 2U);
  EXPECT_EQ((*collected)->warnings[0].find("secret"), std::string::npos);
}

TEST(PodsRefreshTest, AFailureIsAnErrorAndGivesItsPlaceBack) {
  RefreshRig rig;
  rig.client().SetError(Query(), Code::kUpstreamTimeout);
  for (int i = 0; i < 40; ++i) {
    const auto collected = rig.Collect(Part::kPods);
    ASSERT_FALSE(collected);
    EXPECT_EQ(collected.error().code, Code::kUpstreamTimeout);
  }
  rig.client().SetAnswer(Query(), prom::MakeRangeResult({}));
  EXPECT_EQ(rig.Collect(Part::kPods).error().code, Code::kUpstreamInvalid);
  EXPECT_EQ(rig.observer.refreshes().back().result, "upstream_invalid");
}

}  // namespace
}  // namespace gpumon::gpu
