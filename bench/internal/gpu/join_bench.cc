// Six decoded answers of N GPUs, or three of N processes, into one Snapshot.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/internal/gpu/allocations.h"
#include "internal/gpu/join.h"
#include "internal/prom/decode.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {
namespace {

constexpr std::size_t kGpusPerNode = 8;

std::string AsText(std::string_view text) {
  return std::string(text);
}
std::string AsText(std::size_t number) {
  return std::to_string(number);
}
template <class... Parts>
std::string Text(const Parts&... parts) {
  std::string text;
  ((text += AsText(parts)), ...);
  return text;
}

std::string PodLabels(std::size_t gpu) {
  return Text(R"("exported_container":"trainer-)", gpu % 3, R"(","exported_namespace":"team-)",
              gpu % 40, R"(","exported_pod":"pretrain-llm-)", gpu / 64, "-worker-", gpu % 64, "\"");
}
std::string NodeLabels(std::size_t node) {
  return Text(R"("instance":"10.)", node / 250, ".0.", node % 250,
              R"(:9432","job":"gpu-exporter","node":"gpu-node-)", 10000 + node, ".dc", node % 4,
              R"(.example.internal")");
}
std::string GpuLabels(std::size_t gpu) {
  return Text(R"("gpu":")", gpu % kGpusPerNode, R"(","gpu_name":"NVIDIA H100 80GB HBM3")");
}
std::string Uuid(std::size_t gpu) {
  return Text(R"("uuid":"GPU-)", 10000000 + gpu * 7919 % 90000000, "-1c5f-4f0b-9d3e-",
              100000000000 + gpu, "\"");
}
std::string Value(std::size_t i) {
  return Text(R"(},"value":[1704110400.5,")", i % 97, ".", i % 10, "\"]}");
}

// As Prometheus writes them: label names sorted.
std::string GpuSeries(const std::string& metric, std::size_t gpu) {
  return Text(R"({"metric":{"__name__":")", metric, "\",", PodLabels(gpu), ",", GpuLabels(gpu), ",",
              NodeLabels(gpu / kGpusPerNode), ",", Uuid(gpu), Value(gpu));
}
std::string ProcessSeries(const std::string& metric, std::size_t i) {
  const std::size_t gpu = i / 2;
  return Text(R"({"metric":{"__name__":")", metric,
              R"(","command":"python -m torch.distributed.run --nproc_per_node=8 train.py )",
              "--config /mnt/configs/run-", gpu / 64, ".yaml --seed ", gpu % 8, "\",",
              PodLabels(gpu), ",", GpuLabels(gpu), ",", NodeLabels(gpu / kGpusPerNode),
              R"(,"pid":")", 10000 + i * 7, R"(","process_name":"python3","user":"ml",)", Uuid(gpu),
              Value(i));
}

struct Answers {
  std::vector<prom::InstantVector> vectors;
  std::size_t bytes = 0;
};

template <class Series>
void AddAnswer(Answers& answers, std::size_t rows, const std::string& metric, Series series) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < rows; ++i) lines.push_back(series(metric, i));
  std::sort(lines.begin(), lines.end());  // label order, which is not the order of the rows
  std::string body = R"({"status":"success","data":{"resultType":"vector","result":[)";
  for (const std::string& line : lines) {
    if (&line != &lines.front()) body += ',';
    body += line;
  }
  body += "]}}";
  answers.bytes += body.size();
  auto decoded = prom::Decode(std::move(body));
  if (!decoded) std::abort();
  answers.vectors.push_back(std::get<prom::InstantVector>(std::move(decoded->value)));
}

const schema::Exporter& NvidiaGpu() {
  return *schema::Registry::BuiltIn().Find("nvidia_gpu");
}

// The metrics that the requirement names.
std::vector<std::size_t> OwnMetrics(const std::vector<schema::Metric>& metrics) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].own_query) own.push_back(i);
  }
  return own;
}

template <class RowT>
void Run(benchmark::State& state, const Answers& answers, CommandStyle commands) {
  const std::array exporters = {&NvidiaGpu()};
  UnitEvidence evidence;
  const auto samples = state.range(0) * static_cast<std::int64_t>(answers.vectors.size());
  const bench::Allocations before = bench::CountAllocations();
  for (auto _ : state) {
    Join<RowT> join(exporters, evidence, 1704110400.5);
    for (std::size_t metric = 0; metric < answers.vectors.size(); ++metric) {
      join.Add(0, answers.vectors[metric], metric);
    }
    benchmark::DoNotOptimize(join.Finish(commands));
  }
  bench::ReportAllocations(state, before);
  state.SetItemsProcessed(state.iterations() * samples);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(answers.bytes));
}

void JoinGpus(benchmark::State& state) {
  Answers answers;
  for (const std::size_t metric : OwnMetrics(NvidiaGpu().gpu)) {
    AddAnswer(answers, static_cast<std::size_t>(state.range(0)), NvidiaGpu().gpu[metric].name,
              GpuSeries);
  }
  Run<models::GpuMetrics>(state, answers, CommandStyle::kRedacted);
}
BENCHMARK(JoinGpus)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void JoinProcesses(benchmark::State& state, CommandStyle commands) {
  Answers answers;
  for (const auto& metric : NvidiaGpu().process) {
    AddAnswer(answers, static_cast<std::size_t>(state.range(0)), metric.name, ProcessSeries);
  }
  Run<models::GpuProcess>(state, answers, commands);
}
BENCHMARK_CAPTURE(JoinProcesses, full, CommandStyle::kFull)
    ->Arg(2000)
    ->Arg(20'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(JoinProcesses, redacted, CommandStyle::kRedacted)
    ->Arg(2000)
    ->Arg(20'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gpumon::gpu
