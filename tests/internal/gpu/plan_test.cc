#include "internal/gpu/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "internal/schema/load.h"
#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

using Gives = PlannedQuery::Gives;
using models::Part;

schema::Exporter Loaded(const std::string& more, const std::string& marks = R"("m1")") {
  return schema::Load(R"({"name": "x", "title": "X", "priority": 1, "detect": [)" + marks +
                          R"(], "labels": {"node": ["host"], "gpu_id": ["i"], "gpu_name": ["n"]},)"
                          R"("process_labels": {"pid": ["pid"]},)" +
                          more + "}",
                      "x")
      .value()
      .at(0);
}

TEST(PlanTest, AsksTheRequirementsMetricsOneByOne) {
  const auto plan = PlanOf({&NvidiaGpu()}, Part::kGpus);
  ASSERT_EQ(plan.size(), 8U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(plan[i].gives, Gives::kValues);
    EXPECT_EQ(plan[i].metric, i);
    // An older, unrelated exporter has a metric of this name too, always with a minor_number.
    const std::string where = i == 5 ? "{minor_number=\"\"}" : "";
    EXPECT_EQ(plan[i].promql, NvidiaGpu().gpu[i].name + where);
  }
  // All others in one, names of the exporter's first release among them.
  EXPECT_EQ(plan[6].name, "nvidia_gpu/values");
  EXPECT_FALSE(plan[6].metric.has_value());
  for (const char* const name : {"nvidia_gpu_memory_used_bytes", "nvidia_gpu_power_watts",
                                 "nvidia_gpu_xid_last", "nvidia_gpu_info"}) {
    EXPECT_NE(plan[6].promql.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(plan[6].promql.find("nvidia_gpu_utilization_percent"), std::string::npos);
  EXPECT_EQ(plan[7].gives, Gives::kTargetTimes);
  EXPECT_TRUE(plan[7].promql.ends_with(R"(label_replace(timestamp(up),"t","up","",""))"))
      << "of all targets, while their jobs are not known";
  EXPECT_TRUE(plan[7].tells_pods) << "of all targets, by what it brings along";
  const auto processes = PlanOf({&NvidiaGpu()}, Part::kProcesses);
  ASSERT_EQ(processes.size(), 5U);
  EXPECT_EQ(processes[3].gives, Gives::kDevices) << "how much memory their GPUs have";
  EXPECT_NE(processes[3].promql.find("nvidia_gpu_total_memory_bytes"), std::string::npos);
}

TEST(PlanTest, AsksAnyOtherExporterTwice) {
  for (const auto& exporter : schema::Registry::BuiltIn().exporters()) {
    if (exporter->name == "nvidia_gpu") continue;
    for (const Part part : {Part::kGpus, Part::kProcesses}) {
      const auto plan = PlanOf({exporter.get()}, part);
      const bool measures = part == Part::kGpus || !exporter->process.empty();
      const bool addresses = measures && exporter->node_may_be_address;
      EXPECT_EQ(plan.size(), (measures ? 2U : 0U) + (addresses ? 1U : 0U)) << exporter->name;
    }
  }
}

TEST(PlanTest, ASetIsTheRequirementsOwnAndTwoQueriesAndTwoForEachExporter) {
  std::vector<const schema::Exporter*> all;
  for (const auto& exporter : schema::Registry::BuiltIn().exporters()) {
    all.push_back(exporter.get());
  }
  // The metrics that the requirement names, and their times; one query looks for exporters.
  constexpr std::array<std::size_t, 2> kOwn = {6 + 1, 3 + 1};
  const auto expect = [&](const std::vector<const schema::Exporter*>& there) {
    for (const Part part : {Part::kGpus, Part::kProcesses}) {
      // The most that may be asked of each.
      std::vector<Subject> subjects;
      for (const auto* one : there) subjects.push_back({one, {"job"}, true, false});
      EXPECT_LE(PlanQueries(subjects, part).size() + 1,
                kOwn[static_cast<std::size_t>(part)] + 2 + 2 * there.size());
      for (Subject& subject : subjects) subject.brings_times = true;
      EXPECT_LE(PlanQueries(subjects, part).size() + 1,
                kOwn[static_cast<std::size_t>(part)] + 2 + 2 * there.size());
    }
  };
  expect(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    expect({all[i]});
    for (std::size_t j = i + 1; j < all.size(); ++j) expect({all[i], all[j]});
  }
}

TEST(PlanTest, AsksForTheTargetsOfAllWhosePodMayBeTheirOwnOnce) {
  const auto first = Loaded(R"("pod_may_be_exporters": true, "prefixes": ["", "p_"],)"
                            R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"}])");
  const auto other = Loaded(R"("gpu": [{"field": "power", "metric": "o1", "unit": "W"}])");
  const std::string shown =
      "up and on(job,instance) group by(job,instance)({__name__=~\"m1|p_m1\"} or "
      "{__name__=~\"m1|p_m1\"})";
  const std::vector<Subject> unknown = {{&first, {}}, {&first, {}}, {&other, {}}};
  const auto around = PlanSurroundings(unknown, Part::kGpus, "");
  ASSERT_EQ(around.size(), 1U);
  EXPECT_EQ(around.front().gives, Gives::kTargets);
  EXPECT_EQ(around.front().promql, shown);
  const std::vector<Subject> some = {{&first, {}}, {&first, {}}, {&other, {"o"}}};
  const auto plan = PlanQueries(some, Part::kGpus);
  EXPECT_EQ(plan.back().promql, R"(up{job="o"} or )" + shown);
  EXPECT_EQ(PlanOf({&NvidiaGpu(), &first}, Part::kProcesses).size(), 5U) << "of GPUs alone";
}

TEST(PlanTest, WhereNoJobIsKnownTheTimesOfAllTargetsTellTheirPods) {
  const auto plan = PlanOf({&NvidiaGpu(), schema::Registry::BuiltIn().Find("dcgm")}, Part::kGpus);
  EXPECT_EQ(std::count_if(plan.begin(), plan.end(),
                          [](const auto& query) { return query.gives == Gives::kTargets; }),
            0);
  EXPECT_EQ(
      std::count_if(plan.begin(), plan.end(), [](const auto& query) { return query.tells_pods; }),
      1);
}

TEST(PlanTest, AsksForAllFamiliesInOneQueryAndForTheTimeOfEachSeries) {
  const auto exporter =
      Loaded(R"("prefixes": ["", "p_"], "require": {"card": "*", "kind": "gpu"}, "info": ["m2"],)"
             R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"},)"
             R"({"field": "fan", "metric": "m1", "unit": "%", "where": {"x": ""}}])");
  Subject subject{&exporter, {}};
  subject.brings_times = true;
  const auto plan = PlanQueries({&subject, 1}, Part::kGpus);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].name, "x/values");
  EXPECT_EQ(plan[0].promql, R"({__name__=~"m1|m2|p_m1|p_m2",card!="",kind="gpu"})");
  EXPECT_EQ(plan[1].name, "x/sample_times");
  EXPECT_EQ(plan[1].gives, Gives::kSeriesTimes);
  EXPECT_EQ(
      plan[1].promql,
      R"(label_replace(timestamp(m1{card!="",kind="gpu"}),"__series__","m1","",""))"
      R"( or label_replace(timestamp(p_m1{card!="",kind="gpu"}),"__series__","p_m1","",""))"
      R"( or label_replace(timestamp(m1{card!="",kind="gpu",x=""}),"__series__","m1","",""))"
      R"( or label_replace(timestamp(p_m1{card!="",kind="gpu",x=""}),"__series__","p_m1","",""))"
      R"( or label_replace(timestamp(m2{card!="",kind="gpu"}),"__series__","m2","",""))"
      R"( or label_replace(timestamp(p_m2{card!="",kind="gpu"}),"__series__","p_m2","",""))");
}

