#include "cmd/gpuctl/check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>

#include "cmd/gpuctl/check_scope.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "internal/base/process.h"
#include "internal/checks/json.h"
#include "internal/checks/plan.h"
#include "internal/checks/report.h"
#include "internal/checks/run.h"
#include "internal/checks/table.h"

namespace gpumon::ctl {
namespace {

using checks::Group;

constexpr Group kOnlyDocker[] = {Group::kDocker};
constexpr Group kOnlyInfrastructure[] = {Group::kInfrastructure};
constexpr Group kOnlyServices[] = {Group::kServices};
constexpr Group kOnlyGpu[] = {Group::kGpu};
constexpr Group kOnlySystem[] = {Group::kSystem};

// How soon a signal is seen while a round is under way.
constexpr Millis kGlance{20};

struct Job {
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  checks::Scope scope;
  Millis timeout{0};
};

std::optional<Job> MakeJob(const config::Values& values, std::ostream& err) {
  Job job;
  job.timeout = std::chrono::seconds(values.Integer("--timeout"));
  auto scope = MakeCheckScope(values, job.clock);
  if (!scope) {
    PrintError(scope.error().message, err);
    return std::nullopt;
  }
  job.scope = *std::move(scope);
  return job;
}

void Print(const config::Values& values, const checks::Report& report, bool in_lines,
           std::ostream& out) {
  const checks::Style style{TakesSequences(out) && values.Text("--no-color").empty(),
                            values.Bool("--verbose")};
  const std::string& format = values.Text("--format");
  if (format == "json") {
    out << (in_lines ? checks::JsonLine(report, style.verbose)
                     : checks::JsonText(report, style.verbose));
  } else {
    out << (format == "summary" ? checks::SummaryText(report, style)
                                : checks::TableText(report, style));
  }
  out.flush();
}

int ExitOf(const config::Values& values, const checks::Report& report) {
  return values.Bool("--exit-zero") ? kAllHealthy : checks::ExitCode(report);
}

checks::Report RunAllOf(std::span<const Group> groups, const Job& job, std::ostream& err) {
  const Progress progress(err, "checking");
  auto done = checks::RunAll(checks::Plan(groups, job.scope), job.clock, job.timeout);
  return checks::MakeReport(std::move(done), job.clock->Wall());
}

int RunGroups(std::span<const Group> groups, const config::Values& values, std::ostream& out,
              std::ostream& err) {
  const auto job = MakeJob(values, err);
  if (!job) return kCheckUsage;
  const checks::Report report = RunAllOf(groups, *job, err);
  Print(values, report, false, out);
  return ExitOf(values, report);
}

// Nothing when a signal came.
std::optional<checks::Report> RunRound(const Job& job, const EndingSignals& signals,
                                       std::ostream& err) {
  const Progress progress(err, "checking");
  checks::Round round(checks::Plan(checks::kAllGroups, job.scope), job.clock, job.timeout);
  while (!round.Await(kGlance)) {
    if (signals.Await(Millis(0)) != 0) return std::nullopt;
  }
  return checks::MakeReport(round.Take(), job.clock->Wall());
}

}  // namespace

int RunCheckAll(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGroups(checks::kAllGroups, values, out, err);
}

int RunCheckDocker(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGroups(kOnlyDocker, values, out, err);
}

int RunCheckInfrastructure(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGroups(kOnlyInfrastructure, values, out, err);
}

int RunCheckServices(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGroups(kOnlyServices, values, out, err);
}

int RunCheckGpu(const config::Values& values, std::ostream& out, std::ostream& err) {
  if (!values.Bool("--detailed") || values.Text("--format") != "table") {
    return RunGroups(kOnlyGpu, values, out, err);
  }
  auto job = MakeJob(values, err);
  if (!job) return kCheckUsage;
  job->scope.gpu_details = std::make_shared<checks::GpuDetails>();
  const checks::Report report = RunAllOf(kOnlyGpu, *job, err);
  const std::string text = job->scope.gpu_details->Get();
  // A look that has not ended has no text: its row says so.
  text.empty() ? Print(values, report, false, out) : void(out << text);
  return ExitOf(values, report);
}

int RunCheckSystem(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGroups(kOnlySystem, values, out, err);
}

int RunMonitor(const config::Values& values, std::ostream& out, std::ostream& err) {
  const EndingSignals signals;
  const auto job = MakeJob(values, err);
  if (!job) return kCheckUsage;
  const std::chrono::seconds interval(values.Integer("--interval"));
  const std::int64_t most = values.Integer("--max-checks");
  for (std::int64_t count = 1;; ++count) {
    const Deadline next = Deadline::After(*job->clock, interval);
    const auto report = RunRound(*job, signals, err);
    if (!report) return kAllHealthy;
    Print(values, *report, true, out);
    if (!out) return kAllHealthy;
    if (count == most) return ExitOf(values, *report);
    if (signals.Await(next.Left(*job->clock)) != 0) return kAllHealthy;
  }
}

}  // namespace gpumon::ctl
