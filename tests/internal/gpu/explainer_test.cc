#include "internal/gpu/explainer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::ExplainedSample;
using models::Outcome;
using prom::FakePromClient;
using prom::FakeSample;
using prom::Labels;

constexpr char kDcgmUuid[] = "GPU-11111111-2222-3333-4444-555555555555";

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Answers as a Prometheus would that has these samples, each with its `__name__`.
class ExplainerTest : public ::testing::Test {
 protected:
  ExplainerTest() {
    rig_.client().SetFunction([this](const FakePromClient::Call& call) { return Answer(call); });
  }

  FakePromClient::Answer Answer(const FakePromClient::Call& call) {
    const std::string& query = call.promql;
    if (Holds(query, "\"exporter\"")) {
      std::vector<FakeSample> there;
      if (Holds(query, "\"shown\"") || Holds(query, "\"moving\"")) return Second();
      for (const auto& name : exporters_) there.push_back({{{"exporter", name}, {"job", "j"}}, 1});
      for (const auto& [instance, is] : found_) {
        there.push_back(
            {{{"exporter", "dcgm"}, {"instance", instance}, {"is", is}, {"job", "j"}}, 1});
      }
      return prom::MakeResult(there);
    }
    if (query.starts_with("up")) return prom::MakeResult(targets_);
    if (Holds(query, "changes(")) return prom::MakeResult(frozen_);
    std::vector<FakeSample> found;
    for (const auto& sample : samples_) {
      if (!Holds(query, sample.labels.front().second)) continue;
      found.push_back(sample);
      if (query.find("timestamp(") != std::string::npos) {
        found.back().labels.erase(found.back().labels.begin());
        found.back().value = sample.at;
      }
    }
    return prom::MakeResult(found);
  }

  // Of targets that are down what they showed, of those that may be frozen which move.
  FakePromClient::Answer Second() const {
    std::vector<FakeSample> samples;
    for (const auto& [instance, is] : found_) {
      if (is != "down") continue;
      samples.push_back({{{"Hostname", "a"},
                          {"exporter", "dcgm"},
                          {"instance", instance},
                          {"job", "j"},
                          {"shown", "DCGM_FI_DEV_GPU_TEMP"}},
                         1});
    }
    samples.push_back(
        {{{"exporter", "dcgm"}, {"instance", "moves:1"}, {"is", "moving"}, {"job", "j"}}, 1});
    return prom::MakeResult(samples);
  }

  void Add(const std::string& metric, double value, Labels labels, double at = 100) {
    labels.insert(labels.begin(), {"__name__", metric});
    samples_.push_back({labels, value, at});
  }

  Result<models::Explanation> Explain(const GpuName& name) {
    const auto snapshot = rig_.CollectGpus();
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    auto [done, future] = MakeCallback<models::Explanation>();
    explainer_.Explain(name, *snapshot, rig_.In(Millis(9000)), done);
    return Await(std::move(future));
  }

  static std::vector<ExplainedSample> Of(const models::Explanation& explanation,
                                         const std::string& metric) {
    std::vector<ExplainedSample> found;
    std::copy_if(explanation.samples.begin(), explanation.samples.end(), std::back_inserter(found),
                 [&](const ExplainedSample& sample) { return sample.metric == metric; });
    return found;
  }

  std::vector<std::string> exporters_ = {"dcgm"};
  std::vector<FakeSample> samples_;
  std::vector<FakeSample> targets_;
  std::vector<FakeSample> frozen_;
  std::vector<std::pair<std::string, std::string>> found_;  // by the look: instance, and what it is
  RefreshRig rig_;
  Explainer explainer_{rig_.collector, rig_.client()};
};

Labels Dcgm(const std::string& gpu, const std::string& instance = "e:1") {
  return {{"Hostname", "a"},
          {"UUID", kDcgmUuid + std::string(gpu == "0" ? "" : gpu)},
          {"gpu", gpu},
          {"instance", instance},
          {"job", "j"}};
}

