// An application whose routes behave as tests of the server need.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/mutex.h"
#include "internal/http/server.h"

namespace gpumon::http {

// GET /hello          "hello", Content-Type text/plain
// GET,POST /echo      "METHOD path?query LENGTH body"
// POST /upload        the body's length; large bodies
// GET /tag/{tag}      the tag, at once
// GET /later/{tag}    the tag, from another thread
// GET /big            10 MiB
// GET /hold           kept; see Held()
// GET /hold-unlimited the same, with unlimited_time
// GET /stream         StartStream, kept; see Streams()
// GET /throw /throw-int /throw-after /drop /twice /drop-later /split
// GET /block          keeps the server's thread until Unblock()
// Refuse answers "CODE message|METHOD path", Content-Type application/json. Thread-safe.
class ScriptedApplication final : public Application {
 public:
  ScriptedApplication();
  ~ScriptedApplication() override;

  static std::vector<Route> Routes();
  static const std::string& BigBody();

  void Handle(Request request, Match match, std::shared_ptr<Responder> responder) override;
  Response Refuse(const Status& status, const Request* request, const std::string& allow) override;
  Response Options(const Request& request, const std::string& allow) override;
  void Done(const Access& access) override;

  // Waits until `count` answers are done; those there are when `limit` passed.
  std::vector<Access> AwaitDone(std::size_t count, Millis limit = Millis(20000));
  // Waits for `count` requests held (streams started) and hands them out.
  std::vector<std::shared_ptr<Responder>> AwaitHeld(std::size_t count);
  std::vector<std::shared_ptr<Stream>> AwaitStreams(std::size_t count);
  void AwaitBlocked();
  void Unblock();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<Access> done_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Responder>> held_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Stream>> streams_ GUARDED_BY(mutex_);
  bool blocked_ GUARDED_BY(mutex_) = false;
  bool unblocked_ GUARDED_BY(mutex_) = false;
  ThreadPool pool_{2, "app"};
};

}  // namespace gpumon::http
