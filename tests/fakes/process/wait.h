// Waiting in tests that drive real programs: always for a condition, never for a time.
#pragma once

#include <functional>
#include <string>

#include "internal/base/clock.h"

namespace gpumon::process {

// `limit`, longer where sanitizers slow everything down.
Millis Scaled(Millis limit);

// Asks `condition` until it holds, pausing between two questions. False when Scaled(`limit`)
// passed first.
bool WaitUntil(const std::function<bool()>& condition, Millis limit);

// A directory of one's own, removed with everything in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` in it; with `text`, written there first.
  std::string File(const std::string& name) const { return path_ + '/' + name; }
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

// The whole file; "" when there is none.
std::string ReadFile(const std::string& path);

}  // namespace gpumon::process
