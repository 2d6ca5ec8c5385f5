#include "handlers/token_file.h"

#include <chrono>
#include <fstream>
#include <optional>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::handlers {
namespace {

std::optional<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!file || !std::getline(file, token)) return std::nullopt;
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty() || token.find_first_of(" \t") != std::string::npos) return std::nullopt;
  return token;
}

}  // namespace

TokenFile::TokenFile(std::string path, const Clock& clock, Executor& executor, std::string token)
    : path_(std::move(path)),
      clock_(clock),
      executor_(executor),
      token_(std::move(token)),
      looked_(clock.Steady()) {}

Result<std::unique_ptr<TokenFile>> TokenFile::Open(std::string path, const Clock& clock,
                                                   Executor& executor) {
  auto token = ReadToken(path);
  if (!token) {
    return Error(
        Code::kInvalidParameter,
        "--api-bearer-token-file: '" + path +
            "' cannot be read or its first line is no token; it must hold one, without blanks");
  }
  return std::unique_ptr<TokenFile>(
      new TokenFile(std::move(path), clock, executor, std::move(*token)));
}

std::string TokenFile::Token() const {
  const MutexLock lock(mutex_);
  return token_;
}

void TokenFile::LookAgain() {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  if (reading_ || now - looked_ < std::chrono::seconds(1)) return;
  looked_ = now;
  // The file is one line: reading it costs less than finding out whether it changed.
  reading_ = executor_.Post([this] { Read(); });
}

void TokenFile::Read() {
  auto token = ReadToken(path_);
  if (!token) {
    log::Warning("API token file cannot be read; the last token stands", {{"path", path_}});
  }
  MutexLock lock(mutex_);
  reading_ = false;
  if (token) token_ = std::move(*token);
}

}  // namespace gpumon::handlers
