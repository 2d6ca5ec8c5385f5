// The bodies of one instant and one range answer into values.
#include "internal/prom/decode.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "bench/internal/gpu/allocations.h"

namespace gpumon::prom {
namespace {

// Eight labels, as an exporter in a cluster gives them.
std::string Metric(std::size_t i) {
  std::array<char, 400> text{};
  const int size = std::snprintf(
      text.data(), text.size(),
      R"({"metric":{"__name__":"nvidia_gpu_memory_used_bytes","gpu":"%zu",)"
      R"("gpu_name":"NVIDIA H100 80GB HBM3","instance":"10.0.%zu.%zu:9432","job":"gpu-exporter",)"
      R"("node":"gpu-node-%05zu","uuid":"GPU-%08zx-1c5f-4f0b-9d3e-0123456789ab",)"
      R"("zone":"eu-west-1a"},)",
      i % 8, i / 8 / 250, i / 8 % 250, i / 8, i * 7919);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string Body(const char* type, std::size_t series, std::size_t points) {
  std::string body =
      R"({"status":"success","data":{"resultType":")" + std::string(type) + R"(","result":[)";
  for (std::size_t i = 0; i < series; ++i) {
    if (i > 0) body += ',';
    body += Metric(i);
    body += points == 0 ? R"("value":)" : R"("values":[)";
    for (std::size_t p = 0; p < points || p == 0; ++p) {
      if (p > 0) body += ',';
      body += "[" + std::to_string(1704110400 + 15 * p) + R"(.123,")" +
              std::to_string((17179869184 + i * 1048576 + p * 4096) % 85899345920) + "\"]";
    }
    body += points == 0 ? "}" : "]}";
  }
  return body + "]}}";
}

// `items` per answer. The copy of the body that each turn needs is neither timed nor counted.
void Run(benchmark::State& state, const std::string& body, std::size_t items) {
  bench::Allocations before = bench::CountAllocations();
  for (auto _ : state) {
    state.PauseTiming();
    std::string copy = body;
    before.count += 1;
    before.bytes += body.size() + 1;
    state.ResumeTiming();
    Result<QueryResult> result = Decode(std::move(copy));
    if (!result) std::abort();
    benchmark::DoNotOptimize(result);
  }
  bench::ReportAllocations(state, before);
  const auto turns = static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(turns * static_cast<double>(body.size())));
  state.SetItemsProcessed(static_cast<std::int64_t>(turns * static_cast<double>(items)));
}

void DecodeVector(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  Run(state, Body("vector", series, 0), series);
}
BENCHMARK(DecodeVector)->Arg(1000)->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);

void DecodeMatrix(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kPoints = 240;
  Run(state, Body("matrix", series, kPoints), series * kPoints);
}
BENCHMARK(DecodeMatrix)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gpumon::prom
