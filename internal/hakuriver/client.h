// Asks a HakuRiver (KohakuRiver) host, of any generation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/hakuriver/dialect.h"
#include "internal/hakuriver/models.h"

namespace gpumon::hakuriver {

class Session;

struct ClientOptions {
  std::string base_url;  // of ParseBaseUrl
  // What errors call the host. They are shown to whoever asks, so a server leaves the URL out.
  std::string name = "the HakuRiver host";
  // Of one answer. The health of 64 nodes with 8 GPUs each is about 15 MB.
  std::size_t most_bytes = std::size_t{64} << 20U;
  // Where answers are read and callbacks run; null: on the fetch client's I/O thread, which others
  // wait for. Outlives all calls.
  Executor* executor = nullptr;
};

// "http://host:8000/prefix/" without the slash. kInvalidParameter, a clause ("is no http:// or
// https:// URL"), when it is none.
Result<std::string> ParseBaseUrl(std::string_view text);
// Decimal and below 2^63: what every generation takes.
bool IsTaskId(std::string_view text);

struct HealthQuestion {
  std::string hostname = {};  // "" for all
  bool past = false;          // of one node: all its samples, else the newest
};

struct TaskQuestion {
  std::string status = {};  // "" for all
  std::size_t limit = 100;  // at least 1
};

enum class Stream : std::uint8_t { kStdout, kStderr };

struct LogQuestion {
  std::string id;
  Stream stream = Stream::kStdout;
  std::size_t lines = 0;  // the last so many; 0: all
  std::size_t most_bytes = std::size_t{1} << 20U;
};

enum class Action : std::uint8_t { kKill, kPause, kResume };

enum class VpsScope : std::uint8_t { kActive, kAll };

struct RawAnswer {
  Generation generation = Generation::kA;
  int status = 0;  // any
  std::string content_type;
  std::string body;  // as it came
};

template <class T>
using Got = std::function<void(Result<T>)>;

// Which generation answers is found out at the first call and remembered; it is found out again
// when an answer no longer fits. Hosts with users (C) take a token: that is the fetch client's
// bearer_token_file.
//
// Each call returns at once and calls `got` once, as ClientOptions::executor says. Thread-safe.
// A call that is under way outlives this object, but not the fetch client.
//
// Errors of all calls are one sentence that begins with the host's name, or with the task:
//   kInvalidParameter      no task id; a VPS's log; what the host says of a parameter (422)
//   kNotFound              no such task; no such node in its health
//   kBadRequest            Act: the task's state does not allow it
//   kUpstreamUnreachable, kUpstreamTimeout, kUpstreamTls, kDraining, kInternal: as fetch::Client
//   kUpstreamAuth          401, 403, or a token file that cannot be used
//   kUpstreamThrottled     429;  kUpstreamNotReady  502, 503, 504;  kUpstreamError  other 5xx
//   kUpstreamTooLarge      more than most_bytes
//   kUpstreamInvalid       no HakuRiver host: a redirect, a web page, JSON of another kind, the
//                          same key twice
class Client {
 public:
  // `fetch` and `clock` must outlive all calls.
  Client(fetch::Client& fetch, const Clock& clock, ClientOptions options);

  // Elements without a hostname (an id, below) are passed over.
  void GetNodes(Deadline deadline, Got<std::vector<Node>> got);
  // Whether the host still samples is judged by what it said before, and in generation A by the
  // heartbeats in its list of nodes.
  void GetHealth(HealthQuestion question, Deadline deadline, Got<Health> got);
  // Of either type.
  void GetTask(const std::string& id, Deadline deadline, Got<Task> got);
  // Commands alone.
  void GetTasks(TaskQuestion question, Deadline deadline, Got<TaskList> got);
  void GetVps(VpsScope scope, Deadline deadline, Got<std::vector<Vps>> got);
  // Of one larger than most_bytes, its end.
  void GetLog(LogQuestion question, Deadline deadline, Got<Log> got);
  // Asks for it; the state follows within seconds.
  void Act(Action action, const std::string& id, Deadline deadline, Got<void> got);
  // Whatever the host answers to one call, errors too.
  void GetRaw(const Call& call, Deadline deadline, Got<RawAnswer> got);

 private:
  Status BadId() const;

  std::shared_ptr<Session> session_;
};

// Waits for one call: Await<Task>([&](auto got) { client.GetTask(id, deadline, got); }). Not from
// where callbacks run.
template <class T, class Begin>
Result<T> Await(Begin begin) {
  const auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  begin(Got<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
  return future.get();
}

}  // namespace gpumon::hakuriver
