// What a scrape costs before compression: bytes/s of text and GPUs/s.
#include <benchmark/benchmark.h>

#include "bench/internal/gpu/allocations.h"
#include "internal/exporter/demo_collector.h"

namespace gpumon::exporter {
namespace {

// Arguments: nodes of 8 GPUs, surroundings.
void BM_Collect(benchmark::State& state) {
  const auto nodes = static_cast<int>(state.range(0));
  const DemoCollector collector(*Fleet::Make({.nodes = nodes, .gpus_per_node = 8}),
                                static_cast<Surroundings>(state.range(1)), "0");
  std::string text;
  std::int64_t millis = 1'795'345'000'000;
  const bench::Allocations before = bench::CountAllocations();
  for (auto _ : state) {
    text.clear();
    benchmark::DoNotOptimize(collector.Collect(WallTime(Millis(millis)), text));
    millis += 1000;
  }
  bench::ReportAllocations(state, before);
  state.SetItemsProcessed(state.iterations() * nodes * 8);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(BM_Collect)
    ->ArgNames({"nodes", "surroundings"})
    ->ArgsProduct({{125, 1250, 12500}, {0, 1, 2}})
    ->Unit(benchmark::kMillisecond);

void BM_MakeFleet(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Fleet::Make({.nodes = static_cast<int>(state.range(0)), .gpus_per_node = 8}));
  }
}
BENCHMARK(BM_MakeFleet)->Arg(125)->Arg(12500)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gpumon::exporter
