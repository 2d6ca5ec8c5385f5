// Calls to the application that never throw, and end when the server ends.
#pragma once

#include <cstdint>
#include <memory>
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

  // False when the application threw, which was logged: the request still needs its answer.
  bool Handle(Request request, Match match, const std::shared_ptr<Responder>& responder);
  // An empty 500 when the application threw, or is gone.
  Response Refuse(const Status& status, const Request* request, const std::string& allow);
  Response Options(const Request& request, const std::string& allow);
  void Done(const Access& access);

  // Not from inside a call.
  void Close() EXCLUDES(mutex_);

 private:
  // Runs `call` unless closed; false when it did not run or threw.
  template <class Call>
  bool Run(std::string_view what, const Call& call) EXCLUDES(mutex_);

  Application& application_;
  Mutex mutex_;
  CondVar left_;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::uint64_t inside_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gpumon::http
