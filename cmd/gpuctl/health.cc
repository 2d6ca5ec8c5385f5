#include "cmd/gpuctl/health.h"

#include <cstdlib>
#include <future>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/gpud_places.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/health_report.h"
#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/operand.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/checks/columns.h"
#include "internal/config/address.h"
#include "internal/config/metrics_dir.h"

namespace gpumon::ctl {
namespace {

constexpr Millis kGlance{20};
constexpr Millis kHakuTimeout{15'000};
constexpr std::string_view kClear = "\x1b[H\x1b[2J";

enum class Source : std::uint8_t { kApi, kHakuRiver, kGpud, kStore };

// Everything that was asked for, checked.
struct Job {
  HealthQuestion question;
  Source source = Source::kApi;
  FailOn fail_on = FailOn::kNever;
  bool past = false;
  bool json = false;
  HealthStyle style;
  Millis timeout{0};
  std::optional<Server> server;
  std::optional<HakuHost> host;
  std::vector<GpudPlace> gpuds;
  std::string folder;
};

Result<Source> SourceOf(const config::Values& values) {
  const std::string& word = values.Text("--source");
  const bool places = values.Given("--gpud-url") || values.Given("--via");
  if (places && values.Given("--source") && word != "gpud") {
    return Error(values.Refuse("--source", "does not go with --gpud-url and --via", "gpud"));
  }
  if (word == "gpud" || places) return Source::kGpud;
  if (word == "store") return Source::kStore;
  // Ids of HakuRiver's are numbers.
  const bool is_named = TaskNameOf(values.Text("--task")).name.find('/') != std::string::npos;
  if (is_named && !values.Given("--source")) return Source::kApi;
  return IsHakuSource(values) ? Source::kHakuRiver : Source::kApi;
}

FailOn FailOnOf(const std::string& word) {
  if (word == "never") return FailOn::kNever;
  return word == "issues" ? FailOn::kIssues : FailOn::kWarnings;
}

Result<void> CheckQuestion(const config::Values& values, const Job& job) {
  const HealthQuestion& asked = job.question;
  if (!asked.task.empty() && !asked.node.empty()) {
    return Error(values.Refuse("--task", "does not go with a node", "one of the two"));
  }
  if (!job.past) return {};
  if (job.source == Source::kGpud || job.source == Source::kHakuRiver) {
    const char* const who = job.source == Source::kGpud ? "GPUd" : "HakuRiver";
    return Error(values.Refuse("--history", std::string("is nothing that ") + who + " keeps",
                               "--source api or --source store"));
  }
  if (asked.task.empty() && asked.node.empty()) {
    return Error(values.Refuse("--history", "needs --task or --node"));
  }
  if (values.Bool("--watch")) return Error(values.Refuse("--history", "does not go with --watch"));
  return {};
}

Result<void> Open(const config::Values& values, std::ostream& err, Job& job) {
  if (job.source == Source::kApi) {
    if (const auto wrong = config::CheckUrl(values.Text("--server"))) {
      return Error(values.Refuse("--server", wrong->message));
    }
    auto server = Server::Make({values.Text("--server"), values.Text("--token-file"),
                                values.Text("--ca-file"), job.timeout});
    if (!server) return Error(server.error());
    job.server.emplace(*std::move(server));
  } else if (job.source == Source::kHakuRiver) {
    auto host = HakuHost::Make(values, HakuFlags::kBeside, kHakuTimeout, err);
    if (!host) return Error(host.error());
    job.host.emplace(*std::move(host));
  } else if (job.source == Source::kGpud) {
    auto places = GpudPlacesOf(values);
    if (!places) return Error(places.error());
    job.gpuds = *std::move(places);
  } else {
    job.folder = config::MetricsDirOf(values, config::ProcessEnvironment());
    if (job.folder.empty()) {
      return Error(values.Refuse("--metrics-dir", "needs HOME, which is not set"));
    }
  }
  return {};
}

Result<Job> MakeJob(const config::Values& values, const std::ostream& out, std::ostream& err) {
  Job job;
  job.json = values.Bool("--json");
  job.style = {values.Bool("--verbose"), TerminalWidth(out), !IsTerminal(out)};
  job.past = values.Given("--history");
  job.timeout = values.Duration("--timeout");
  job.fail_on = FailOnOf(values.Text("--fail-on"));
  job.question = {TaskNameOf(values.Text("--task")).name,
                  NodeNameOf(values.Text("--node")),
                  values.Bool("--gpu"),
                  values.Bool("--all"),
                  !values.Bool("--json"),
                  values.Integer("--history")};
  auto source = SourceOf(values);
  if (!source) return Error(source.error());
  job.source = *source;
  if (auto good = CheckQuestion(values, job); !good) return Error(good.error());
  if (auto opened = Open(values, err, job); !opened) return Error(opened.error());
  return job;
}

std::string Asked(const Job& job) {
  if (job.source == Source::kStore) return "reading " + job.folder;
  if (job.source == Source::kApi) return "asking " + job.server->name();
  if (job.source == Source::kHakuRiver) return "asking " + job.host->name();
  const std::string first = "asking the GPUd of " + job.gpuds[0].name();
  const std::size_t others = job.gpuds.size() - 1;
  return others == 0 ? first : first + " and " + std::to_string(others) + " more";
}

Result<HealthReport> Ask(Job& job, std::ostream& err) {
  if (job.source == Source::kHakuRiver) {  // it says itself that it waits
    job.host->BeginAgain();
    return AskHakuRiver(*job.host, job.question);
  }
  const Progress progress(err, Asked(job));
  switch (job.source) {
    case Source::kApi:
      return AskApi(*job.server, job.question);
    case Source::kGpud:
      return AskGpuds(job.gpuds, job.timeout, job.question);
    case Source::kHakuRiver:
    case Source::kStore:
      break;
  }
  return ReadStore(job.folder, job.question, SystemClock().Wall());
}

int Fail(const Status& why, std::ostream& err) {
  PrintError(why.message, err);
  return why.code == Code::kNotFound || why.code == Code::kInvalidParameter ? kUsage : kNoAnswer;
}

Result<HealthPast> AskForPast(Job& job, std::ostream& err) {
  const Progress progress(err, Asked(job));
  return job.source == Source::kApi
             ? AskApiForPast(*job.server, job.question)
             : ReadStoredPast(job.folder, job.question, SystemClock().Wall());
}

int RunPast(Job& job, std::ostream& out, std::ostream& err) {
  const auto past = AskForPast(job, err);
  if (!past) return Fail(past.error(), err);
  if (past->left_out > 0) {
    err << "gpuctl: only the newest " << past->snapshots.size() << " snapshots; " << past->left_out
        << " older ones are left out: ask for fewer hours\n";
  }
  if (job.json) {
    out << PastJson(*past);
  } else if (past->snapshots.empty()) {
    PrintError(NoPast(*past) + "; gpu-monitoring-api collect stores it", err);
  } else {
    out << PastText(*past);
  }
  return past->snapshots.empty() ? kFindings : kWell;
}

int RunOnce(Job& job, std::ostream& out, std::ostream& err) {
  const auto report = Ask(job, err);
  if (!report) return Fail(report.error(), err);
  out << (job.json ? HealthJson(*report) : HealthText(*report, job.style));
  // The text has them; who takes the JSON apart may look for none.
  for (const std::string& note : report->notes) {
    if (job.json) err << "gpuctl: note: " << checks::Shown(note) << '\n';
  }
  out.flush();
  return HealthExit(*report, job.fail_on);
}

struct Round {
  int code = kWell;
  std::string out;
  std::string err;
};

// A signal ends the process, whatever the round waits for.
Round AwaitRound(Job& job, const EndingSignals& signals, std::ostream& out, std::ostream& err) {
  std::optional<Progress> progress(std::in_place, err, Asked(job));
  auto round = std::async(std::launch::async, [&job] {
    std::ostringstream out_text;
    std::ostringstream err_text;
    const int code = RunOnce(job, out_text, err_text);
    return Round{code, out_text.str(), err_text.str()};
  });
  while (round.wait_for(kGlance) != std::future_status::ready) {
    if (signals.Await(Millis(0)) == 0) continue;
    out.flush();
    progress.reset();
    log::Flush(log::kEndLimit);
    std::_Exit(kWell);
  }
  return round.get();
}

// Until a signal comes; who has answered once and does not now may answer the next time.
int Watch(Job& job, const EndingSignals& signals, Millis interval, std::ostream& out,
          std::ostream& err) {
  const SystemClock clock;
  const bool clear = TakesSequences(out) && !job.json;
  for (bool first = true;; first = false) {
    const Deadline next = Deadline::After(clock, interval);
    const Round round = AwaitRound(job, signals, out, err);
    const bool failed = round.out.empty();
    if (first && failed) {
      err << round.err;
      return round.code;
    }
    if (clear) {
      out << kClear;
    } else if (!first && !failed && !job.json) {
      out << '\n';
    }
    out << round.out;
    out.flush();
    err << round.err;
    if (!out || signals.Await(next.Left(clock)) != 0) return kWell;
  }
}

}  // namespace

int RunHealth(const config::Values& values, std::ostream& out, std::ostream& err) {
  std::optional<EndingSignals> signals;
  if (values.Bool("--watch")) signals.emplace();
  auto job = MakeJob(values, out, err);
  if (!job) {
    PrintError(job.error().message, err);
    return kUsage;
  }
  if (signals) return Watch(*job, *signals, values.Duration("--interval"), out, err);
  return job->past ? RunPast(*job, out, err) : RunOnce(*job, out, err);
}

}  // namespace gpumon::ctl
