#include "tests/e2e/scripted_fleet.h"

#include <algorithm>

namespace gpumon::e2e {
namespace {

struct MetricRow {
  const char* name;
  const char* value;
};
constexpr MetricRow kGpuMetrics[] = {{"nvidia_gpu_utilization_percent", "75.5"},
                                     {"nvidia_gpu_used_memory_bytes", "8589934592"},
                                     {"nvidia_gpu_total_memory_bytes", "17179869184"},
                                     {"nvidia_gpu_free_memory_bytes", "8589934592"},
                                     {"nvidia_gpu_memory_utilization_percent", "50.5"},
                                     {"nvidia_gpu_temperature_celsius", "65"}};
constexpr MetricRow kProcessMetrics[] = {{"nvidia_gpu_process_gpu_memory_bytes", "1073741824"},
                                         {"nvidia_gpu_process_cpu_percent", "8.5"},
                                         {"nvidia_gpu_process_memory_percent", "15.2"}};

fault::Reply GpuVector(const std::string& time, const std::string& value) {
  std::string samples;
  for (std::size_t i = 0; i < kScriptedGpus; ++i) {
    const std::string labels = R"("gpu":")" + std::to_string(i % 2) +
                               R"(","gpu_name":"T","node":"n)" + std::to_string(i / 2) + '"';
    samples += (i == 0 ? "" : ",") + SampleText(labels, time, value);
  }
  return VectorOf(samples);
}

fault::Reply ProcessVector(const std::string& time, const std::string& value) {
  return VectorOf(SampleText(R"("command":"python train.py","gpu":"0","node":"n0","pid":"1234",)"
                             R"("process_name":"python","user":"alice")",
                             time, value));
}

// Of a range: the utilization of every GPU at each step; of all else nothing.
fault::Reply Matrix(const fault::Request& request) {
  std::string series;
  if (request.Param("query").find("nvidia_gpu_utilization_percent") != std::string::npos) {
    const double end = std::stod(request.Param("end"));
    const double step = std::stod(request.Param("step"));
    std::string values;
    for (double at = std::stod(request.Param("start")); at <= end; at += step) {
      values.append(values.empty() ? "[" : ",[").append(std::to_string(at)).append(R"(,"75.5"])");
    }
    for (std::size_t i = 0; i < kScriptedGpus; ++i) {
      series += std::string(i == 0 ? "" : ",") +
                R"({"metric":{"__name__":"nvidia_gpu_utilization_percent","gpu":")" +
                std::to_string(i % 2) + R"(","gpu_name":"T","node":"n)" + std::to_string(i / 2) +
                R"("},"values":[)" + values + "]}";
    }
  }
  return fault::Json(R"({"status":"success","data":{"resultType":"matrix","result":[)" + series +
                     "]}}");
}

}  // namespace

std::string SampleText(const std::string& labels, const std::string& time,
                       const std::string& value) {
  return R"({"metric":{)" + labels + R"(},"value":[)" + time + ",\"" + value + "\"]}";
}

fault::Reply VectorOf(const std::string& samples) {
  return fault::Json(R"({"status":"success","data":{"resultType":"vector","result":[)" + samples +
                     "]}}");
}

bool IsProbe(const fault::Request& request) {
  return request.Param("query") == "vector(1)";
}

bool Asks(const fault::Request& request, const std::string& metric) {
  const std::string query = request.Param("query");
  return query == metric || query.rfind(metric + '{', 0) == 0;
}

fault::Reply FleetReply(const fault::Request& request) {
  if (!request.Param("step").empty()) return Matrix(request);
  const std::string time = request.Param("time");
  for (const auto& [name, value] : kGpuMetrics) {
    if (Asks(request, name)) return GpuVector(time, value);
  }
  for (const auto& [name, value] : kProcessMetrics) {
    if (Asks(request, name)) return ProcessVector(time, value);
  }
  const std::string query = request.Param("query");
  if (query.rfind("count_values", 0) == 0) {  // all of one scrape
    return VectorOf(SampleText(R"("t":")" + time + '"', time, "1") + ',' +
                    SampleText(R"("t":"up")", time, time));
  }
  if (query.find("timestamp(") != std::string::npos) {
    return query.find("nvidia_gpu_process_") == std::string::npos ? GpuVector(time, time)
                                                                  : ProcessVector(time, time);
  }
  return VectorOf(SampleText("", time, "1"));
}

std::size_t GpuRefreshes(const fault::FaultServer& server) {
  const auto requests = server.requests();
  return static_cast<std::size_t>(std::count_if(
      requests.begin(), requests.end(),
      [](const fault::Request& request) { return Asks(request, kGpuMetrics[0].name); }));
}

}  // namespace gpumon::e2e
