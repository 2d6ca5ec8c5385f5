#include "internal/gpu/tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using models::Task;
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
Labels In(const std::string& pod, Labels more = {}) {
  more.emplace_back("container", "main");
  return Of(pod, std::move(more));
}
FakeSample Request(const std::string& pod, const std::string& resource, double value) {
  return One("kube_pod_container_resource_requests", In(pod, {{"resource", resource}}), value);
}
FakeSample OfJob(const std::string& metric, const std::string& job, double value,
                 Labels more = {}) {
  more.insert(more.end(), {{"namespace", "ml"}, {"job_name", job}});
  return One("kube_job_" + metric, std::move(more), value);
}
// A pod that asks for two GPUs, of that Job or of nobody.
Series PodOf(const std::string& pod, const std::string& phase, const std::string& job = "") {
  Series series = {Request(pod, "nvidia_com_gpu", 2),
                   One("kube_pod_status_phase", Of(pod, {{"phase", phase}})),
                   One("kube_pod_created", Of(pod), 1000)};
  if (!job.empty()) {
    series.push_back(One(
        "kube_pod_owner",
        Of(pod, {{"owner_kind", "Job"}, {"owner_name", job}, {"owner_is_controller", "true"}})));
  }
  return series;
}

class TasksTest : public ::testing::Test {
 protected:
  void Read(const Series& pods, const Series& details, const Series& jobs = {}) {
    snapshot_ = models::Snapshot();
    const auto first = prom::MakeInstantVector(pods);
    const auto second = prom::MakeInstantVector(details);
    const auto third = prom::MakeInstantVector(jobs);
    ReadTasks({&first, &second, &third}, snapshot_);
  }
  const Task& Get(std::string_view name) const {
    static const Task kNone;
    for (const Task& task : snapshot_.tasks) {
      if (task.name == name) return task;
    }
    ADD_FAILURE() << "no task " << name;
    return kNone;
  }

  models::Snapshot snapshot_;
};

TEST_F(TasksTest, APodThatWaitsSaysWhy) {
  Series pods = PodOf("a", "Pending");
  for (const std::string other : {"b", "c", "d"}) {
    for (const FakeSample& sample : PodOf(other, other == "d" ? "Running" : "Pending")) {
      pods.push_back(sample);
    }
  }
  Read(pods,
       {One("kube_pod_status_unschedulable", Of("a")),
        One("kube_pod_container_status_waiting_reason", In("b", {{"reason", "ImagePullBackOff"}})),
        One("kube_pod_container_status_waiting_reason", In("b", {{"reason", "ContainerCreating"}}),
            0)});
  EXPECT_EQ(Get("a").reason, "Unschedulable");
  EXPECT_EQ(Get("b").reason, "ImagePullBackOff");
  EXPECT_EQ(Get("c").reason, "") << "nobody says";
  EXPECT_EQ(Get("a").phase, "Pending");
  EXPECT_TRUE(std::isnan(Get("a").started));
  EXPECT_TRUE(std::isnan(Get("a").exit_code));
}

TEST_F(TasksTest, APodHasItsRequestsTimesAndEnd) {
  Read(PodOf("a", "Failed"),
       {Request("a", "cpu", 4), Request("a", "memory", 1024),
        One("kube_pod_start_time", Of("a"), 1010), One("kube_pod_completion_time", Of("a"), 1100),
        One("kube_pod_container_status_terminated_reason", In("a", {{"reason", "OOMKilled"}})),
        One("kube_pod_container_status_last_terminated_exitcode", In("a"), 137),
        One("kube_pod_container_status_restarts_total", In("a"), 1),
        One("kube_pod_status_reason", Of("a", {{"reason", "Evicted"}})),
        One("kube_pod_status_reason", Of("a", {{"reason", "NodeLost"}}), 0)});
  const Task& task = Get("a");
  EXPECT_EQ(task.kind, "Pod");
  EXPECT_EQ(task.name_space, "ml");
  EXPECT_EQ(task.gpus, 2);
  EXPECT_EQ(task.cores, 4);
  EXPECT_EQ(task.memory, 1024);
  EXPECT_EQ(task.submitted, 1000);
  EXPECT_EQ(task.started, 1010);
  EXPECT_EQ(task.completed, 1100);
  EXPECT_EQ(task.error, "OOMKilled");
  EXPECT_TRUE(std::isnan(task.exit_code)) << "that is another run's";
  EXPECT_EQ(task.restarts, 1);
  EXPECT_EQ(task.reason, "Evicted");
}

