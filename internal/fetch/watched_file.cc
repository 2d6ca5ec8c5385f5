#include "internal/fetch/watched_file.h"

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "internal/base/regular_file.h"

namespace gpumon::fetch {
namespace {

constexpr std::chrono::seconds kLookInterval{1};

bool SameVersion(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

WatchedFile::WatchedFile(Code code, std::string option, std::string path)
    : code_(code), option_(std::move(option)), path_(std::move(path)) {}

tl::unexpected<Status> WatchedFile::ErrorOf(const std::string& what) const {
  return Error(code_, option_ + ": " + path_ + " " + what);
}

Result<bool> WatchedFile::Refresh(SteadyTime now) {
  if (!enabled()) return false;
  if (looked_at_ && now - *looked_at_ < kLookInterval) return false;
  struct stat now_there {};
  if (stat(path_.c_str(), &now_there) != 0) {
    looked_at_.reset();
    return ErrorOf(std::string("cannot be read: ") + std::generic_category().message(errno));
  }
  const bool changed = !looked_at_ || !SameVersion(seen_, now_there);
  if (changed) {
    looked_at_.reset();
    if (Result<void> loaded = Load(); !loaded) return Error(std::move(loaded.error()));
    seen_ = now_there;
  }
  looked_at_ = now;
  return changed;
}

Result<void> WatchedFile::Load() {
  Result<std::string> text = ReadRegularFile(path_);
  if (!text) return ErrorOf(text.error().message);
  text_ = std::move(*text);
  return {};
}

}  // namespace gpumon::fetch
