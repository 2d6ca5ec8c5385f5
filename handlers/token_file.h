// A bearer token in a file, read again when the file changes.
#pragma once

#include <memory>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::handlers {

// Thread-safe. While the file cannot be read the last token stands. It must outlive what it posted.
class TokenFile {
 public:
  // kInvalidParameter when the file is no regular one, cannot be read now or holds no token
  // that a client can send.
  static Result<std::unique_ptr<TokenFile>> Open(std::string path, const Clock& clock,
                                                 Executor& executor);

  // What was read last.
  std::string Token() const;
  // Has `executor` read the file anew, at most once a second: call it more often than that.
  void LookAgain();

 private:
  TokenFile(std::string path, const Clock& clock, Executor& executor, std::string token);
  void Read();

  const std::string path_;
  const Clock& clock_;
  Executor& executor_;
  mutable Mutex mutex_;
  std::string token_ GUARDED_BY(mutex_);
  SteadyTime looked_ GUARDED_BY(mutex_);
  bool reading_ GUARDED_BY(mutex_) = false;
};

}  // namespace gpumon::handlers
