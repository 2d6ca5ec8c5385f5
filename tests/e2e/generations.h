// A fleet whose samples all say of which scrape and of which GPU they are: an answer that mixes two
// of either shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "internal/base/clock.h"
#include "internal/json/document.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {

// Of four nodes, two each; one process on each.
inline constexpr std::size_t kGenerationGpus = 8;
// From one scrape to the next.
inline constexpr Millis kGenerationTime{100};

// What Prometheus answers at the instant it is asked for; `later` than that, it is wrong.
fault::Reply GenerationReply(const fault::Request& request, Millis later = Millis(0));

// What a list of GPUs or of processes is made of.
struct Reading {
  std::string wrong;  // how its rows cannot be of one scrape and of their GPUs; "": they are
  std::int64_t generation = -1;  // -1: no row tells
  std::size_t rows = 0;
  std::size_t nulls = 0;  // values that are not known
  bool stale = false;
  bool partial = false;
  WallTime as_of{};
};
Reading ReadGenerations(const json::Value& document);

}  // namespace gpumon::e2e
