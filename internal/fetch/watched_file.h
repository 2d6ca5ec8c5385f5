// A small file whose text follows what is on disk.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::fetch {

// Looks at the file no more than once a second and reads it again when it is another one or has
// changed: a Kubernetes secret's symlink swap too. One thread at a time.
class WatchedFile {
 public:
  // `option` names it in errors, which have `code`. An empty path: there is no file.
  WatchedFile(Code code, std::string option, std::string path);

  bool enabled() const { return !path_.empty(); }
  const std::string& option() const { return option_; }

  // True when `text()` is another one than at the last call. An error, naming option and path,
  // when the file is no regular one, cannot be read now or is larger than kMaxFileBytes; the next
  // call tries again.
  Result<bool> Refresh(SteadyTime now);
  const std::string& text() const { return text_; }
  tl::unexpected<Status> ErrorOf(const std::string& what) const;

 private:
  Result<void> Load();

  Code code_;
  std::string option_;
  std::string path_;
  std::optional<SteadyTime> looked_at_;  // of the last look that went well
  struct stat seen_ {};
  std::string text_;
};

}  // namespace gpumon::fetch
