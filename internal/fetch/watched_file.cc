#include "internal/fetch/watched_file.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>
#include <utility>

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
  std::ifstream file(path_, std::ios::binary);
  if (!file.is_open()) return ErrorOf("cannot be read");
  std::string text;
  std::array<char, 4096> block{};
  do {
    file.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
  } while (file.good() && text.size() <= kMaxBytes);
  if (file.bad()) return ErrorOf("cannot be read");
  if (text.size() > kMaxBytes) return ErrorOf("is larger than 4 MiB");
  text_ = std::move(text);
  return {};
}

}  // namespace gpumon::fetch
