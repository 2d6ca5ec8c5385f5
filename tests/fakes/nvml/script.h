// What a fake NVML library acts out: fake_nvml.h says how it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gpumon::fake_nvml {

struct Process {
  std::string kind;
  unsigned pid = 0;
  std::uint64_t bytes = 0;
  unsigned gpu_instance = 0xFFFFFFFF;
  unsigned compute_instance = 0xFFFFFFFF;
};

// A GPU, or one of its instances.
struct Thing {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::uint64_t>> numbers;
  std::map<std::string, int> errors;
  std::map<std::string, std::string> hangs;  // of a function: while this file is there
  std::vector<Process> processes;
  std::vector<Thing> instances;
};

struct XidEvent {
  std::size_t gpu = 0;
  unsigned code = 0;
  unsigned gpu_instance = 0xFFFFFFFF;
};

struct Script {
  Thing system;
  bool live = false;
  unsigned generation = 0;
  std::vector<XidEvent> xids;
  std::map<unsigned, std::string> commands;
  std::vector<Thing> gpus;
};

// Of the file that FAKE_NVML_SCRIPT names; without one there is no GPU.
Script ReadScript();

}  // namespace gpumon::fake_nvml
