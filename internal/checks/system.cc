#include "internal/checks/system.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "internal/checks/failure.h"
#include "internal/checks/texts.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kResources = "System Resources";
constexpr std::string_view kFiles = "Configuration Files";

std::string Percent(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", value);
  return text.data();
}

// Of the line "MemTotal:       16303428 kB".
std::optional<double> LineOf(std::string_view text, std::string_view name) {
  std::size_t at = text.starts_with(name) ? 0 : text.find('\n' + std::string(name));
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_of("0123456789", text.find(':', at));
  if (at == std::string_view::npos) return std::nullopt;
  double value = 0;
  if (std::from_chars(text.data() + at, text.data() + text.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

// /proc/self/mounts writes a blank in a path as \040.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// As df counts it: of what a user who is not root may take.
std::optional<double> UseOf(const std::string& mount) {
  struct statvfs disk {};
  if (statvfs(mount.c_str(), &disk) != 0 || disk.f_blocks == 0) return std::nullopt;
  const auto used = static_cast<double>(disk.f_blocks - disk.f_bfree);
  const double all = used + static_cast<double>(disk.f_bavail);
  return all > 0 ? std::optional(100 * used / all) : std::nullopt;
}

Outcome OfFiles(const std::string& folder, const std::vector<std::string>& files) {
  std::vector<std::string> missing;
  std::vector<std::string> steps;
  for (const std::string& name : files) {
    const std::string path = (std::filesystem::path(folder) / name).string();
    std::error_code error;
    const bool there =
        std::filesystem::is_regular_file(path, error) && std::ifstream(path).is_open();
    steps.push_back(path + (there ? ": can be read" : ": missing, or cannot be read"));
    if (!there) missing.push_back(name);
  }
  Outcome outcome;
  if (missing.empty()) {
    outcome.status = Status::kHealthy;
    outcome.details = "All " + std::to_string(files.size()) + " configuration files found";
  } else {
    outcome = Failed(missing.size() == 1 ? Status::kDegraded : Status::kUnhealthy, kFiles,
                     "missing: " + Joined(missing),
                     "give the folder that holds them: --config-dir; it is " + folder + " now");
  }
  outcome.steps = std::move(steps);
  return outcome;
}

}  // namespace

std::optional<double> MemoryUse(std::string_view meminfo) {
  const auto total = LineOf(meminfo, "MemTotal:");
  const auto available = LineOf(meminfo, "MemAvailable:");
  if (!total || !available || *total <= 0) return std::nullopt;
  return 100 * (1 - *available / *total);
}

std::vector<std::string> DiskMounts(std::string_view mounts) {
  constexpr std::array<std::string_view, 3> kFullByNature = {"squashfs", "iso9660", "erofs"};
  std::vector<std::string> paths;
  std::set<std::string> seen;
  std::istringstream lines{std::string(mounts)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device;
    std::string path;
    std::string type;
    if (!(words >> device >> path >> type)) continue;
    path = Unescaped(path);
    const bool disk = device.starts_with("/dev/") || path == "/";
    if (!disk ||
        std::find(kFullByNature.begin(), kFullByNature.end(), type) != kFullByNature.end()) {
      continue;
    }
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error) || !seen.insert(device).second) continue;
    paths.push_back(path);
  }
  return paths;
}

Outcome JudgeResources(std::optional<double> memory, const std::vector<DiskUse>& disks) {
  constexpr std::string_view kHint =
      "see what takes it: ps aux --sort=-rss, df -h, docker system df";
  if (!memory && disks.empty()) {
    return Failed(Status::kUnknown, kResources, "neither memory nor disks can be read", "");
  }
  std::string details;
  std::vector<std::string> full;
  const auto add = [&](const std::string& name, double percent) {
    details += (details.empty() ? "" : ", ") + name + ' ' + Percent(percent);
    if (percent > kFull) full.push_back(name + ' ' + Percent(percent));
  };
  if (memory) add("Memory", *memory);
  for (const DiskUse& disk : disks) add("Disk " + disk.mount, disk.percent);
  Outcome outcome;
  if (full.empty()) {
    outcome.status = Status::kHealthy;
  } else {
    outcome =
        Failed(Status::kDegraded, kResources, "more than 90% is used: " + Joined(full), kHint);
  }
  outcome.details = std::move(details);
  return outcome;
}

Probe ResourcesProbe() {
  return [](const Clock&, Deadline) {
    std::vector<DiskUse> disks;
    std::vector<std::string> steps = {"read /proc/meminfo"};
    for (const std::string& mount : DiskMounts(ReadProcFile("/proc/self/mounts"))) {
      const auto percent = UseOf(mount);
      steps.push_back("statvfs " + mount + (percent ? "" : ": not known"));
      if (percent) disks.push_back({mount, *percent});
    }
    Outcome outcome = JudgeResources(MemoryUse(ReadProcFile("/proc/meminfo")), disks);
    outcome.steps = std::move(steps);
    return outcome;
  };
}

Probe ConfigFilesProbe(std::string folder, std::vector<std::string> files) {
  return [folder = std::move(folder), files = std::move(files)](const Clock&, Deadline) {
    return OfFiles(folder, files);
  };
}

}  // namespace gpumon::checks