TEST_F(ExplainerTest, TellsWhatFedTheRowAndNothingOfOthers) {
  Add("DCGM_FI_DEV_GPU_UTIL", 75, Dcgm("0"));
  Add("DCGM_FI_DEV_GPU_UTIL", 10, Dcgm("1"));
  Add("DCGM_FI_DEV_GPU_TEMP", 9.3e18, Dcgm("0"));
  Add("DCGM_FI_DEV_POWER_USAGE", -5, Dcgm("0"));
  const auto explanation = Explain({"a", "0", ""});
  ASSERT_TRUE(explanation) << explanation.error().message;
  ASSERT_EQ(explanation->rows.size(), 1U);
  EXPECT_EQ(explanation->samples.size(), 3U);
  const auto used = Of(*explanation, "DCGM_FI_DEV_GPU_UTIL");
  ASSERT_EQ(used.size(), 1U);
  EXPECT_EQ(used[0].outcome, Outcome::kUsed);
  EXPECT_EQ(used[0].rule, "the only series");
  EXPECT_EQ(used[0].field, "utilization");
  EXPECT_EQ(used[0].value, 75);
  EXPECT_EQ(used[0].at, 100);
  EXPECT_EQ(used[0].exporter, "dcgm");
  const auto blank = Of(*explanation, "DCGM_FI_DEV_GPU_TEMP");
  EXPECT_EQ(blank.at(0).outcome, Outcome::kDropped);
  EXPECT_TRUE(Holds(blank[0].rule, "blank value")) << blank[0].rule;
  const auto impossible = Of(*explanation, "DCGM_FI_DEV_POWER_USAGE");
  EXPECT_EQ(impossible.at(0).outcome, Outcome::kDropped);
  EXPECT_EQ(impossible[0].rule, "impossible value");
  EXPECT_FALSE(impossible[0].value);
}

TEST_F(ExplainerTest, ASeriesWhoseLabelsAreNotAsTheSchemaAsksIsDroppedAndSaysWhy) {
  Labels instance = Dcgm("0");
  instance.insert(instance.begin(), {"GPU_I_ID", "7"});
  Add("DCGM_FI_DEV_GPU_UTIL", 0, instance);
  Add("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5, instance);
  const auto explanation = Explain({"", "", kDcgmUuid});
  ASSERT_TRUE(explanation) << explanation.error().message;
  EXPECT_EQ(explanation->samples.size(), 2U);
  const auto unfit = Of(*explanation, "DCGM_FI_DEV_GPU_UTIL");
  ASSERT_EQ(unfit.size(), 1U);
  EXPECT_EQ(unfit[0].outcome, Outcome::kDropped);
  EXPECT_EQ(unfit[0].rule, "its label GPU_I_ID should not be there");
  EXPECT_EQ(unfit[0].raw, 0);
  EXPECT_FALSE(unfit[0].value);
  EXPECT_EQ(Of(*explanation, "DCGM_FI_PROF_GR_ENGINE_ACTIVE").at(0).outcome, Outcome::kUsed);
}

TEST_F(ExplainerTest, OfTwoSeriesTheNewestIsUsedAndTheOtherLost) {
  Add("DCGM_FI_DEV_GPU_TEMP", 75, Dcgm("0", "old:1"), 90);
  Add("DCGM_FI_DEV_GPU_TEMP", 80, Dcgm("0", "new:1"), 100);
  const auto explanation = Explain({"", "", kDcgmUuid});
  ASSERT_TRUE(explanation) << explanation.error().message;
  const auto both = Of(*explanation, "DCGM_FI_DEV_GPU_TEMP");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].outcome, Outcome::kUsed);
  EXPECT_EQ(both[0].rule, "newest of 2 series");
  EXPECT_EQ(both[0].value, 80);
  EXPECT_EQ(both[1].outcome, Outcome::kLost);
  EXPECT_EQ(both[0].at, 100);
  EXPECT_EQ(both[1].at, 90);
  EXPECT_TRUE(explanation->findings.front().warning);
  EXPECT_TRUE(Holds(explanation->findings.front().what, "repeats another"));
}

TEST_F(ExplainerTest, OfTwoExportersTheFirstIsUsedAndTheOtherFillsGaps) {
  exporters_ = {"dcgm", "nvidia_smi"};
  Add("DCGM_FI_DEV_GPU_UTIL", 75, Dcgm("0"));
  const Labels smi = {{"uuid", kDcgmUuid}, {"node", "a"}, {"instance", "s:1"}, {"job", "s"}};
  Add("nvidia_smi_utilization_gpu_ratio", 0.5, smi);
  Add("nvidia_smi_temperature_gpu", 60, smi);
  const auto explanation = Explain({"", "", kDcgmUuid});
  ASSERT_TRUE(explanation) << explanation.error().message;
  const auto lost = Of(*explanation, "nvidia_smi_utilization_gpu_ratio");
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].outcome, Outcome::kLost);
  EXPECT_EQ(lost[0].rule, "another exporter stands first: dcgm");
  EXPECT_EQ(lost[0].raw, 0.5);
  EXPECT_EQ(lost[0].value, 50);
  EXPECT_EQ(Of(*explanation, "nvidia_smi_temperature_gpu").at(0).outcome, Outcome::kUsed);
  const bool told = std::any_of(
      explanation->findings.begin(), explanation->findings.end(), [](const auto& finding) {
        return Holds(finding.what, "1 GPU is shown by dcgm and nvidia_smi: dcgm stands first");
      });
  EXPECT_TRUE(told);
}

