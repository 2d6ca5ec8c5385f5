#include "internal/checks/all_smi.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include "internal/base/text.h"
#include "internal/checks/ask.h"
#include "internal/checks/exposition_text.h"
#include "internal/fetch/client.h"
#include "internal/fetch/url.h"
#include "internal/nvml/process_name.h"

namespace gpumon::checks {
namespace {

using models::Quantity;

// A host of many GPUs and processes says more than a service says of itself.
constexpr std::size_t kMostMetrics = std::size_t{8} << 20U;
constexpr std::string_view kPrefix = "all_smi_";

struct Series {
  std::string_view name;
  Quantity to;
  bool may_be_zero;  // in the older generation too
};
constexpr std::array kSeries = {
    Series{"all_smi_gpu_utilization", Quantity::kUtilization, true},
    Series{"all_smi_gpu_memory_used_bytes", Quantity::kMemoryUsed, true},
    Series{"all_smi_gpu_memory_total_bytes", Quantity::kMemoryTotal, false},
    Series{"all_smi_gpu_temperature_celsius", Quantity::kTemperature, false},
    Series{"all_smi_gpu_power_consumption_watts", Quantity::kPower, false},
    Series{"all_smi_gpu_power_limit_current_watts", Quantity::kPowerLimit, false},
    Series{"all_smi_gpu_frequency_mhz", Quantity::kSmClock, false},
    Series{"all_smi_gpu_performance_state", Quantity::kPstate, true},
};

std::string_view EitherLabel(const TextSample& sample, std::string_view name,
                             std::string_view older) {
  const std::string_view value = sample.Label(name);
  return value.empty() ? sample.Label(older) : value;
}

template <class T>
std::optional<T> IntegerOf(std::string_view text) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::string Shown(std::string_view text) {
  return ReplaceHidden(text, "?");
}

class Reader {
 public:
  void Take(const TextSample& sample) {
    if (sample.name == "all_smi_process_memory_used_bytes") {
      processes_.push_back(&sample);
    } else if (sample.name.starts_with("all_smi_gpu_")) {
      TakeOfGpu(sample);
    }
  }

  AllSmiAnswer Finish() {
    for (const TextSample* const sample : processes_) TakeProcess(*sample);
    std::stable_sort(answer_.gpus.begin(), answer_.gpus.end(),
                     [](const AllSmiGpu& a, const AllSmiGpu& b) {
                       return std::tie(a.host, a.index) < std::tie(b.host, b.index);
                     });
    return std::move(answer_);
  }

 private:
  AllSmiGpu* Find(const TextSample& sample, std::string_view uuid, std::optional<unsigned> index) {
    const std::string_view host = sample.Label("instance");
    for (AllSmiGpu& gpu : answer_.gpus) {
      // Processes come without a host.
      if (!host.empty() && gpu.host != Shown(host)) continue;
      if (uuid.empty() ? index == gpu.index : gpu.uuid && *gpu.uuid == uuid) return &gpu;
    }
    return nullptr;
  }

  AllSmiGpu* FindOrAdd(const TextSample& sample) {
    const std::string_view uuid = EitherLabel(sample, "gpu_uuid", "uuid");
    const auto index = IntegerOf<unsigned>(EitherLabel(sample, "gpu_index", "index"));
    if (uuid.empty() && !index) return nullptr;
    if (AllSmiGpu* const known = Find(sample, uuid, index); known != nullptr) return known;
    AllSmiGpu& gpu = answer_.gpus.emplace_back();
    gpu.host = Shown(sample.Label("instance"));
    gpu.index = index.value_or(static_cast<unsigned>(answer_.gpus.size() - 1));
    if (!uuid.empty()) gpu.uuid = Shown(uuid);
    const std::string_view name = sample.Label("gpu");
    if (!name.empty()) gpu.name = Shown(name);
    return &gpu;
  }

  void TakeOfGpu(const TextSample& sample) {
    AllSmiGpu* const gpu = FindOrAdd(sample);
    if (gpu == nullptr) return;
    if (sample.name == "all_smi_gpu_info") {
      if (const auto text = sample.Label("driver_version"); !text.empty()) {
        gpu->software.driver_version = Shown(text);
      }
      if (const auto text = sample.Label("cuda_version"); !text.empty()) {
        gpu->software.cuda_version = Shown(text);
      }
    }
    const bool is_older = sample.Label("gpu_index").empty();
    for (const Series& series : kSeries) {
      if (sample.name != series.name) continue;
      if (is_older && sample.value == 0 && !series.may_be_zero) continue;
      gpu->values[series.to] = sample.value;
    }
  }

  void TakeProcess(const TextSample& sample) {
    const auto pid = IntegerOf<std::uint32_t>(sample.Label("pid"));
    AllSmiGpu* const gpu = Find(sample, sample.Label("device_uuid"),
                                IntegerOf<unsigned>(EitherLabel(sample, "gpu_index", "device_id")));
    if (!pid || gpu == nullptr) return;
    nvml::Process process;
    process.pid = *pid;
    process.name = nvml::ProgramNameOf(sample.Label("name"));
    if (sample.value >= 0) process.used_memory = static_cast<std::uint64_t>(sample.value);
    auto processes = gpu->processes.ValueOr({});
    processes.push_back(std::move(process));
    gpu->processes = std::move(processes);
  }

  AllSmiAnswer answer_;
  std::vector<const TextSample*> processes_;  // known GPUs first
};

std::string MetricsUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/metrics") ? url : url + "/metrics";
}

Result<std::string> Fetch(const std::string& url, const Clock& clock, Deadline deadline,
                          std::vector<std::string>& steps) {
  auto client = fetch::MakeClient({}, clock);
  if (!client) return Error(client.error());
  fetch::Request request;
  request.url = url;
  request.max_response_bytes = kMostMetrics;
  auto response = Ask(**client, std::move(request), clock, deadline, steps);
  if (!response) return Error(response.error());
  if (response->status != 200) {
    return Error(Code::kUpstreamError, "it answered " + std::to_string(response->status));
  }
  return std::move(response->body);
}

}  // namespace

Result<AllSmiAnswer> ReadAllSmi(std::string_view text) {
  const ExpositionText exposition = ReadExposition(text);
  Reader reader;
  bool is_all_smi = false;
  for (const TextSample& sample : exposition.samples) {
    is_all_smi |= sample.name.starts_with(kPrefix);
    if (sample.name == "all_smi_up" && sample.value == 0) {
      return Error(Code::kUpstreamNotReady, "it has measured nothing yet");
    }
    reader.Take(sample);
  }
  if (!is_all_smi) return Error(Code::kUpstreamInvalid, "it has no metric of all-smi");
  AllSmiAnswer answer = reader.Finish();
  if (answer.gpus.empty()) return Error(Code::kNotFound, "it shows no GPU");
  return answer;
}

Result<AllSmiAnswer> AskAllSmi(const std::string& url, const Clock& clock, Deadline deadline,
                               std::vector<std::string>& steps) {
  const std::string at = MetricsUrl(url);
  const auto fail = [&at](const gpumon::Status& why) {
    return Error(why.code, "all-smi at " + fetch::RedactUrl(at) + ": " + why.message);
  };
  const auto body = Fetch(at, clock, deadline, steps);
  if (!body) return fail(body.error());
  auto answer = ReadAllSmi(*body);
  if (!answer) {
    steps.push_back("read its metrics: " + answer.error().message);
    return fail(answer.error());
  }
  steps.push_back("read its metrics: " + std::to_string(answer->gpus.size()) + " GPUs");
  return answer;
}

}  // namespace gpumon::checks
