// A terminal that a program fills.
#pragma once

#include <string>
#include <vector>

#include "cmd/gpuctl/top.h"

namespace gpumon::ctl {

// Standard input and output, one at a time. While it is there the terminal shows a page of its own
// and sends each key at once. It is as it was before when this is destroyed, and when a fault of
// the program ends it; signals that end a program are its owner's business.
class Terminal {
 public:
  // Both are one.
  static bool IsThere();
  // Where they are.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  TopSize size() const;
  // False when it is gone.
  bool Draw(const std::vector<std::string>& lines) const;
  // As before, until Enter.
  void Leave() const;
  void Enter() const;
};

}  // namespace gpumon::ctl
