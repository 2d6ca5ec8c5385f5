#include "cmd/gpuctl/progress.h"

#include <chrono>
#include <ostream>
#include <utility>

#include "cmd/gpuctl/output.h"
#include "internal/base/log.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

Progress::Progress(std::ostream& err, std::string what)
    : err_(err), what_(ReplaceHidden(what, "?")) {
  if (!TakesSequences(err) || log::Enabled(log::Level::kDebug)) return;
  thread_ = std::thread([this] { Show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    ended_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Progress::Show() {
  const auto begun = std::chrono::steady_clock::now();
  const MutexLock lock(mutex_);
  for (std::chrono::seconds waited{1};; ++waited) {
    while (!ended_ && changed_.WaitUntil(mutex_, begun + waited)) {
    }
    if (ended_) {
      if (waited.count() > 1) err_ << kClearLine << std::flush;
      return;
    }
    err_ << kClearLine << "gpuctl: " << what_ << ", " << waited.count() << " s" << std::flush;
  }
}

}  // namespace gpumon::ctl