TEST_F(ExplainerTest, PodsOfTheExporterAreCountedOverAllGpus) {
  for (const std::string gpu : {"0", "1", "2"}) {
    Labels labels = Dcgm(gpu);
    labels.emplace_back("pod", "dcgm-exporter-x");
    labels.emplace_back("namespace", "gpu-operator");
    if (gpu != "2") labels.emplace_back("exported_pod", "train-" + gpu);
    Add("DCGM_FI_DEV_GPU_UTIL", 75, labels);
  }
  targets_ = {{{{"instance", "e:1"},
                {"job", "j"},
                {"namespace", "gpu-operator"},
                {"pod", "dcgm-exporter-x"}},
               1}};
  found_ = {{"f:1", "down"}};
  const auto explanation = Explain({"a", "0", ""});
  ASSERT_TRUE(explanation) << explanation.error().message;
  ASSERT_GE(explanation->findings.size(), 3U);
  EXPECT_TRUE(Holds(explanation->findings[0].what, "is down: job j, f:1"));
  EXPECT_TRUE(Holds(explanation->findings[1].what, "2 GPUs carry the exporter's pod"))
      << explanation->findings[1].what;
  EXPECT_TRUE(Holds(explanation->findings[2].what, "1 GPU carries the own pod of dcgm"))
      << explanation->findings[2].what;
}

TEST_F(ExplainerTest, AnExporterThatNamesPodsElsewhereCarriesItsOwnInPod) {
  exporters_ = {"xpum"};
  const Labels labels = {{"dev_file", "card0"},
                         {"instance", "x:1"},
                         {"job", "j"},
                         {"kube_namespace", "ml"},
                         {"kube_pod", "train"},
                         {"namespace", "monitoring"},
                         {"node", "a"},
                         {"pod", "xpum-x"},
                         {"uuid", "01000000-0000-0000"}};
  Add("xpum_engine_ratio", 0.5, labels);
  targets_ = {
      {{{"instance", "x:1"}, {"job", "j"}, {"namespace", "monitoring"}, {"pod", "xpum-x"}}, 1}};
  const auto explanation = Explain({"a", "card0", ""});
  ASSERT_TRUE(explanation) << explanation.error().message;
  for (const auto& finding : explanation->findings) {
    EXPECT_FALSE(Holds(finding.what, "own pod")) << finding.what;
  }
}

TEST_F(ExplainerTest, FrozenTargetsAreAWarningOnlyWhenProven) {
  Add("DCGM_FI_DEV_GPU_UTIL", 75, Dcgm("0"));
  frozen_ = {{{{"instance", "idle:1"}, {"job", "j"}}, 1},
             {{{"instance", "stuck:1"}, {"job", "j"}}, 1}};
  found_ = {{"moves:1", "frozen"}, {"stuck:1", "frozen"}};
  const auto explanation = Explain({"a", "0", ""});
  ASSERT_TRUE(explanation) << explanation.error().message;
  ASSERT_GE(explanation->findings.size(), 2U);
  EXPECT_TRUE(explanation->findings[0].warning);
  EXPECT_TRUE(explanation->findings[0].what.ends_with("ten minutes: job j, stuck:1"))
      << explanation->findings[0].what;
  EXPECT_FALSE(explanation->findings[1].warning);
  EXPECT_TRUE(explanation->findings[1].what.ends_with("15 minutes: job j, idle:1"))
      << explanation->findings[1].what;
}

