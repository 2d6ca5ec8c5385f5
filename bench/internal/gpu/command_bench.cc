#include "internal/gpu/command.h"

#include <benchmark/benchmark.h>

#include <string>

#include "bench/internal/gpu/allocations.h"

namespace gpumon::gpu {
namespace {

void Show(benchmark::State& state, const std::string& command) {
  const bench::Allocations before = bench::CountAllocations();
  for (auto _ : state) {
    benchmark::DoNotOptimize(ShowCommand(command, CommandStyle::kRedacted));
  }
  bench::ReportAllocations(state, before);
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(command.size()));
}
BENCHMARK_CAPTURE(Show, harmless,
                  "python -m torch.distributed.run --nproc_per_node=8 train.py --config "
                  "/mnt/configs/run-17.yaml --seed 3");
BENCHMARK_CAPTURE(Show, secrets,
                  "env HF_TOKEN=abc python -m vllm serve meta-llama/Llama-3 --api-key abc123 "
                  "--dsn postgres://u:p@h/db");

}  // namespace
}  // namespace gpumon::gpu
