// Calls to the application that never throw, and end when the server ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/mutex.h"
#include "internal/http/server.h"

namespace gpumon::http {

// Thread-safe. A Responder may outlive the server and even the application: after Close() no call
// reaches the application, and Close() waits for those that are inside.
class ApplicationGuard {
 public:
  explicit ApplicationGuard(Application& application) : application_(application) {}

  // The text of what the application threw, for the log; nothing when it returned.
  std::optional<std::string> Handle(Request request, Match match,
                                    const std::shared_ptr<Responder>& responder);
  // These log what is thrown. An empty 500 when the application threw, or is gone.
  Response Refuse(const Status& status, const Request* request, const std::string& allow);
  Response Options(const Request& request, const std::string& allow);
  void Done(const Access& access);

  // Not from inside a call.
  void Close() EXCLUDES(mutex_);

 private:
  enum class Ran { kReturned, kThrew, kClosed };
  // Runs `call` unless closed; `thrown` gets the text of an exception.
  template <class Call>
  Ran Run(const Call& call, std::string& thrown) EXCLUDES(mutex_);
  template <class Call>
  bool RunLogged(std::string_view what, const Call& call) EXCLUDES(mutex_);

  Application& application_;
  Mutex mutex_;
  CondVar left_;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::uint64_t inside_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gpumon::http
