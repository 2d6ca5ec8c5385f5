// A word to whoever waits.
#pragma once

#include <iosfwd>
#include <string>
#include <thread>

#include "internal/base/mutex.h"

namespace gpumon::ctl {

// From its second second on a line on a terminal says what is waited for, and for how long so far;
// it is gone with this. Where `err` is no terminal, or the log tells of each step, there is none.
// Nobody else writes to the terminal meanwhile. Make it behind EndingSignals: it has a thread.
class Progress {
 public:
  // `what` continues "gpuctl: ".
  Progress(std::ostream& err, std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void Show() EXCLUDES(mutex_);

  std::ostream& err_;
  const std::string what_;
  Mutex mutex_;
  CondVar changed_;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gpumon::ctl
