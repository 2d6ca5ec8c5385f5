// What runs on the synthetic fleet: kinds of pods, who starts them and what `ps` shows of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gpumon::exporter {

struct WorkloadKind {
  std::string_view name;
  std::string_view name_space;
  std::string_view container;
  std::string_view image;
  std::string_view owner_kind;  // Job, ReplicaSet or StatefulSet
  std::string_view process_name;
  // `{secret}` stands for a made-up credential, so that masking has something to mask.
  std::string_view command;
  // The load moves between these two; never 0, so that what it adds up to grows all the time.
  double load_low = 0;
  double load_high = 0;
  int processes = 1;  // on each GPU
};

std::span<const WorkloadKind> WorkloadKinds();
// The kinds that stand on a GPU for a day at a time.
const WorkloadKind& ServingKind();   // a busy model server
const WorkloadKind& NotebookKind();  // an interactive session

std::string_view UserOf(std::uint64_t hash);
std::string CommandOf(const WorkloadKind& kind, std::uint64_t hash);

// A number in [0-9a-z], at least one character.
std::string Base36(std::uint64_t number);
std::string RandomSuffix(std::uint64_t hash);  // five characters, as Kubernetes appends
// An RFC 4122 shaped text.
std::string UuidOf(std::uint64_t hash);

}  // namespace gpumon::exporter
