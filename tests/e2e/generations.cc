#include "tests/e2e/generations.h"

#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>

#include "internal/base/text.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"

namespace gpumon::e2e {
namespace {

using json::Value;

// A value carries its generation and its GPU: base + (generation * GPUs + GPU) / scale.
struct Carrier {
  const char* metric;
  const char* field;
  double base;
  double scale;
};
constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr std::int64_t kGenerations = 100'000;  // then they start again
constexpr double kPerPercent = 8000;            // so that the last one is below 100
constexpr Carrier kGpuCarriers[] = {
    {"nvidia_gpu_utilization_percent", "utilization", 0, kPerPercent},
    {"nvidia_gpu_used_memory_bytes", "memory_used_bytes", 8 * kGiB, 1},
    {"nvidia_gpu_total_memory_bytes", "memory_total_bytes", 16 * kGiB, 1},
    {"nvidia_gpu_free_memory_bytes", "memory_free_bytes", 4 * kGiB, 1},
    {"nvidia_gpu_memory_utilization_percent", "memory_utilization", 0, kPerPercent},
    {"nvidia_gpu_temperature_celsius", "temperature", 20, kPerPercent}};  // 0 is no measurement
constexpr Carrier kProcessCarriers[] = {
    {"nvidia_gpu_process_gpu_memory_bytes", "gpu_memory_bytes", kGiB, 1},
    {"nvidia_gpu_process_cpu_percent", "cpu", 0, kPerPercent},
    {"nvidia_gpu_process_memory_percent", "memory", 0, kPerPercent}};

std::string GpuLabels(std::size_t gpu) {
  const std::string number = std::to_string(gpu);
  return R"("gpu":")" + std::to_string(gpu % 2) + R"(","gpu_name":"T)" + number + R"(","node":"n)" +
         std::to_string(gpu / 2) + R"(","uuid":"GPU-)" + number + '"';
}

std::string ProcessLabels(std::size_t gpu) {
  const std::string number = std::to_string(gpu);
  return R"("command":"train )" + number + R"(","gpu":")" + std::to_string(gpu % 2) +
         R"(","node":"n)" + std::to_string(gpu / 2) + R"(","pid":"100)" + number +
         R"(","process_name":"p)" + number + R"(","user":"u)" + number + '"';
}

std::int64_t Milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

// One sample of each GPU or process; of the time of its scrape where there is no carrier.
fault::Reply Samples(const fault::Request& request, Millis later, const Carrier* carrier,
                     bool processes) {
  const std::string time = request.Param("time");
  const auto instant = static_cast<std::int64_t>(std::llround(std::stod(time) * 1000));
  const std::int64_t scrape = (instant + later.count()) / kGenerationTime.count();
  std::string samples;
  for (std::size_t gpu = 0; gpu < kGenerationGpus; ++gpu) {
    double value = static_cast<double>(scrape * kGenerationTime.count()) / 1000;
    if (carrier != nullptr) {
      const std::int64_t code = scrape % kGenerations * static_cast<std::int64_t>(kGenerationGpus) +
                                static_cast<std::int64_t>(gpu);
      value = carrier->base + static_cast<double>(code) / carrier->scale;
    }
    samples += (gpu == 0 ? "" : ",") + SampleText(processes ? ProcessLabels(gpu) : GpuLabels(gpu),
                                                  time, FormatNumber(value));
  }
  return VectorOf(samples);
}

// Which GPU a row says it is of; GPUs and more when it does not.
std::size_t GpuOf(const Value& row) {
  const std::string node = TextOf(row["node_name"]);
  const auto index = row["gpu_index"].AsDouble();
  if (node.size() != 2 || !index) return kGenerationGpus;
  return static_cast<std::size_t>(node[1] - '0') * 2 + static_cast<std::size_t>(*index);
}

class Reader {
 public:
  explicit Reader(Reading& reading) : reading_(reading) {}

