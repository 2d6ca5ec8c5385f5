#include "internal/exporter/workload_kind.h"

#include <array>
#include <cstddef>
#include <cstdio>

#include "internal/exporter/curves.h"

namespace gpumon::exporter {
namespace {

constexpr std::array kKinds = {
    WorkloadKind{"llama-finetune", "ml-team", "trainer", "registry.example/ml/llama:2.4", "Job",
                 "/opt/conda/bin/python",
                 "python train.py --config configs/llama-8b.yaml --lr 3e-4 --token={secret}", 0.82,
                 0.99},
    WorkloadKind{"resnet-train", "vision", "trainer", "registry.example/vision/train:1.9", "Job",
                 "/usr/bin/python3",
                 "python3 -m torch.distributed.run train.py --data /data/imagenet, shuffled", 0.6,
                 0.97},
    WorkloadKind{"diffusion", "research", "main", "registry.example/research/diffusion:0.7", "Job",
                 "/usr/bin/python3", "python3 -c \"import diffusers; print(\\\"warm\\\")\"", 0.7,
                 0.98},
    WorkloadKind{
        "bert-eval", "nlp", "eval", "registry.example/nlp/eval:3.1", "Job", "/usr/bin/bash",
        "bash -c set -e\nexport HF_TOKEN={secret}\npython eval.py --out C:\\results", 0.25, 0.75},
    WorkloadKind{"corpus-ja", "nlp", "trainer", "registry.example/nlp/ja:1.0", "Job",
                 "/usr/bin/python3", "python3 学習.py --データ corpus.txt --password {secret}", 0.5,
                 0.95},
    WorkloadKind{"vllm", "serving", "server", "registry.example/serving/vllm:0.6", "ReplicaSet",
                 "/usr/local/bin/vllm", "vllm serve qwen2.5-32b --port 8000 --api-key={secret}",
                 0.35, 0.85},
    WorkloadKind{"triton", "serving", "server", "registry.example/serving/triton:24.08",
                 "ReplicaSet", "tritonserver",
                 "tritonserver --model-repository=s3://models/prod --http-port=8000", 0.15, 0.6, 2},
    WorkloadKind{"notebook", "research", "notebook", "registry.example/research/jupyter:4.2",
                 "StatefulSet", "/opt/conda/bin/python",
                 "python -m ipykernel_launcher -f /run/user/kernel.json", 0.01, 0.12, 2},
};

constexpr std::array<std::string_view, 8> kUsers = {"alice", "bob",   "carol", "dave",
                                                    "erin",  "frank", "grace", "heidi"};

}  // namespace

std::span<const WorkloadKind> WorkloadKinds() {
  return kKinds;
}
const WorkloadKind& ServingKind() {
  return kKinds[5];
}
const WorkloadKind& NotebookKind() {
  return kKinds[7];
}

std::string_view UserOf(std::uint64_t hash) {
  return kUsers[Below(hash, 1, kUsers.size())];
}

std::string CommandOf(const WorkloadKind& kind, std::uint64_t hash) {
  constexpr std::string_view kMark = "{secret}";
  std::string command(kind.command);
  const std::size_t at = command.find(kMark);
  if (at != std::string::npos) {
    command.replace(at, kMark.size(), "demo-" + Base36(Mix(hash, 2)));
  }
  return command;
}

std::string Base36(std::uint64_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
    number /= 36;
  } while (number != 0);
  return text;
}

std::string RandomSuffix(std::uint64_t hash) {
  std::string text = Base36(Mix(hash, 3) | (std::uint64_t{1} << 60U));
  return text.substr(text.size() - 5);
}

std::string UuidOf(std::uint64_t hash) {
  const std::uint64_t high = Mix(hash, 4);
  const std::uint64_t low = Mix(hash, 5);
  char text[40];
  const int n = std::snprintf(
      text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32U),
      static_cast<unsigned>((high >> 16U) & 0xFFFFU), static_cast<unsigned>(high & 0xFFFU),
      static_cast<unsigned>(0x8000U | (low >> 50U)),
      static_cast<unsigned long long>(low & 0xFFFFFFFFFFFFU));
  return {text, static_cast<std::size_t>(n)};
}

}  // namespace gpumon::exporter
