#include "cmd/gpuctl/health_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

const WallTime kNow = *ParseTime("2026-03-01T09:15:30Z");

store::GpuReading Gpu(std::int64_t index, double temperature, double utilization) {
  store::GpuReading gpu;
  gpu.gpu_index = index;
  gpu.uuid = "GPU-" + std::to_string(index);
  gpu.name = "NVIDIA H100 80GB HBM3";
  gpu.temperature_c = temperature;
  gpu.gpu_utilization_pct = utilization;
  gpu.memory_used_mb = 40000;
  gpu.memory_total_mb = 80000;
  gpu.power_draw_w = 412.4;
  gpu.power_limit_w = 700;
  gpu.clock_mhz = 1980;
  gpu.max_clock_mhz = 1980;
  return gpu;
}

store::Snapshot Task(const std::string& name, const std::string& status,
                     std::optional<double> score) {
  store::Snapshot task;
  task.id = "1";
  task.task_id = name;
  task.task_name = name;
  task.timestamp = kNow - std::chrono::seconds(30);
  task.health_status = status;
  task.health_score = score;
  return task;
}

HealthReport Report() {
  HealthReport report;
  report.source = "http://localhost:8080";
  report.time = kNow;
  report.tasks = {Task("ml/bert", "healthy", 1), Task("ml/llama", "critical", 0.5),
                  Task("ml/wait", "unknown", std::nullopt), Task("ml/vllm", "degraded", 0.76)};
  report.tasks[0].gpu_metrics = {Gpu(0, 60, 50)};
  report.tasks[1].gpu_metrics = {Gpu(1, 90, 70)};
  report.tasks[1].health_states = {{"temperature", "unhealthy",
                                    "GPU 1: 90 °C, above 85; suggested: HARDWARE_INSPECTION",
                                    "critical", kNow}};
  report.tasks[3].gpu_metrics = {Gpu(2, 70, 98)};
  report.tasks[3].health_states = {{"memory", "degraded", "", "warning", kNow},
                                   {"clock", "healthy", "well", "info", kNow}};
  SortRows(report);
  return report;
}

TEST(HealthReportTest, JsonHasTheFourPartsOfFlowAndTheNotes) {
  const std::string details =
      R"x({"issues":[{"category":"temperature","message":"ml/llama: GPU 1: 90 °C, above 85",)x"
      R"x("suggestion":"HARDWARE_INSPECTION"}],"warnings":[{"category":"memory",)x"
      R"x("message":"ml/vllm: memory is degraded","suggestion":""}],"successes":[)x"
      R"x({"category":"health","message":"ml/bert: healthy (100 %)","suggestion":""}]})x";
  const std::string fleet =
      R"x({"timestamp":"2026-03-01T09:15:30Z","total_nodes":3,"healthy_nodes":1,)x"
      R"x("degraded_nodes":1,"critical_nodes":1,"total_gpus":3,"healthy_gpus":2,)x"
      R"x("avg_gpu_temperature":73.33,"avg_gpu_utilization":72.67,)x"
      R"x("avg_gpu_memory_utilization":50.0,"critical_issues":[{"task_name":"ml/llama",)x"
      R"x("component":"temperature","message":"GPU 1: 90 °C, above 85"}],)x"
      R"x("warnings":[{"task_name":"ml/vllm","component":"memory",)x"
      R"x("message":"memory is degraded"}]})x";
  EXPECT_EQ(HealthJson(Report()),
            R"x({"timestamp":"2026-03-01T09:15:30Z","summary":{"issues":1,"warnings":1,)x"
            R"x("successes":1},"details":)x" +
                details + R"x(,"fleet_summary":)x" + fleet + R"x(,"notes":[]})x" + '\n');
  HealthReport noted;
  noted.notes = {"gpud/a lacks events: it answered 500"};
  EXPECT_THAT(HealthJson(noted),
              testing::EndsWith(R"(,"notes":["gpud/a lacks events: it answered 500"]})"
                                "\n"));
}

TEST(HealthReportTest, WithoutRowsNothingIsMadeUp) {
  HealthReport report;
  report.time = kNow;
  EXPECT_THAT(HealthJson(report), HasSubstr(R"("total_gpus":0,"healthy_gpus":0,)"
                                            R"("avg_gpu_temperature":null)"));
  EXPECT_EQ(HealthExit(report, FailOn::kWarnings), 0);
}

