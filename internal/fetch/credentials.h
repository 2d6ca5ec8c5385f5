// What every request carries besides itself, out of files that may change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/fetch/watched_file.h"

namespace gpumon::fetch {

// Immutable. Requests under way keep the one they started with.
struct Credentials {
  std::vector<std::string> header_lines;  // "Name: value", Authorization among them
  std::string ca_pem;                     // empty: the system's roots
};

// One thread at a time.
class CredentialFiles {
 public:
  CredentialFiles(const ClientOptions& options, const Clock& clock);

  // The newest. kInternal, naming the option and the file but never what is in it, when one cannot
  // be read or parsed.
  Result<std::shared_ptr<const Credentials>> Get();

 private:
  Result<void> Parse();

  const Clock& clock_;
  WatchedFile bearer_;
  WatchedFile basic_;
  WatchedFile ca_;
  WatchedFile headers_;
  std::shared_ptr<const Credentials> current_;  // null: to be parsed
};

}  // namespace gpumon::fetch
