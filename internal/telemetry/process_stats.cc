#include "internal/telemetry/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gpumon::telemetry {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The number after `label` at the start of a line: "VmRSS:\t  1234 kB", "btime 1700000000".
std::optional<std::uint64_t> NumberAfter(std::string_view text, std::string_view label) {
  std::size_t pos = text.starts_with(label) ? 0 : text.find("\n" + std::string(label));
  if (pos == std::string_view::npos) return std::nullopt;
  pos = text.find_first_of("0123456789", pos + label.size());
  if (pos == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + pos, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

// Field 22 of /proc/self/stat, in clock ticks since boot. The second field is the program's name
// in parentheses, and may itself hold spaces and parentheses.
std::optional<std::uint64_t> StartTicks(std::string_view stat) {
  constexpr int kFieldsAfterName = 20;
  std::size_t pos = stat.rfind(')');
  for (int i = 0; i < kFieldsAfterName && pos != std::string_view::npos; ++i) {
    pos = stat.find(' ', pos + 1);
  }
  if (pos == std::string_view::npos) return std::nullopt;
  std::uint64_t ticks = 0;
  const auto [end, error] =
      std::from_chars(stat.data() + pos + 1, stat.data() + stat.size(), ticks);
  return error == std::errc() ? std::optional(ticks) : std::nullopt;
}

// Constant for the process, so asked for once.
std::optional<double> StartTime() {
  static const std::optional<double> start = []() -> std::optional<double> {
    const auto ticks = StartTicks(ReadAll("/proc/self/stat"));
    const auto boot = NumberAfter(ReadAll("/proc/stat"), "btime");
    if (!ticks || !boot) return std::nullopt;
    return static_cast<double>(*boot) +
           static_cast<double>(*ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }();
  return start;
}

std::optional<std::uint64_t> CountOpenFds() {
  const auto close = [](DIR* d) { closedir(d); };
  const std::unique_ptr<DIR, decltype(close)> folder(opendir("/proc/self/fd"), close);
  if (folder == nullptr) return std::nullopt;
  std::uint64_t count = 0;
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // the folder's own
}

}  // namespace

Result<ProcessStats> ReadProcessStats() {
  constexpr std::uint64_t kKiB = 1024;
  const std::string status = ReadAll("/proc/self/status");
  const auto size = NumberAfter(status, "VmSize:");
  const auto rss = NumberAfter(status, "VmRSS:");
  const auto peak = NumberAfter(status, "VmHWM:");
  const auto threads = NumberAfter(status, "Threads:");
  const auto fds = CountOpenFds();
  const auto start = StartTime();
  timespec cpu{};
  rlimit limit{};
  if (!size || !rss || !peak || !threads || !fds || !start ||
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return Error(Code::kUnavailable, "process statistics: /proc cannot be read here");
  }
  ProcessStats stats;
  stats.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
  stats.start_time_seconds = *start;
  stats.virtual_bytes = *size * kKiB;
  stats.resident_bytes = *rss * kKiB;
  stats.peak_resident_bytes = *peak * kKiB;
  stats.threads = *threads;
  stats.open_fds = *fds;
  stats.max_fds = limit.rlim_cur;
  return stats;
}

}  // namespace gpumon::telemetry