TEST(HealthReportTest, TextPutsTheWorstFirstAndSaysWhatToDo) {
  HealthReport report = Report();
  report.usage = {std::nullopt, 0.0, 50.0, 100.0};
  report.usage_of = "last 60 minutes";
  EXPECT_EQ(HealthText(report, {}),
            R"(GPU health  2026-03-01T09:15:30Z  http://localhost:8080
1 healthy, 1 degraded, 1 critical, 1 unknown of 4 tasks; 2 of 3 GPUs cool and
not throttled

TASK                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY ISSUES  AGE
ml/llama                     critical    50%    1   90C   70%    50%      1  30s
ml/vllm                      degraded    76%    1   70C   98%    50%      1  30s
ml/wait                      unknown       -    0     -     -      -      0  30s
ml/bert                      healthy    100%    1   60C   50%    50%      0  30s

ISSUES (1)
  ml/llama: GPU 1: 90 °C, above 85 [temperature]
    next: HARDWARE_INSPECTION

WARNINGS (1)
  ml/vllm: memory is degraded [memory]

GPU usage, last 60 minutes, 0 to 100 %; now 100 %
   ▁▅█
)");
}

TEST(HealthReportTest, WhoIsNamedIsShownGpuByGpu) {
  HealthReport report = Report();
  report.of_one = true;
  report.tasks.resize(1);
  report.tasks[0].gpu_metrics[0].clock_mhz = 1200;
  const std::string text = HealthText(report, {});
  EXPECT_THAT(text, HasSubstr("\nGPU MODEL                  TEMP     POWER USAGE              "
                              "MEMORY CLOCK\n  1 NVIDIA H100 80GB HBM3   90C  412/700W   70%  "
                              "40000/80000MB(50%) 1200\n    (throttled: "));
}

TEST(HealthReportTest, NamesAreCutOnlyWhereATerminalIsTooNarrow) {
  HealthReport report = Report();
  const std::string name = "ml/" + std::string(57, 'x');
  report.tasks[0].task_id = name;
  const std::string row = "\n" + name + " critical    50%    1 ";
  EXPECT_THAT(HealthText(report, {}), Not(HasSubstr(name)));
  EXPECT_THAT(HealthText(report, {.columns = 111}), Not(HasSubstr(name)));
  EXPECT_THAT(HealthText(report, {.columns = 112}), HasSubstr(row));
  EXPECT_THAT(HealthText(report, {.verbose = true}), HasSubstr(row));
  EXPECT_THAT(HealthText(report, {.whole_names = true}), HasSubstr(row));
  report.tasks[0].task_id = "ml/é";
  EXPECT_THAT(HealthText(report, {.columns = 160}),
              HasSubstr("\nTASK                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY "
                        "ISSUES  AGE\n"));
  EXPECT_THAT(HealthText(report, {.columns = 160}),
              HasSubstr("unknown of 4 tasks; 2 of 3 GPUs cool and not throttled\n"));
}

TEST(HealthReportTest, WhoseAGpuIsStandsAboveIt) {
  HealthReport report = Report();
  report.of_one = true;
  report.tasks.resize(1);
  report.tasks[0].instance_id = "gn01";
  report.tasks[0].gpu_metrics = {Gpu(0, 60, 1), Gpu(2, 60, 1), Gpu(3, 60, 1)};
  EXPECT_THAT(HealthText(report, {}), HasSubstr("CLOCK\non gn01:\n  0 NVIDIA"));
  report.node_of = {{"GPU-0", "gn01"}, {"GPU-2", "gn01"}, {"GPU-3", "gn02"}};
  const std::string text = HealthText(report, {});
  EXPECT_THAT(text, HasSubstr("CLOCK\non gn01:\n  0 NVIDIA"));
  EXPECT_THAT(text, HasSubstr(" 1980\n  2 NVIDIA"));
  EXPECT_THAT(text, HasSubstr(" 1980\non gn02:\n  3 NVIDIA"));
  report.tasks.push_back(report.tasks[0]);
  EXPECT_THAT(HealthText(report, {}), HasSubstr("CLOCK\nml/llama on gn01:\n  0 NVIDIA"));
  report.row = "node";
  report.tasks.resize(1);
  EXPECT_THAT(HealthText(report, {}), HasSubstr("CLOCK\n  0 NVIDIA"));
}

