#include "internal/exporter/cgroup.h"

#include <algorithm>
#include <cstddef>

namespace gpumon::exporter {
namespace {

constexpr std::size_t kUidSize = 36;
constexpr std::size_t kStaticUidSize = 32;
constexpr std::size_t kContainerSize = 64;

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::size_t HexRun(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), IsHex) - text.begin());
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';  // systemd's names of slices have dashes of their own
  }
  return lower;
}

// At the front of `text`.
std::string UidOf(std::string_view text) {
  const std::size_t run = HexRun(text);
  if (run == kStaticUidSize) return Lower(text.substr(0, run));
  if (text.size() < kUidSize) return "";
  for (std::size_t i = 0; i < kUidSize; ++i) {
    const bool separator = i == 8 || i == 13 || i == 18 || i == 23;
    if (separator ? text[i] != '-' && text[i] != '_' : !IsHex(text[i])) return "";
  }
  return Lower(text.substr(0, kUidSize));
}

std::string PodUidIn(std::string_view part) {
  constexpr std::string_view kPod = "pod";
  for (std::size_t at = part.find(kPod); at != std::string_view::npos;
       at = part.find(kPod, at + 1)) {
    if (std::string uid = UidOf(part.substr(at + kPod.size())); !uid.empty()) return uid;
  }
  return "";
}

std::string ContainerIn(std::string_view part) {
  for (std::size_t at = 0; at < part.size();) {
    const std::size_t run = HexRun(part.substr(at));
    if (run == kContainerSize) return Lower(part.substr(at, run));
    at += run + 1;
  }
  return "";
}

// A later part is deeper.
ContainerIds ReadPath(std::string_view path) {
  ContainerIds ids;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (std::string uid = PodUidIn(part); !uid.empty()) {
      ids = {std::move(uid), ContainerIn(part)};
    } else if (std::string container = ContainerIn(part); !container.empty()) {
      ids.container = std::move(container);
    }
  }
  return ids;
}

}  // namespace

ContainerIds ReadCgroups(std::string_view text) {
  ContainerIds best;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // HIERARCHY:CONTROLLERS:PATH
    for (int i = 0; i < 2; ++i) line.remove_prefix(std::min(line.find(':'), line.size() - 1) + 1);
    ContainerIds ids = ReadPath(line);
    if (!ids.pod_uid.empty() && !ids.container.empty()) return ids;
    if (best.pod_uid.empty() && (!ids.pod_uid.empty() || best.container.empty())) {
      best = std::move(ids);
    }
  }
  return best;
}

}  // namespace gpumon::exporter
