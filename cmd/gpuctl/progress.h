// A line that says that an answer is waited for.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "internal/base/clock.h"

namespace gpumon::ctl {

// Only where `err` is a terminal, and only after a second. One thread at a time.
class Progress {
 public:
  // `name` is who is asked. `err` must outlive it.
  Progress(const std::string& name, std::ostream& err);
  void Show(Millis waited);
  void Clear();

 private:
  const std::string text_;
  std::ostream& err_;
  const bool on_;
  std::int64_t shown_ = 0;
};

}  // namespace gpumon::ctl