TEST_F(TasksTest, WhatCompletedExitedWithZeroAndWhatFailedOnceWithWhatIsTold) {
  Series pods = PodOf("done", "Succeeded");
  for (const std::string other : {"error", "again"}) {
    for (const FakeSample& sample : PodOf(other, other == "error" ? "Failed" : "Running")) {
      pods.push_back(sample);
    }
  }
  Read(pods,
       {One("kube_pod_container_status_terminated_reason", In("done", {{"reason", "Completed"}})),
        One("kube_pod_container_status_terminated_reason", In("error", {{"reason", "Error"}})),
        One("kube_pod_container_status_last_terminated_reason",
            In("again", {{"reason", "OOMKilled"}})),
        One("kube_pod_container_status_last_terminated_exitcode", In("again"), 137)});
  EXPECT_EQ(Get("done").exit_code, 0);
  EXPECT_EQ(Get("done").error, "");
  EXPECT_TRUE(std::isnan(Get("error").exit_code)) << "nobody tells it";
  EXPECT_EQ(Get("error").error, "Error");
  EXPECT_EQ(Get("again").exit_code, 137);
  EXPECT_EQ(Get("again").error, "OOMKilled");
}

TEST_F(TasksTest, AJobIsARowBesideItsPods) {
  Series pods = PodOf("j-1", "Failed", "j");
  for (const FakeSample& sample : PodOf("j-2", "Running", "j")) pods.push_back(sample);
  Read(pods, {Request("j-1", "cpu", 4), Request("j-2", "cpu", 4)},
       {OfJob("created", "j", 900), OfJob("status_start_time", "j", 901),
        OfJob("status_active", "j", 1), OfJob("status_failed", "j", 1, {{"reason", "Evicted"}}),
        OfJob("status_succeeded", "j", 0), OfJob("spec_completions", "j", 3),
        OfJob("spec_parallelism", "j", 2)});
  ASSERT_EQ(snapshot_.tasks.size(), 3U);
  const Task& job = snapshot_.tasks[0];
  EXPECT_EQ(job.kind, "Job");
  EXPECT_EQ(job.name, "j");
  EXPECT_EQ(job.phase, "Running");
  EXPECT_EQ(job.reason, "") << "it has not failed";
  EXPECT_EQ(job.gpus, 4) << "two at once";
  EXPECT_EQ(job.cores, 8);
  EXPECT_EQ(job.submitted, 900);
  EXPECT_EQ(job.started, 901);
  EXPECT_EQ(job.active, 1);
  EXPECT_EQ(job.failed, 1);
  EXPECT_EQ(job.succeeded, 0);
  EXPECT_EQ(job.completions, 3);
  EXPECT_EQ(Get("j-1").job, "j");
  EXPECT_EQ(Get("j-1").owner_kind, "Job") << "nothing made the Job";
}

TEST_F(TasksTest, AJobHasItsEnd) {
  Series pods = PodOf("good-1", "Succeeded", "good");
  for (const FakeSample& sample : PodOf("bad-1", "Failed", "bad")) pods.push_back(sample);
  for (const FakeSample& sample : PodOf("new-1", "Pending", "new")) pods.push_back(sample);
  Read(pods,
       {One("kube_pod_container_status_terminated_reason", In("bad-1", {{"reason", "OOMKilled"}})),
        One("kube_pod_status_unschedulable", Of("new-1"))},
       {OfJob("complete", "good", 1, {{"condition", "true"}}),
        OfJob("status_completion_time", "good", 950),
        OfJob("failed", "bad", 1, {{"condition", "true"}}),
        OfJob("failed", "good", 0, {{"condition", "true"}}),
        OfJob("status_failed", "bad", 1, {{"reason", "BackoffLimitExceeded"}})});
  EXPECT_EQ(Get("good").phase, "Succeeded");
  EXPECT_EQ(Get("good").exit_code, 0);
  EXPECT_EQ(Get("good").completed, 950);
  EXPECT_EQ(Get("bad").phase, "Failed");
  EXPECT_EQ(Get("bad").reason, "BackoffLimitExceeded");
  EXPECT_EQ(Get("bad").error, "OOMKilled");
  EXPECT_EQ(Get("new").phase, "Pending");
  EXPECT_EQ(Get("new").reason, "Unschedulable");
}

