// A bearer token in a file, read again when the file changes.
#pragma once

#include <memory>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::handlers {

// Thread-safe. Looks at the file at most once a second; while it cannot be read the last token
// stands.
class TokenFile {
 public:
  // kInvalidParameter when the file cannot be read now or holds no token.
  static Result<std::unique_ptr<TokenFile>> Open(std::string path, const Clock& clock);

  std::string Token();

 private:
  TokenFile(std::string path, const Clock& clock, std::string token);

  const std::string path_;
  const Clock& clock_;
  Mutex mutex_;
  std::string token_ GUARDED_BY(mutex_);
  SteadyTime looked_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::handlers
