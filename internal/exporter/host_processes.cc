#include "internal/exporter/host_processes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "internal/base/text.h"
#include "internal/nvml/process_name.h"

namespace gpumon::exporter {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 10U;
constexpr std::size_t kMostOfPasswd = std::size_t{1} << 20U;
// Below it one tick of the kernel's clock is a large part of the answer.
constexpr Millis kShortest{1000};

// Up to `most` bytes from the front of a file; nothing when it cannot be read.
std::optional<std::string> ReadFront(const std::string& path, std::size_t most) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < most) {
    const ssize_t got = read(file, buffer.data(), std::min(buffer.size(), most - text.size()));
    if (got <= 0) {
      if (got < 0 && text.empty()) {
        close(file);
        return std::nullopt;
      }
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(file);
  return text;
}

template <class T>
std::optional<T> NumberOf(std::string_view text) {
  T number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

// The `index`th word of `text`.
std::string_view WordOf(std::string_view text, int index) {
  constexpr std::string_view kSpace = " \t";
  for (;; --index) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(kSpace));
    if (index == 0) return word;
    text.remove_prefix(word.size());
  }
}

// Behind `name` at the front of one of the lines.
std::string_view LineOf(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.starts_with(name)) return text.substr(name.size(), end - name.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

// Arguments end with a zero each. Half an argument is none: half a secret may not look like one.
std::string CommandOf(std::string text) {
  if (text.size() >= kMostBytes) text.resize(text.rfind('\0') + 1);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return ReplaceHidden(ToValidUtf8(text), " ");
}

std::map<std::string, std::string, std::less<>> ReadUsers(const std::string& path) {
  std::map<std::string, std::string, std::less<>> users;
  const std::string all = ReadFront(path, kMostOfPasswd).value_or("");
  std::string_view text = all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // NAME:PASSWORD:UID:...
    const std::size_t name = line.find(':');
    const std::size_t password = line.find(':', std::min(name, line.size() - 1) + 1);
    if (name == 0 || password == std::string_view::npos) continue;
    const std::size_t uid = std::min(line.find(':', password + 1), line.size());
    users.try_emplace(std::string(line.substr(password + 1, uid - password - 1)),
                      ReplaceHidden(ToValidUtf8(line.substr(0, name)), "?"));
  }
  return users;
}

}  // namespace

void HostProcesses::Begin(SteadyTime now) {
  ++round_;
  now_ = now;
  uptime_ =
      NumberOf<double>(ReadFront(options_.proc + "/uptime", kMostBytes).value_or("")).value_or(0);
  const std::string memory = ReadFront(options_.proc + "/meminfo", kMostBytes).value_or("");
  memory_total_ = NumberOf<double>(WordOf(LineOf(memory, "MemTotal:"), 0)).value_or(0);
  users_ = ReadUsers(options_.passwd);
}

void HostProcesses::End() {
  std::erase_if(past_, [&](const auto& one) { return one.second.round != round_; });
}

std::string HostProcesses::UserOf(std::string_view uid) const {
  const auto found = users_.find(uid);
  return found == users_.end() ? std::string(uid) : found->second;
}

std::optional<double> HostProcesses::CpuOf(std::uint32_t pid, std::string_view stat) {
  static const auto kTicks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // The name in brackets may hold anything. Behind it begins the third field.
  stat.remove_prefix(std::min(stat.rfind(')'), stat.size() - 1) + 1);
  const auto field = [&](int number) { return NumberOf<std::uint64_t>(WordOf(stat, number - 3)); };
  const auto user = field(14);
  const auto system = field(15);
  const auto started = field(22);
  if (!user || !system || !started) return std::nullopt;
  Past& past = past_[pid];
  past.round = round_;
  const std::uint64_t used = *user + *system;
  const bool known = past.at != SteadyTime() && past.started == *started && past.used <= used;
  if (known && now_ - past.at < kShortest) return past.percent;
  std::optional<double> percent;
  if (known) {
    const double seconds = std::chrono::duration<double>(now_ - past.at).count();
    percent = 100 * static_cast<double>(used - past.used) / kTicks / seconds;
  } else {
    const double life = uptime_ - static_cast<double>(*started) / kTicks;
    if (life > 0) percent = 100 * static_cast<double>(used) / kTicks / life;
  }
  past = {*started, used, now_, percent, round_};
  return percent;
}

HostProcess HostProcesses::Describe(std::uint32_t pid) {
  HostProcess process;
  const std::string folder = options_.proc + '/' + std::to_string(pid);
  const auto status = ReadFront(folder + "/status", kMostBytes);
  if (!status) return process;
  process.found = true;
  if (const auto uid = WordOf(LineOf(*status, "Uid:"), 0); !uid.empty()) process.user = UserOf(uid);
  const auto resident = NumberOf<double>(WordOf(LineOf(*status, "VmRSS:"), 0));
  if (resident && memory_total_ > 0) process.memory_percent = 100 * *resident / memory_total_;
  if (const auto stat = ReadFront(folder + "/stat", kMostBytes); stat && !stat->empty()) {
    process.cpu_percent = CpuOf(pid, *stat);
  }
  if (auto text = ReadFront(folder + "/cmdline", kMostBytes)) {
    const std::string command = CommandOf(*std::move(text));
    process.name = nvml::ProgramNameOf(command);
    // What is secret is looked for before the end is cut off.
    const std::string shown = options_.show_command(command);
    process.command = Front(shown, kLongestCommand);
  }
  process.container = ReadCgroups(ReadFront(folder + "/cgroup", kMostBytes).value_or(""));
  return process;
}

}  // namespace gpumon::exporter
