#include "internal/store/day_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace gpumon::store {
namespace {

constexpr std::string_view kPrefix = "health-metrics-";
constexpr std::string_view kPlain = ".jsonl";
constexpr std::string_view kCompressed = ".jsonl.gz";

}  // namespace

Day DayOf(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time);
}

std::string DayFileName(Day day, bool compressed) {
  const std::chrono::year_month_day date(day);
  char text[32];
  const int length =
      std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::string(kPrefix)
      .append(text, static_cast<std::size_t>(length))
      .append(compressed ? kCompressed : kPlain);
}

std::optional<DayFile> ParseDayFileName(std::string_view name) {
  constexpr std::size_t kDigits = 8;
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kDigits) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size(), kDigits);
  const std::string_view ending = name.substr(kPrefix.size() + kDigits);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (ending != kPlain && ending != kCompressed) return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : digits.substr(from, count)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(6, 2))));
  if (!date.ok()) return std::nullopt;
  return DayFile{Day(date), ending == kCompressed};
}

Result<std::vector<DayFile>> ListDayFiles(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
  if (dir == nullptr) {
    const int reason = errno;
    return Error(reason == ENOENT ? Code::kNotFound : Code::kUnavailable, ReasonOf(reason));
  }
  std::vector<DayFile> files;
  while (const dirent* const entry = readdir(dir.get())) {
    if (const auto file = ParseDayFileName(entry->d_name)) files.push_back(*file);
  }
  std::sort(files.begin(), files.end(), [](const DayFile& a, const DayFile& b) {
    return std::pair(a.day, a.compressed) < std::pair(b.day, b.compressed);
  });
  return files;
}

std::string ReasonOf(int error_number) {
  return std::generic_category().message(error_number == 0 ? EIO : error_number);
}

int Descriptor::Release() {
  return std::exchange(fd_, -1);
}

void Descriptor::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<void> WriteWhole(const std::string& folder, const std::string& name,
                        std::string_view bytes) {
  const std::string unfinished = folder + '/' + name + ".tmp";
  Descriptor file(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const bool written = file.is_open() && WriteAll(file.get(), bytes) && fsync(file.get()) == 0 &&
                       rename(unfinished.c_str(), (folder + '/' + name).c_str()) == 0;
  if (!written) {
    const int reason = errno;
    if (file.is_open()) unlink(unfinished.c_str());
    return Error(Code::kUnavailable, ReasonOf(reason));
  }
  SyncFolder(folder);
  return {};
}

bool SyncFolder(const std::string& folder) {
  const Descriptor dir(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return dir.is_open() && fsync(dir.get()) == 0;
}

}  // namespace gpumon::store