// Another driver is another series: that there are two is what tells that each must be asked.
TEST(PlanTest, AsksForTheTimesOfTextsAmongThoseOfTargets) {
  const auto exporter =
      Loaded(R"("info": ["m2"], "gpu": [{"field": "power", "metric": "m1", "unit": "W"}])");
  const Subject subject{&exporter, {}};
  const auto plan = PlanQueries({&subject, 1}, Part::kGpus);
  ASSERT_GE(plan.size(), 2U);
  EXPECT_EQ(plan[1].gives, Gives::kTargetTimes);
  EXPECT_NE(plan[1].promql.find(R"("t",timestamp(m2)))"), std::string::npos) << plan[1].promql;
  EXPECT_NE(AllTimesQuery(subject).find(R"("t",timestamp(m2)))"), std::string::npos);
}

TEST(PlanTest, WhereTheJobsAreKnownTheTimesOfTheirTargetsAreAskedFor) {
  const auto exporter = Loaded(R"("prefixes": ["", "p_"],)"
                               R"("gpu": [{"field": "power", "metric": "m2", "unit": "W"}])");
  const std::array known = {Subject{&exporter, {"a.b", "c"}}};
  const auto plan = PlanQueries(known, Part::kGpus);
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[1].gives, Gives::kTargetTimes);
  EXPECT_EQ(plan[1].promql, R"(count_values by(job,instance)("t",timestamp(m1)) or )"
                            R"(count_values by(job,instance)("t",timestamp(p_m1)) or )"
                            R"(label_replace(timestamp(up{job=~"a\\.b|c"}),"t","up","",""))");
  EXPECT_EQ(plan[2].gives, Gives::kTargets);
  EXPECT_EQ(plan[2].promql, R"(up{job=~"a\\.b|c"})");
  const std::array brings = {Subject{&exporter, {"c"}, false, true}};
  EXPECT_EQ(PlanQueries(brings, Part::kGpus).at(1).gives, Gives::kSeriesTimes);
}

