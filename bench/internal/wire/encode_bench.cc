// A Snapshot of N GPUs or processes into the JSON, CSV and gzip that clients get.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/internal/gpu/allocations.h"
#include "internal/http/encoding.h"
#include "internal/wire/encode.h"
#include "internal/wire/table.h"

namespace gpumon::wire {
namespace {

using models::ProcessQuantity;
using models::Quantity;
using models::Text;

template <class RowT>
RowT BaseRow(models::Arena& arena, std::size_t i) {
  RowT row;
  row.set_text(Text::kNode, arena.Keep("gpu-node-" + std::to_string(10000 + i / 8)));
  row.set_text(Text::kGpuId, arena.Keep(std::to_string(i % 8)));
  row.set_text(Text::kGpuName, "NVIDIA H100 80GB HBM3");
  row.set_text(Text::kUuid, arena.Keep("GPU-1a2b3c4d-0000-1111-2222-" + std::to_string(i)));
  row.set_text(Text::kNamespace, "research");
  row.set_text(Text::kPod, arena.Keep("train-" + std::to_string(i / 64) + "-0"));
  row.set_text(Text::kContainer, "trainer");
  row.set_text(Text::kSource, "nvidia_gpu");
  row.gpu_index = static_cast<std::int32_t>(i % 8);
  row.newest = row.oldest = 1704110400.125;
  return row;
}

models::Snapshot Gpus(std::size_t n) {
  models::Snapshot snapshot;
  snapshot.as_of = 1704110401;
  snapshot.gpus.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    auto row = BaseRow<models::GpuMetrics>(snapshot.arena, i);
    for (std::size_t slot = 0; slot < models::kQuantities; ++slot) {
      row.readings.Set(slot, static_cast<double>(i * 31 % 1000) / 10);
    }
    const auto used = static_cast<double>(i * 7919 % 81920) * 1048576;
    row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), used);
    row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryTotal), 85899345920);
    row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryFree), 85899345920 - used);
    snapshot.gpus.push_back(row);
  }
  return snapshot;
}

models::Snapshot Processes(std::size_t n) {
  models::Snapshot snapshot;
  snapshot.part = models::Part::kProcesses;
  snapshot.as_of = 1704110401;
  snapshot.processes.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    auto row = BaseRow<models::GpuProcess>(snapshot.arena, i / 2);
    row.set_text(Text::kProcessName, "python3");
    row.set_text(Text::kUser, "ml");
    row.set_text(Text::kCommand, "python -m torch.distributed.run --nproc_per_node=8 train.py");
    row.pid = static_cast<std::int64_t>(10000 + i);
    row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kGpuMemory), 34359738368);
    row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kCpu), 187.4);
    row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kMemory), 2.6);
    snapshot.processes.push_back(row);
  }
  return snapshot;
}

template <class Make>
void Measure(benchmark::State& state, const models::Snapshot& snapshot, Make make) {
  std::size_t bytes = 0;
  const auto before = bench::CountAllocations();
  for (auto _ : state) {
    const Table table(snapshot);
    const std::string body = make(table, WholePage(table));
    bytes = body.size();
    benchmark::DoNotOptimize(body.data());
  }
  bench::ReportAllocations(state, before);
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

std::string Json(const Table& table, const Page& page) {
  return EncodeList(table, page, "GPU metrics retrieved successfully").body;
}

void BM_Encode_Gpus(benchmark::State& state) {
  Measure(state, Gpus(static_cast<std::size_t>(state.range(0))), Json);
}
void BM_Encode_Processes(benchmark::State& state) {
  Measure(state, Processes(static_cast<std::size_t>(state.range(0))), Json);
}
void BM_Encode_GpusAsCsv(benchmark::State& state) {
  Measure(state, Gpus(static_cast<std::size_t>(state.range(0))),
          [](const Table& table, const Page& page) { return EncodeCsv(table, page).body; });
}
void BM_Encode_GpusGzipped(benchmark::State& state) {
  const auto snapshot = Gpus(static_cast<std::size_t>(state.range(0)));
  const Table table(snapshot);
  const std::string body = Json(table, WholePage(table));
  for (auto _ : state) benchmark::DoNotOptimize(http::Gzip(body));
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

BENCHMARK(BM_Encode_Gpus)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Encode_Processes)->Arg(2000)->Arg(20'000)->Arg(200'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Encode_GpusAsCsv)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Encode_GpusGzipped)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gpumon::wire
