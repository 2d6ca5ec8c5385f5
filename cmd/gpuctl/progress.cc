#include "cmd/gpuctl/progress.h"

#include <unistd.h>

#include <iostream>

namespace gpumon::ctl {
namespace {

constexpr Millis kPatience{1000};

}  // namespace

Progress::Progress(const std::string& name, std::ostream& err)
    : text_("gpuctl: asking " + name),
      err_(err),
      on_(&err == &std::cerr && isatty(STDERR_FILENO) == 1) {}

void Progress::Show(Millis waited) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited).count();
  if (!on_ || waited < kPatience || seconds == shown_) return;
  shown_ = seconds;
  err_ << "\r\x1b[K" << text_ << ", " << seconds << " s" << std::flush;
}

void Progress::Clear() {
  if (shown_ > 0) err_ << "\r\x1b[K" << std::flush;
  shown_ = 0;
}

}  // namespace gpumon::ctl