TEST(HealthReportTest, NoLineIsWiderThanATerminalNorHasControlCharacters) {
  HealthReport report = Report();
  report.of_one = true;
  report.tasks[0].task_id = std::string(200, 'x') + "\x1b[31m";
  report.tasks[0].gpu_metrics[0].name = std::string(100, 'y');
  report.tasks[0].gpu_metrics[0].memory_total_mb = 1e9;
  report.usage = std::vector<std::optional<double>>(500, 3.0);
  const std::string text = HealthText(report, {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::size_t width = 0;
    for (const char c : line) width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    EXPECT_LE(width, 80U) << line;
  }
}

TEST(HealthReportTest, AFleetsManyRemarksAreCutUnlessAllAreWanted) {
  HealthReport report = Report();
  report.tasks[0].health_states.resize(30, report.tasks[0].health_states[0]);
  EXPECT_THAT(HealthText(report, {}), HasSubstr("  ... and 10 more; -v shows all\n"));
  EXPECT_THAT(HealthText(report, {.verbose = true}), Not(HasSubstr("more; -v")));
}

TEST(HealthReportTest, TheExitCodeSaysWhatItWasAskedToSay) {
  HealthReport report = Report();
  EXPECT_EQ(HealthExit(report, FailOn::kNever), 0);
  EXPECT_EQ(HealthExit(report, FailOn::kWarnings), 2);
  EXPECT_EQ(HealthExit(report, FailOn::kIssues), 2);
  report.tasks.erase(report.tasks.begin());
  EXPECT_EQ(HealthExit(report, FailOn::kWarnings), 1);
  EXPECT_EQ(HealthExit(report, FailOn::kIssues), 0);
}

TEST(HealthReportTest, ACriticalRowWithoutAReasonIsAnIssueAllTheSame) {
  HealthReport report;
  report.tasks = {Task("a", "critical", 0.1)};
  const Remarks remarks = RemarksOf(report);
  ASSERT_EQ(remarks.issues.size(), 1U);
  EXPECT_EQ(remarks.issues[0].message, "a: critical (10 %)");
}

TEST(HealthReportTest, AGpuThatTasksShareCountsOnce) {
  HealthReport report = Report();
  report.tasks[2].gpu_metrics = report.tasks[0].gpu_metrics;
  EXPECT_EQ(SummaryOf(report).total_gpus, 3U);
}

TEST(HealthReportTest, AGpuAt75IsNotHealthyAndNeitherIsOneThatNobodyMeasures) {
  HealthReport report;
  report.tasks = {Task("a", "healthy", 1)};
  report.tasks[0].gpu_metrics = {Gpu(0, 74.9, 0), Gpu(1, 75, 0), Gpu(2, 50, 0)};
  report.tasks[0].gpu_metrics[2].temperature_c.reset();
  EXPECT_EQ(SummaryOf(report).healthy_gpus, 1U);
}

TEST(HealthReportTest, ASparklineIsOfTheNewestSixtyPoints) {
  std::vector<std::optional<double>> values(100, 0.0);
  values.back() = 100;
  const std::string line = Sparkline(values);
  EXPECT_EQ(line.size(), 60 * std::string("▁").size());
  EXPECT_TRUE(line.ends_with("▁█"));
  EXPECT_EQ(Sparkline({}), "");
}

TEST(HealthReportTest, ThePastIsItsSnapshotsAndTheLatest) {
  HealthPast past{"task", "ml/bert", 24, {Task("ml/bert", "healthy", 1)}, 0};
  past.snapshots.push_back(Task("ml/bert", "critical", 0.5));
  const auto document = json::ParseDocument(PastJson(past));
  ASSERT_TRUE(document);
  EXPECT_EQ(*(*document)["task_id"].AsString(), "ml/bert");
  EXPECT_EQ((*document)["hours"].AsInteger(), 24);
  EXPECT_EQ((*document)["snapshots"].size(), 2U);
  EXPECT_EQ(*(*document)["latest"]["health_status"].AsString(), "critical");
  EXPECT_THAT(PastText(past), HasSubstr("  Snapshots: 2\n  Average Health Score: 75.0%\n"
                                        "  Min/Max: 50.0% / 100.0%\n  Unhealthy Periods: 1\n"));
}

TEST(HealthReportTest, ThePastOfSeveralTasksIsEachOfThem) {
  HealthPast past{"node", "gn01", 1, {}, 0};
  for (const double a : {1.0, 0.5, 0.5}) {
    past.snapshots.push_back(Task("ml/a", a < 0.8 ? "critical" : "healthy", a));
    past.snapshots.push_back(Task("ml/b", "healthy", 1));
  }
  EXPECT_EQ(PastText(past), R"(Health history of gn01, last 1 h
  Snapshots: 6
  Average Health Score: 83.3%
  Min/Max: 50.0% / 100.0%
  Unhealthy Periods: 1
  ml/a:
    Unhealthy Periods: 1
    Score: █▅▅
    Latest: 2026-03-01T09:15:00Z  critical  50%
  ml/b:
    Unhealthy Periods: 0
    Score: ███
    Latest: 2026-03-01T09:15:00Z  healthy  100%
)");
}

TEST(HealthReportTest, ThePastOfManyTasksIsTheNewestOfThem) {
  HealthPast past{"node", "gn01", 1, {}, 0};
  for (int i = 0; i < 30; ++i) {
    past.snapshots.push_back(Task("ml/" + std::to_string(i), "healthy", 1));
    past.snapshots.back().timestamp += std::chrono::seconds(i);
  }
  const std::string text = PastText(past);
  EXPECT_THAT(text, HasSubstr("  ml/29:\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("  ml/9:\n")));
  EXPECT_TRUE(text.ends_with("  ... and 10 more tasks; --task NAME shows one of them\n")) << text;
}

TEST(HealthReportTest, WithoutAPastThatIsSaidInFlowsWords) {
  EXPECT_EQ(PastJson({"task", "X", 24, {}, 0}),
            "{\"error\":\"No health history found for task X\"}\n");
}

}  // namespace
}  // namespace gpumon::ctl