  void ReadRow(const Value& row) {
    const std::size_t gpu = GpuOf(row);
    const bool process = row.Find("pid") != nullptr;
    if (gpu >= kGenerationGpus || !seen_.insert(gpu).second) return Wrong(row, "its place");
    const std::string number = std::to_string(gpu);
    if (process) {
      CheckText(row, "command", "train " + number);
      CheckText(row, "process_name", "p" + number);
      CheckText(row, "user", "u" + number);
      for (const Carrier& carrier : kProcessCarriers) CheckValue(row, gpu, carrier);
    } else {
      CheckText(row, "gpu_name", "T" + number);
      CheckText(row, "uuid", "GPU-" + number);
      for (const Carrier& carrier : kGpuCarriers) CheckValue(row, gpu, carrier);
    }
    const auto time = ParseTime(TextOf(row["timestamp"]));
    if (time) CheckGeneration(row, "timestamp", GenerationOf(*time));
  }

  void CheckTime() {
    if (reading_.generation >= 0 && reading_.generation != GenerationOf(reading_.as_of)) {
      reading_.wrong += "rows are not of as_of; ";
    }
  }

 private:
  static std::int64_t GenerationOf(WallTime time) {
    return Milliseconds(time) / kGenerationTime.count() % kGenerations;
  }

  void CheckText(const Value& row, const char* field, const std::string& right) {
    if (TextOf(row[field]) != right) Wrong(row, field);
  }

  void CheckValue(const Value& row, std::size_t gpu, const Carrier& carrier) {
    const auto value = row[carrier.field].AsDouble();
    if (!value) {
      ++reading_.nulls;
      return;
    }
    const std::int64_t code = std::llround((*value - carrier.base) * carrier.scale);
    constexpr auto kGpus = static_cast<std::int64_t>(kGenerationGpus);
    if (code < 0 || code % kGpus != static_cast<std::int64_t>(gpu)) {
      return Wrong(row, carrier.field);
    }
    CheckGeneration(row, carrier.field, code / kGpus);
  }

  void CheckGeneration(const Value& row, const char* field, std::int64_t generation) {
    if (reading_.generation < 0) reading_.generation = generation;
    if (generation != reading_.generation) Wrong(row, field);
  }

  void Wrong(const Value& row, const char* field) {
    reading_.wrong += std::string(field) + " of " + TextOf(row["node_name"]) + "; ";
  }

  Reading& reading_;
  std::set<std::size_t> seen_;
};

}  // namespace

fault::Reply GenerationReply(const fault::Request& request, Millis later) {
  const std::string query = request.Param("query");  // once: some are long
  const auto asks = [&query](const std::string& metric) {
    return query == metric || query.rfind(metric + '{', 0) == 0;
  };
  for (const Carrier& carrier : kGpuCarriers) {
    if (asks(carrier.metric)) return Samples(request, later, &carrier, false);
  }
  for (const Carrier& carrier : kProcessCarriers) {
    if (asks(carrier.metric)) return Samples(request, later, &carrier, true);
  }
  if (query.rfind("count_values", 0) != 0 && query.find("timestamp(") != std::string::npos) {
    const bool processes = query.find("nvidia_gpu_process_") != std::string::npos;
    return Samples(request, later, nullptr, processes);
  }
  return FleetReply(request);
}

Reading ReadGenerations(const Value& document) {
  Reading reading;
  if (!document.is_object()) {
    reading.wrong = "no JSON";
    return reading;
  }
  const Value& meta = document["meta"];
  reading.stale = meta["stale"].AsBool().value_or(false);
  reading.partial = meta["partial"].AsBool().value_or(false);
  reading.as_of = ParseTime(TextOf(meta["as_of"])).value_or(WallTime{});
  reading.rows = document["data"].size();
  Reader reader(reading);
  for (const Value& row : document["data"].elements()) reader.ReadRow(row);
  reader.CheckTime();
  return reading;
}

}  // namespace gpumon::e2e
