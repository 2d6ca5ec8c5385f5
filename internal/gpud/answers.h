// What a GPUd says of its host, as its API really answers (v0.5.1 and later).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::gpud {

struct State {
  std::string component;  // "accelerator-nvidia-temperature"
  std::string health;     // "Healthy", "Unhealthy", "Degraded", "Initializing", or what it says
  std::string reason;
  std::vector<std::string> actions;  // "REBOOT_SYSTEM"
  std::optional<WallTime> time;
};

struct Event {
  std::string component;
  WallTime time{};
  std::string type;  // "Unknown", "Info", "Warning", "Critical", "Fatal"
  std::string message;
};

// The newest value of a series.
struct Metric {
  std::string name;
  std::string uuid;   // of the GPU; "" when it is none's
  std::string label;  // the value of its only other label: mount point, load duration
  double value = 0;
  WallTime time{};
};

struct Gpu {
  std::string uuid;
  std::string bus_id;
  std::optional<int> index;
};

struct Machine {
  std::string version;  // of GPUd
  std::string hostname;
  std::string product;  // of its GPUs
  std::vector<Gpu> gpus;
  // gpuDriverVersion, cudaVersion, kernelVersion and the like: plain texts, by GPUd's names.
  std::vector<std::pair<std::string, std::string>> facts;
};

// Each takes the body of one answer. kUpstreamInvalid, saying what it is instead, when it is not
// JSON or not of that kind; null is an empty answer, and an element that cannot be read is passed
// over unless all are such. A component without states is one State without a health.
Result<std::vector<State>> ReadStates(std::string_view body);
Result<std::vector<Event>> ReadEvents(std::string_view body);
Result<std::vector<Metric>> ReadMetrics(std::string_view body);
Result<Machine> ReadMachine(std::string_view body);
// Of an answer of metrics: every value of this one that there is.
Result<std::vector<Metric>> ReadAll(std::string_view body, std::string_view name);

// GPUd writes milliseconds into fields that it calls seconds; other versions may not.
WallTime TimeOfNumber(double number);

}  // namespace gpumon::gpud