TEST(PlanTest, WhereANodesNameIsMissingAddressesAreAskedFor) {
  const auto exporter = Loaded(R"("gpu": [{"field": "power", "metric": "m2", "unit": "W"}],)"
                               R"("process": [{"field": "cpu", "metric": "p1", "unit": "%"}])");
  const std::array with = {Subject{&exporter, {"c"}}};
  const std::array without = {Subject{&exporter, {"c"}, true}};
  for (const Part part : {Part::kGpus, Part::kProcesses}) {
    EXPECT_NE(PlanQueries(with, part).back().gives, Gives::kAddresses);
    const auto plan = PlanQueries(without, part);
    EXPECT_EQ(plan.back().gives, Gives::kAddresses);
    EXPECT_EQ(plan.back().promql,
              R"(kube_node_info or ((kube_pod_info and on(pod_ip) label_replace(up{job="c"},)"
              R"("pod_ip","$1","instance","\\[?(.+?)\\]?:[0-9]+")) unless )"
              R"(on(namespace,pod,exported_namespace,exported_pod) )"
              R"((kube_pod_status_phase{phase=~"Succeeded|Failed"} == 1)))");
  }
}

TEST(PlanTest, ProcessesComeWithWhatNamesTheirGpus) {
  const auto exporter =
      Loaded(R"("info": ["gpus"], "process": [{"field": "cpu", "metric": "p1", "unit": "%"}])");
  EXPECT_TRUE(PlanOf({&exporter}, Part::kGpus).empty());
  const auto plan = PlanOf({&exporter}, Part::kProcesses);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].promql, R"({__name__=~"p1|gpus"})");
  EXPECT_EQ(plan[1].promql, R"(count_values by(job,instance)("t",timestamp(p1)) or )"
                            R"(count_values by(job,instance)("t",timestamp(gpus)) or )"
                            R"(label_replace(timestamp(up),"t","up","",""))");
}

