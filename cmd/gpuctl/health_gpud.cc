#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/logged_client.h"
#include "cmd/gpuctl/ssh_client.h"
#include "internal/collect/gpud_task.h"
#include "internal/fetch/client.h"
#include "internal/fetch/url.h"
#include "internal/gpud/client.h"
#include "internal/nvml/library.h"

namespace gpumon::ctl {
namespace {

constexpr std::size_t kMostAtOnce = 8;
constexpr std::chrono::hours kEventsOf{24};
constexpr std::string_view kTaskPrefix = "gpud/";  // the collector's
constexpr std::string_view kNoGpus = "no GPUs on this host";

Result<std::unique_ptr<fetch::Client>> WayTo(const GpudPlace& place, const Clock& clock) {
  if (!place.ssh.host.empty()) {
    return Logged(std::make_unique<SshClient>(place.ssh, clock), clock);
  }
  auto made = fetch::MakeClient({}, clock);
  if (!made) return Error(made.error());
  return Logged(*std::move(made), clock);
}

std::string TaskIdOf(const GpudPlace& place) {
  return std::string(kTaskPrefix) + place.name();
}

// What cannot be judged is a warning: that nothing is the matter is not known then. That a host has
// no GPUs is known.
void AddGaps(const gpud::Host& host, bool no_gpus, store::Snapshot& snapshot) {
  const auto warn = [&snapshot](std::string message) {
    snapshot.health_states.push_back(
        {"gpud", "unknown", std::move(message), "warning", snapshot.timestamp});
  };
  for (const std::string& missing : host.missing) {
    // Of the machine nothing is judged.
    if (!missing.starts_with("machine info")) warn("lacks " + missing);
  }
  if (no_gpus) {
    snapshot.health_states.push_back(
        {"gpud", "healthy", std::string(kNoGpus), "info", snapshot.timestamp});
  } else if (snapshot.gpu_metrics.empty()) {
    warn("nothing is known of its GPUs");
  }
}

// A driver, or device files: then a GPUd here that knows no GPU has lost them.
bool IsGpuHere() {
  std::error_code unread;
  std::filesystem::directory_iterator file("/dev", unread);
  for (; !unread && file != std::filesystem::directory_iterator(); file.increment(unread)) {
    if (file->path().filename().native().starts_with("nvidia")) return true;
  }
  const char* const named = std::getenv(nvml::kLibraryVariable);
  // Not started: that may take for ever where a GPU hangs.
  const auto nvml =
      nvml::Symbols::Load(named != nullptr && *named != '\0' ? named : nvml::kLibraryName);
  return nvml || nvml.error().code != Code::kNotFound;
}

bool HasNoGpus(const gpud::Host& host, const GpudPlace& place, const std::string& address) {
  const bool here = place.ssh.host.empty() && fetch::IsLoopbackUrl("http://" + address);
  return collect::TellsOfNoGpu(host) && !(here && IsGpuHere());
}

struct Told {
  store::Snapshot snapshot;
  std::vector<gpud::Metric> usage;  // of its GPUs, in the last hour
  bool no_gpus = false;
};

Result<Told> AskOne(const GpudPlace& place, Millis timeout, bool usage) {
  const SystemClock clock;
  auto way = WayTo(place, clock);
  if (!way) return Error(way.error());
  gpud::Client client(**way, place.bind, place.port, gpud::Trust::kAnyone);
  const WallTime now = clock.Wall();
  const Deadline deadline = Deadline::After(clock, timeout);
  const auto host = client.Ask(now - kEventsOf, deadline);
  if (!host) return Error(host.error());
  store::Snapshot snapshot = collect::TaskOf(*host, now, {});
  if (host->machine.hostname.empty()) {
    snapshot.task_id = TaskIdOf(place);
    snapshot.instance_id = place.name();
  }
  const bool no_gpus = HasNoGpus(*host, place, client.address());
  AddGaps(*host, no_gpus, snapshot);
  // What --task takes, and what the table shows.
  snapshot.task_name = snapshot.task_id;
  return Told{std::move(snapshot), usage ? client.AskUsage(deadline) : std::vector<gpud::Metric>(),
              no_gpus};
}

// A host whose GPUd does not answer.
store::Snapshot Silent(const GpudPlace& place, const Status& why, WallTime now) {
  store::Snapshot snapshot;
  snapshot.id = store::NewId();
  snapshot.task_id = TaskIdOf(place);
  snapshot.task_name = snapshot.task_id;
  snapshot.instance_id = place.name();
  snapshot.timestamp = now;
  snapshot.machine_info = {{"error", why.message}};
  snapshot.health_score = 0;
  snapshot.health_status = "critical";
  snapshot.health_states.push_back({"gpud", "unhealthy", why.message, "critical", now});
  return snapshot;
}

using Answers = std::vector<Result<Told>>;

Answers AskEach(const std::vector<GpudPlace>& places, Millis timeout, bool usage) {
  Answers answers(places.size(), Told{});
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < places.size(); i = next++) {
      answers[i] = AskOne(places[i], timeout, usage);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(kMostAtOnce, places.size()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return answers;
}

bool HasNote(const store::Snapshot& snapshot) {
  return std::any_of(snapshot.machine_info.begin(), snapshot.machine_info.end(),
                     [](const auto& fact) { return fact.first == "note"; });
}

// `alone`: the only host that was asked.
bool IsAskedFor(const store::Snapshot& snapshot, const HealthQuestion& question, bool alone) {
  if (!question.task.empty()) {
    return snapshot.task_id == question.task ||
           snapshot.task_id == std::string(kTaskPrefix) + question.task;
  }
  if (!question.node.empty()) return snapshot.instance_id == question.node;
  const bool has_gpus = !snapshot.gpu_metrics.empty() || !snapshot.gpud_healthy;
  // Of a host that cannot tell of its GPUs nobody knows that it has none.
  return !question.gpu_tasks || question.all || has_gpus || alone || HasNote(snapshot);
}

// The mean of all GPUs, minute by minute up to now; a blank where nobody told.
void AddCurve(const std::vector<gpud::Metric>& usage, HealthReport& report) {
  std::vector<std::pair<double, double>> sums(kUsagePoints);
  for (const gpud::Metric& metric : usage) {
    const auto age = std::chrono::floor<std::chrono::minutes>(report.time - metric.time).count();
    if (age >= static_cast<std::int64_t>(kUsagePoints)) continue;
    // A clock that is ahead of ours tells of now.
    auto& [sum, count] =
        sums[kUsagePoints - 1 - static_cast<std::size_t>(std::max<std::int64_t>(age, 0))];
    sum += metric.value;
    ++count;
  }
  for (const auto& [sum, count] : sums) {
    report.usage.push_back(count > 0 ? std::optional(sum / count) : std::nullopt);
  }
  report.usage_of = "last 60 minutes";
}

}  // namespace

std::string GpudPlace::name() const {
  return ssh.host.empty() ? bind + ':' + std::to_string(port) : ssh.name();
}

Result<HealthReport> AskGpuds(const std::vector<GpudPlace>& places, Millis timeout,
                              const HealthQuestion& question) {
  const Answers answers = AskEach(places, timeout, question.usage);
  HealthReport report;
  report.row = "node";
  report.time = SystemClock().Wall();
  report.of_one = places.size() == 1 || !question.task.empty() || !question.node.empty();
  report.source = "GPUd of " + places[0].name();
  if (places.size() > 1) {
    report.source += " and " + std::to_string(places.size() - 1) + " more";
  }
  const bool any =
      std::any_of(answers.begin(), answers.end(), [](const auto& one) { return one.has_value(); });
  if (!any) {
    Status why = answers[0].error();
    if (places.size() > 1) {
      why.message += "; nor does any of the " + std::to_string(places.size() - 1) + " others";
    }
    return Error(std::move(why));
  }
  std::vector<gpud::Metric> usage;
  for (std::size_t i = 0; i < places.size(); ++i) {
    store::Snapshot one =
        answers[i] ? answers[i]->snapshot : Silent(places[i], answers[i].error(), report.time);
    if (!IsAskedFor(one, question, places.size() == 1)) continue;
    for (const auto& [key, text] : one.machine_info) {
      if (key == "note") report.notes.push_back(one.task_id + " lacks " + text);
    }
    if (answers[i] && answers[i]->no_gpus) {
      report.notes.push_back(one.task_id + ": " + std::string(kNoGpus));
    }
    report.tasks.push_back(std::move(one));
    if (answers[i]) usage.insert(usage.end(), answers[i]->usage.begin(), answers[i]->usage.end());
  }
  if (report.tasks.empty() && (!question.task.empty() || !question.node.empty())) {
    return Error(Code::kNotFound,
                 report.source + " tells of no " +
                     (question.task.empty() ? "node " + question.node : "task " + question.task) +
                     "; without --task and --node all are listed");
  }
  AddCurve(usage, report);
  SortRows(report);
  return report;
}

Result<std::string> AskGpudRaw(const GpudPlace& place, const std::string& target, Millis timeout) {
  const SystemClock clock;
  auto way = WayTo(place, clock);
  if (!way) return Error(way.error());
  gpud::Client client(**way, place.bind, place.port, gpud::Trust::kAnyone);
  return client.GetRaw(target, Deadline::After(clock, timeout));
}

}  // namespace gpumon::ctl