TEST_F(TasksTest, OfAJobThatSaysNothingItsPodsTellOnlyThatItRunsOrWaits) {
  Series pods;
  for (const std::string phase : {"Succeeded", "Failed", "Pending", "Running"}) {
    for (const FakeSample& sample : PodOf("of-" + phase, phase, "job-" + phase)) {
      pods.push_back(sample);
    }
  }
  Read(pods, {}, {});
  EXPECT_EQ(Get("job-Succeeded").phase, "");
  EXPECT_EQ(Get("job-Failed").phase, "");
  EXPECT_EQ(Get("job-Pending").phase, "Pending");
  EXPECT_EQ(Get("job-Running").phase, "Running");
}

// As two kube-state-metrics, and as one whose target has such labels of its own.
TEST_F(TasksTest, SeveralScrapesSayOneThingInAnyOrder) {
  Series pods = PodOf("a", "Running", "j");
  Series details = {Request("a", "cpu", 4),
                    One("kube_pod_container_status_restarts_total", In("a"), 2)};
  Series jobs = {OfJob("status_active", "j", 1)};
  for (Series* all : {&pods, &details, &jobs}) {
    const std::size_t size = all->size();
    for (std::size_t i = 0; i < size; ++i) {
      FakeSample moved = (*all)[i];
      for (auto& [name, value] : moved.labels) {
        if (name == "namespace" || name == "pod" || name == "container") name = "exported_" + name;
      }
      moved.labels.insert(moved.labels.end(),
                          {{"namespace", "monitoring"}, {"pod", "ksm-0"}, {"instance", "two"}});
      all->push_back(std::move(moved));
    }
  }
  std::mt19937 random{3};
  for (int i = 0; i < 20; ++i) {
    for (Series* all : {&pods, &details, &jobs}) std::shuffle(all->begin(), all->end(), random);
    Read(pods, details, jobs);
    ASSERT_EQ(snapshot_.tasks.size(), 2U);
    EXPECT_EQ(Get("a").name_space, "ml");
    EXPECT_EQ(Get("a").cores, 4);
    EXPECT_EQ(Get("a").restarts, 2);
    EXPECT_EQ(Get("j").active, 1);
  }
}

TEST(TasksRefreshTest, AsksThreeQueriesAndSaysWhatFailed) {
  RefreshRig rig;
  rig.client().SetAnswer(PromqlOf(TaskQuery::kPods), PodOf("a", "Running"));
  rig.client().SetAnswer(PromqlOf(TaskQuery::kDetails), Series{});
  rig.client().SetAnswer(PromqlOf(TaskQuery::kJobs), Series{});
  const auto collected = rig.Collect(Part::kTasks, 1700000000);
  ASSERT_TRUE(collected);
  EXPECT_EQ((*collected)->rows(), 1U);
  EXPECT_EQ(rig.client().call_count(), kTaskQueries);
  rig.client().SetError(PromqlOf(TaskQuery::kDetails), Code::kUpstreamTimeout);
  const auto partial = rig.Collect(Part::kTasks);
  ASSERT_TRUE(partial);
  EXPECT_TRUE((*partial)->partial);
  EXPECT_EQ((*partial)->rows(), 1U);
  rig.client().SetAnswer(PromqlOf(TaskQuery::kPods), Series{});
  rig.client().SetAnswer(PromqlOf(TaskQuery::kDetails), Series{});
  const auto none = rig.Collect(Part::kTasks);
  ASSERT_TRUE(none);
  ASSERT_EQ((*none)->warnings.size(), 1U);
  EXPECT_NE((*none)->warnings[0].find("kube-state-metrics"), std::string::npos);
}

}  // namespace
}  // namespace gpumon::gpu
