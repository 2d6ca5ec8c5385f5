#include "internal/exporter/live_collector.h"

#include <optional>
#include <string_view>
#include <utility>

#include "internal/base/log.h"
#include "internal/exporter/exposition.h"
#include "internal/exporter/holders.h"
#include "internal/exporter/live_page.h"

namespace gpumon::exporter {
namespace {

constexpr Millis kHoldersLimit{1000};
constexpr MetricType kGauge = MetricType::kGauge;

// What the exporter says of itself.
void WriteSelf(const LiveOptions& options, const DriverLook& look,
               const std::optional<bool>& kubelet, Exposition& out) {
  std::string labels;
  AppendLabel(labels, "demo", "false");
  AppendLabel(labels, "version", options.version);
  AppendLabel(labels, "source", look.source);
  std::string node;
  AppendLabel(node, "node", options.node);
  out.Begin({"gpu_exporter_info", kGauge,
             "The exporter itself; source says who is asked first: nvml or nvidia-smi."});
  out.Sample(labels, 1);
  const auto write = [&](const Family& family, double value) {
    out.Begin(family);
    out.Sample(node, value);
  };
  write({"gpu_exporter_up", kGauge, "1 when the driver told all; else GPUs have no samples."},
        !look.error && !look.hanging ? 1 : 0);
  write({"gpu_exporter_driver_hanging", kGauge, "1 when the driver did not answer in time."},
        look.hanging ? 1 : 0);
  if (look.age) {
    write({"gpu_exporter_last_read_age_seconds", kGauge,
           "Since the driver told all, in seconds. What it told then is not shown."},
          std::chrono::duration<double>(*look.age).count());
  }
  write({"gpu_exporter_driver_reopened_total", MetricType::kCounter,
         "How often NVML was started again, after a driver reset or for a lost GPU."},
        static_cast<double>(look.reopened));
  if (kubelet) {
    write({"gpu_exporter_kubelet_up", kGauge, "1 when the kubelet told whose the GPUs are."},
          *kubelet ? 1 : 0);
  }
  if (look.gpus.empty()) return;
  out.Begin({"gpu_exporter_gpu_up", kGauge, "0 of a GPU that is lost to the driver."});
  for (const auto& seen : look.gpus) {
    std::string more;
    AppendLabel(more, "gpu", std::int64_t{seen->gpu.index});
    if (seen->gpu.uuid) AppendLabel(more, "uuid", *seen->gpu.uuid);
    out.Sample(node, more, seen->lost ? 0 : 1);
  }
}

// Which values are nvidia-smi's: all others are those of the source.
void WriteFromSmi(const LiveOptions& options, const DriverLook& look, Exposition& out) {
  bool begun = false;
  for (const auto& seen : look.gpus) {
    for (std::size_t i = 0; i < nvml::kSmiColumns.size(); ++i) {
      if (!seen->from_smi[i]) continue;
      if (!std::exchange(begun, true)) {
        out.Begin({"gpu_exporter_nvidia_smi_tells", kGauge,
                   "1 of a value that NVML lacks and nvidia-smi tells, by its name there."});
      }
      std::string labels;
      AppendLabel(labels, "node", options.node);
      AppendLabel(labels, "gpu", std::int64_t{seen->gpu.index});
      AppendLabel(labels, "uuid", seen->gpu.uuid.ValueOr(""));
      AppendLabel(labels, "column", nvml::kSmiColumns[i].name);
      out.Sample(labels, 1);
    }
  }
}

std::string TroubleOf(const DriverLook& look) {
  if (look.hanging) return "the driver does not answer; look for NVRM messages in dmesg";
  if (look.error) return look.error->message;
  std::string lost;
  for (const auto& seen : look.gpus) {
    if (seen->lost) lost += (lost.empty() ? "" : ", ") + std::to_string(seen->gpu.index);
  }
  return lost.empty() ? "" : "lost GPUs: " + lost + "; look for Xid errors in dmesg";
}

}  // namespace

LiveCollector::LiveCollector(LiveOptions options)
    : options_(std::move(options)), reader_(options_.reader) {}

DriverLook LiveCollector::Look() const {
  DriverLook look = reader_.Look(Deadline::After(clock_, options_.read_limit));
  Note(look);
  return look;
}

void LiveCollector::Note(const DriverLook& look) const {
  const std::string trouble = TroubleOf(look);
  MutexLock lock(mutex_);
  if (trouble == trouble_) return;
  if (trouble.empty()) {
    log::Info("the driver tells all again", {{"gpus", look.gpus.size()}});
  } else {
    log::Warning("the driver does not tell all", {{"message", trouble}});
  }
  trouble_ = trouble;
}

// Where there is no socket there is no kubelet.
void LiveCollector::NoteKubelet(const Result<std::vector<models::DeviceHolder>>& told) const {
  const bool is_there = told || told.error().code != Code::kNotFound;
  const std::string trouble = told || !is_there ? "" : told.error().message;
  MutexLock lock(mutex_);
  if (trouble == kubelet_trouble_) return;
  if (!trouble.empty()) {
    log::Warning("the kubelet does not tell whose the GPUs are", {{"message", trouble}});
  } else if (told) {
    log::Info("the kubelet tells whose the GPUs are again", {{"containers", told->size()}});
  }
  kubelet_trouble_ = trouble;
}

Result<void> LiveCollector::FindGpus() const {
  DriverLook look = reader_.Look(Deadline::After(clock_, options_.read_limit));
  const bool is_absent =
      look.error && (look.error->code == Code::kNotFound || look.error->code == Code::kForbidden);
  if (is_absent) return Error(*std::move(look.error));
  Note(look);
  if (!look.error && !look.hanging) {
    log::Info("found GPUs", {{"gpus", look.gpus.size()},
                             {"source", look.source},
                             {"driver", look.software.driver_version.ValueOr("")}});
  }
  return {};
}

Result<void> LiveCollector::Collect(WallTime, std::string& out) const {
  const DriverLook look = Look();
  std::vector<models::DeviceHolder> containers;
  std::optional<bool> kubelet;
  if (options_.holders && !look.gpus.empty()) {
    auto told = options_.holders(Deadline::After(clock_, kHoldersLimit));
    NoteKubelet(told);
    if (told || told.error().code != Code::kNotFound) kubelet = told.has_value();
    if (told) containers = *std::move(told);
  }
  const Holders holders(std::move(containers),
                        options_.pod_logs.empty() ? PodNames() : ReadPodNames(options_.pod_logs));
  Exposition text(out);
  WriteSelf(options_, look, kubelet, text);
  WriteFromSmi(options_, look, text);
  WriteLivePage(options_.node, look, holders, text);
  return {};
}

}  // namespace gpumon::exporter
