#include "handlers/token_file.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/regular_file.h"

namespace gpumon::handlers {
namespace {

// An error's message goes on behind the path.
Result<std::string> ReadToken(const std::string& path) {
  auto text = ReadRegularFile(path);
  if (!text) return text;
  std::string token = text->substr(0, text->find('\n'));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty() || token.find_first_of(" \t") != std::string::npos) {
    return Error(Code::kInvalidParameter, "must hold a token, without blanks, in its first line");
  }
  // A request whose head holds others is refused.
  const bool visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible) {
    return Error(Code::kInvalidParameter,
                 "must hold a token of visible ASCII characters alone in its first line");
  }
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
    return Error(Code::kInvalidParameter,
                 "--api-bearer-token-file: " + path + ' ' + token.error().message);
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
    log::Warning("API token file cannot be used; the last token stands",
                 {{"path", path_}, {"error", token.error().message}});
  }
  MutexLock lock(mutex_);
  reading_ = false;
  if (token) token_ = std::move(*token);
}

}  // namespace gpumon::handlers
