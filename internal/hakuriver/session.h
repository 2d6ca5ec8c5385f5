// The conversation with one host. Used inside internal/hakuriver alone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "internal/base/mutex.h"
#include "internal/hakuriver/client.h"

namespace gpumon::hakuriver {

struct Answer {
  Generation generation = Generation::kA;
  fetch::Response response;
};

// Of an answer's body.
struct BodyLimit {
  std::size_t bytes = 0;
  bool keep_end = false;  // as fetch::Request has it
};

// Thread-safe.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(fetch::Client& fetch, const Clock& clock, ClientOptions options)
      : fetch_(fetch), clock_(clock), options_(std::move(options)) {}

  // Any status is an answer, in the dialect that is right. Errors are sentences.
  void Send(Call call, BodyLimit limit, Deadline deadline, Got<Answer> got);
  const ClientOptions& options() const { return options_; }
  // Whether `last_updated` has been the same for too long; remembers it.
  bool StandsStill(const std::string& last_updated);

 private:
  struct Flight;
  using FlightPtr = std::shared_ptr<Flight>;
  using Next = void (Session::*)(const FlightPtr&, fetch::Response);

  void Fetch(const FlightPtr& flight, const std::string& target, const char* method,
             BodyLimit limit, Next next);
  void Try(const FlightPtr& flight, Generation generation);
  void TakeAnswer(const FlightPtr& flight, fetch::Response response);
  void Probe(const FlightPtr& flight);
  void TakeAuth(const FlightPtr& flight, fetch::Response response);
  void TakeNodes(const FlightPtr& flight, fetch::Response response);
  void TakeLog(const FlightPtr& flight, fetch::Response response);
  void Found(const FlightPtr& flight, Generation generation);
  void End(const FlightPtr& flight, Result<Answer> result);

  fetch::Client& fetch_;
  const Clock& clock_;
  const ClientOptions options_;

  Mutex mutex_;
  std::optional<Generation> generation_ GUARDED_BY(mutex_);
  std::string last_updated_ GUARDED_BY(mutex_);
  SteadyTime moved_at_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::hakuriver