// Those that bring times along, of the series that name GPUs too, whoever has the processes.
TEST(PlanTest, TheSeriesThatNameGpusAreAskedForTheirTimes) {
  const auto upper = Loaded(R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"}])");
  const auto lower =
      Loaded(R"("info": ["i1"], "process": [{"field": "cpu", "metric": "p1", "unit": "%"}])");
  std::vector<Subject> subjects = {{&upper, {}}, {&lower, {}}};
  for (Subject& subject : subjects) subject.brings_times = true;
  std::string times;
  for (const auto& query : PlanQueries(subjects, Part::kProcesses)) {
    if (query.gives == Gives::kSeriesTimes) times += query.promql + ';';
  }
  EXPECT_EQ(times, R"(label_replace(timestamp(p1),"__series__","p1","","") or )"
                   R"(label_replace(timestamp(i1),"__series__","i1","","");)"
                   R"(label_replace(timestamp(m1),"__series__","m1","","");)");
}

TEST(PlanTest, WhoStandsAboveThoseWithProcessesIsAskedForTheNamesOfItsGpus) {
  const auto gpus = Loaded(R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"}])");
  const auto informed =
      Loaded(R"("info": ["i1"], "gpu": [{"field": "power", "metric": "m1", "unit": "W"}])");
  const auto processes = Loaded(R"("process": [{"field": "cpu", "metric": "p1", "unit": "%"}])");
  const auto devices = [](const std::vector<const schema::Exporter*>& exporters) {
    std::string all;
    for (const auto& query : PlanOf(exporters, Part::kProcesses)) {
      if (query.gives != Gives::kDevices) continue;
      all += query.promql + ' ' + std::to_string(query.exporter) + ';';
    }
    return all;
  };
  EXPECT_EQ(devices({&gpus, &processes}), "m1 0;");
  const auto marked =
      Loaded(R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"}])", R"("m1", "m2")");
  EXPECT_EQ(devices({&marked, &processes}), "m1 or on(job,instance,host,i) m2 0;")
      << "whichever it shows of a GPU";
  EXPECT_EQ(devices({&informed, &processes}), "i1 0;");
  EXPECT_EQ(devices({&processes, &gpus}), "");
  EXPECT_EQ(devices({&processes, &processes}), "") << "they come along";
  EXPECT_EQ(devices({&gpus}), "");
}

TEST(PlanTest, ProcessesBesideThoseOfOthersComeWithEveryMarkOfTheirGpus) {
  const auto upper = Loaded(R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"}],)"
                            R"( "process": [{"field": "cpu", "metric": "p1", "unit": "%"}])",
                            R"("m1", "m2")");
  const auto lower = Loaded(R"("process": [{"field": "cpu", "metric": "p2", "unit": "%"}])");
  EXPECT_EQ(PlanOf({&upper, &lower}, Part::kProcesses).at(0).promql, R"({__name__=~"p1|m1|m2"})");
}

// The code before may stand beside the new one, with its own time.
TEST(PlanTest, TheTimesOfTheLastXidAreAskedForToo) {
  const auto exporter = Loaded(R"("gpu": [{"field": "power", "metric": "m1", "unit": "W"},)"
                               R"( {"field": "xid_last", "metric": "x1", "unit": "code"}])");
  EXPECT_EQ(PlanOf({&exporter}, Part::kGpus).at(1).promql,
            R"(count_values by(job,instance)("t",timestamp(m1)) or )"
            R"(count_values by(job,instance)("t",timestamp(x1)) or )"
            R"(label_replace(timestamp(up),"t","up","",""))");
}

TEST(PlanTest, NamesAreUniqueInAPlan) {
  std::vector<const schema::Exporter*> all;
  for (const auto& exporter : schema::Registry::BuiltIn().exporters())
    all.push_back(exporter.get());
  for (const auto part : {Part::kGpus, Part::kProcesses}) {
    std::set<std::string> names;
    for (const auto& query : PlanOf(all, part)) {
      EXPECT_TRUE(names.insert(query.name).second) << query.name;
      EXPECT_LT(query.exporter, all.size());
    }
  }
}

}  // namespace
}  // namespace gpumon::gpu
