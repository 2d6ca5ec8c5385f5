#include "internal/store/writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <system_error>

#include "internal/http/gzip_stream.h"

namespace gpumon::store {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;

auto Failed(const std::string& path, const char* what, int reason) {
  return Error(Code::kUnavailable, path + ' ' + what + ": " + ReasonOf(reason));
}

// What a crash left of a line has no line break at its end.
bool EndsInsideALine(int fd, off_t size) {
  char last = '\n';
  return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

// The folder of that name may have been removed, or replaced, since it was opened.
bool IsStillAt(const std::string& path, const Descriptor& folder) {
  struct stat opened {};
  struct stat named {};
  return folder.is_open() && fstat(folder.get(), &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

std::string Compressed(const std::string& bytes) {
  return http::GzipWriter().Add(bytes, true);
}

}  // namespace

Result<void> Writer::Open() {
  const MutexLock lock(mutex_);
  if (IsStillAt(folder_, lock_)) return {};
  std::error_code why;
  std::filesystem::create_directories(folder_, why);
  Descriptor folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return Failed(folder_, "cannot be used", why ? why.value() : errno);
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failed(folder_, "cannot be locked", errno);
    return Error(Code::kForbidden, folder_ +
                                       " is written to by another collector; end that one, or "
                                       "give this one a METRICS_DIR of its own");
  }
  lock_ = std::move(folder);
  return {};
}

Result<void> Writer::Append(std::span<const Line> lines) {
  if (auto opened = Open(); !opened) return opened;
  std::map<Day, std::string> days;
  for (const Line& line : lines) days[DayOf(line.time)].append(line.text).append("\n");
  const MutexLock lock(mutex_);
  for (const auto& [day, bytes] : days) {
    if (auto appended = AppendTo(day, bytes); !appended) return appended;
  }
  return {};
}

Result<void> Writer::AppendTo(Day day, const std::string& bytes) {
  const bool late = access(PathOf(day, true).c_str(), F_OK) == 0;
  const std::string path = PathOf(day, late);
  Descriptor file(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return Failed(path, "cannot be opened", errno);
  struct stat before {};
  if (fstat(file.get(), &before) != 0) return Failed(path, "cannot be read", errno);
  const bool torn = !late && EndsInsideALine(file.get(), before.st_size);
  const std::string whole = (torn ? "\n" : "") + bytes;
  if (WriteAll(file.get(), late ? Compressed(whole) : whole) && fdatasync(file.get()) == 0) {
    return {};
  }
  const int reason = errno;
  // Without that the next line would start inside this one.
  if (ftruncate(file.get(), before.st_size) != 0) return Failed(path, "cannot be cut", errno);
  return Failed(path, "cannot be written", reason);
}

Result<void> Writer::Compress(Day day, const std::atomic<bool>& stop) {
  const std::string plain = PathOf(day, false);
  const std::string done = PathOf(day, true);
  const std::string unfinished = done + ".tmp";
  const Descriptor from(open(plain.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.is_open()) return Failed(plain, "cannot be opened", errno);
  const Descriptor to(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!to.is_open()) return Failed(unfinished, "cannot be made", errno);
  const auto give_up = [&](const std::string& path, const char* what) {
    const int reason = errno;
    unlink(unfinished.c_str());
    return Failed(path, what, reason);
  };
  http::GzipWriter gzip;
  std::string piece(kPiece, '\0');
  off_t size = 0;
  for (ssize_t got = 1; got > 0; size += got) {
    got = read(from.get(), piece.data(), piece.size());
    if (got < 0) return give_up(plain, "cannot be read");
    if (stop) {
      unlink(unfinished.c_str());
      return {};
    }
    const auto bytes = static_cast<std::size_t>(got);
    if (!WriteAll(to.get(), gzip.Add(std::string_view(piece).substr(0, bytes), got == 0))) {
      return give_up(unfinished, "cannot be written");
    }
  }
  if (fsync(to.get()) != 0) return give_up(unfinished, "cannot be written");
  const MutexLock lock(mutex_);
  struct stat now {};
  if (fstat(from.get(), &now) != 0 || now.st_size != size) {
    unlink(unfinished.c_str());  // a late line came meanwhile: the next time
    return {};
  }
  if (rename(unfinished.c_str(), done.c_str()) != 0) return give_up(done, "cannot be made");
  SyncFolder(folder_);
  if (unlink(plain.c_str()) != 0) return Failed(plain, "cannot be removed", errno);
  return {};
}

UpkeepReport Writer::Upkeep(WallTime now, std::chrono::days compress_after, std::chrono::days keep,
                            const std::atomic<bool>& stop) {
  UpkeepReport report;
  const auto files = ListDayFiles(folder_);
  if (!files) return report;  // Append says so
  const auto count = [&report](const Result<void>& result, std::size_t& done) {
    if (result) {
      ++done;
    } else {
      report.problems.push_back(result.error().message);
    }
  };
  for (const DayFile& file : *files) {
    if (stop) break;
    const auto age = DayOf(now) - file.day - std::chrono::days(1);
    const std::string path = PathOf(file.day, file.compressed);
    const bool left_over = !file.compressed && access(PathOf(file.day, true).c_str(), F_OK) == 0;
    if (age >= keep || left_over) {
      const bool removed = unlink(path.c_str()) == 0;
      count(removed ? Result<void>() : Failed(path, "cannot be removed", errno), report.deleted);
    } else if (!file.compressed && age >= compress_after) {
      count(Compress(file.day, stop), report.compressed);
    }
  }
  return report;
}

}  // namespace gpumon::store