TEST_F(ExplainerTest, AUuidIsOneInEveryForm) {
  Labels labels = Dcgm("0");
  labels[1].second = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  Add("DCGM_FI_DEV_GPU_UTIL", 75, labels);
  for (const std::string uuid :
       {"GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80", "0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80",
        "0B7E2C11-9D55-4B6E-A1F2-3C4D5E6F7A80", "gpu-0B7E2C11-9D55-4B6E-A1F2-3C4D5E6F7A80"}) {
    const auto explanation = Explain({"", "", uuid});
    ASSERT_TRUE(explanation) << uuid << explanation.error().message;
    EXPECT_EQ(explanation->samples.size(), 1U) << uuid;
  }
  EXPECT_FALSE(Explain({"", "", "1b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80"}));
}

TEST_F(ExplainerTest, SecretsInLabelsAreMasked) {
  Labels labels = Dcgm("0");
  labels.emplace_back("command", "train --token=hf_abcdefghijklmnopqrstuvwxyz0123456789");
  Add("DCGM_FI_DEV_GPU_UTIL", 75, labels);
  const auto explanation = Explain({"a", "0", ""});
  ASSERT_TRUE(explanation);
  for (const auto& [name, value] : explanation->samples.at(0).labels) {
    EXPECT_FALSE(Holds(value, "hf_abc")) << name;
  }
}

// `password` is what a configuration of scrape targets may add to every series.
TEST_F(ExplainerTest, LabelsWithTheNameOfASecretAreMaskedWhateverTheySay) {
  Labels labels = Dcgm("0");
  labels.emplace_back("api_key", "SUPERSECRET");
  labels.emplace_back("auth_token", "none");
  labels.emplace_back("key", "a");
  labels.emplace_back("password", "hunter2");
  Add("DCGM_FI_DEV_GPU_UTIL", 75, labels);
  const auto explanation = Explain({"a", "0", ""});
  ASSERT_TRUE(explanation);
  const auto found = Of(*explanation, "DCGM_FI_DEV_GPU_UTIL");
  ASSERT_EQ(found.size(), 1U);
  for (const auto& [name, shown] :
       Labels{{"api_key", "***"}, {"auth_token", "none"}, {"key", "a"}, {"password", "***"}}) {
    EXPECT_EQ(std::count(found[0].labels.begin(), found[0].labels.end(), std::pair(name, shown)), 1)
        << name;
  }
}

TEST_F(ExplainerTest, OneAtATimeAndOnlyOfGpusThatAreThere) {
  Add("DCGM_FI_DEV_GPU_UTIL", 75, Dcgm("0"));
  const auto snapshot = rig_.CollectGpus();
  ASSERT_TRUE(snapshot);
  auto [lost, nobody] = MakeCallback<models::Explanation>();
  explainer_.Explain({"a", "7", ""}, *snapshot, rig_.In(Millis(9000)), lost);
  EXPECT_EQ(Await(std::move(nobody)).error().code, Code::kNotFound);
  rig_.client().Hold();
  auto [first, held] = MakeCallback<models::Explanation>();
  explainer_.Explain({"a", "0", ""}, *snapshot, rig_.In(Millis(9000)), first);
  auto [second, refused] = MakeCallback<models::Explanation>();
  explainer_.Explain({"a", "0", ""}, *snapshot, rig_.In(Millis(9000)), second);
  EXPECT_EQ(Await(std::move(refused)).error().code, Code::kTooManyRequests);
  rig_.client().Release();
  EXPECT_TRUE(Await(std::move(held)));
  EXPECT_TRUE(Explain({"a", "0", ""}));
}

TEST_F(ExplainerTest, AReplayIsNoRefresh) {
  Add("DCGM_FI_DEV_GPU_UTIL", 75, Dcgm("0"));
  ASSERT_TRUE(Explain({"a", "0", ""}));
  const auto once = rig_.observer.refreshes().size();
  const auto joined = rig_.observer.joined().size();
  ASSERT_TRUE(Explain({"a", "0", ""}));
  EXPECT_EQ(rig_.observer.refreshes().size(), once + 1);
  EXPECT_EQ(rig_.observer.joined().size(), joined + 1);
  rig_.client().FailAll(Code::kUpstreamTimeout);
  auto [done, future] = MakeCallback<models::Explanation>();
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->gpus.emplace_back().set_text(models::Text::kUuid, kDcgmUuid);
  explainer_.Explain({"", "", kDcgmUuid}, snapshot, rig_.In(Millis(9000)), done);
  EXPECT_EQ(Await(std::move(future)).error().code, Code::kUpstreamTimeout);
}

}  // namespace
}  // namespace gpumon::gpu
