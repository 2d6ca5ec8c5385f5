#include "internal/checks/sockets.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <vector>

namespace gpumon::checks {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";
constexpr std::string_view kSocket = "socket:[";

template <class T>
std::optional<T> Number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The socket that a descriptor's link names; nothing for a file.
std::optional<std::uint64_t> SocketOf(const fs::path& link) {
  std::array<char, 64> text{};
  const ssize_t size = readlink(link.c_str(), text.data(), text.size());
  if (size <= 0) return std::nullopt;
  const std::string_view target(text.data(), static_cast<std::size_t>(size));
  if (!target.starts_with(kSocket) || !target.ends_with(']')) return std::nullopt;
  return Number<std::uint64_t>(target.substr(kSocket.size(), target.size() - kSocket.size() - 1));
}

std::string ProcessName(const fs::path& process) {
  std::string name;
  std::ifstream file(process / "comm");
  std::getline(file, name);
  return name.empty() ? "?" : name;
}

bool IsProcess(const fs::path& path) {
  const std::string name = path.filename();
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
}

}  // namespace

void ReadListeners(std::string_view text, Listeners& listeners) {
  constexpr std::size_t kLocal = 1;
  constexpr std::size_t kState = 3;
  constexpr std::size_t kInode = 9;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; fields.size() <= kInode && words >> word;) fields.push_back(word);
    if (fields.size() <= kInode || fields[kState] != kListening) continue;
    const std::string_view local = fields[kLocal];
    const std::size_t colon = local.rfind(':');
    if (colon == std::string_view::npos) continue;
    const auto port = Number<std::uint16_t>(local.substr(colon + 1), 16);
    const auto inode = Number<std::uint64_t>(fields[kInode]);
    if (port && inode) listeners[*port].insert(*inode);
  }
}

std::map<std::uint64_t, std::string> OwnersOf(const std::string& proc,
                                              const std::set<std::uint64_t>& inodes,
                                              const Clock& clock, Deadline deadline) {
  std::map<std::uint64_t, std::string> owners;
  std::error_code error;
  fs::directory_iterator process(proc, error);
  for (; !error && process != fs::directory_iterator(); process.increment(error)) {
    if (owners.size() == inodes.size() || deadline.Passed(clock)) break;
    if (!IsProcess(process->path())) continue;
    // A process that ends meanwhile, or is another user's, has nothing to show.
    std::error_code hidden;
    fs::directory_iterator descriptor(process->path() / "fd", hidden);
    for (; !hidden && descriptor != fs::directory_iterator(); descriptor.increment(hidden)) {
      const auto inode = SocketOf(descriptor->path());
      if (!inode || !inodes.contains(*inode) || owners.contains(*inode)) continue;
      owners[*inode] =
          ProcessName(process->path()) + " (pid " + process->path().filename().string() + ')';
    }
  }
  return owners;
}

}  // namespace gpumon::checks
