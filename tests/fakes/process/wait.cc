#include "tests/fakes/process/wait.h"

#include <poll.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gpumon::process {

Millis Scaled(Millis limit) {
#ifdef GPUMON_SANITIZED
  return limit * 5;
#else
  return limit;
#endif
}

bool WaitUntil(const std::function<bool()>& condition, Millis limit) {
  constexpr int kPauseMs = 5;
  const auto until = std::chrono::steady_clock::now() + Scaled(limit);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return condition();
    poll(nullptr, 0, kPauseMs);
  }
  return true;
}

ScratchDirectory::ScratchDirectory() {
  path_ = std::filesystem::temp_directory_path() / "gpumon-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchDirectory::Write(const std::string& name, const std::string& text) const {
  const std::string path = File(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace gpumon::process
