// One client's connection: its requests in, one after the other, and their answers out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/http/core.h"
#include "internal/http/framing.h"
#include "internal/http/outbox.h"
#include "internal/http/router.h"
#include "internal/http/server.h"

namespace gpumon::http {

// Thread-safe. Bytes come from a reactor thread; answers from any thread; the flusher's thread
// does the rest. The application is never called with the lock held.
//
// It writes to a file descriptor of its own, duplicated from the reactor's: that number means this
// client until the connection itself closes it, whatever the reactor does with its own.
//
// Requests are answered in turns: the next one is begun when the answer before it is with the
// kernel, so answers cannot overtake each other. Bytes that come meanwhile wait in `in_`.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  struct Client {
    std::string address;
    bool is_loopback = false;
  };

  // Takes `fd` over. `id` is unique within the server and not 0.
  Connection(std::shared_ptr<Core> core, std::uint64_t id, int fd, Client client);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // From the reactor: bytes came; no more bytes will come (half-closed, or reset).
  void OnInput(std::string_view bytes) EXCLUDES(mutex_);
  void OnEnd() EXCLUDES(mutex_);
  // Answers `status` without waiting for a request, and closes.
  void TurnAway(const Status& status) EXCLUDES(mutex_);

  std::uint64_t id() const { return id_; }
  // Since when it has waited for the whole head of a request; nothing while there is more to it.
  std::optional<SteadyTime> IdleSince() const EXCLUDES(mutex_);
  // Closes it, unless it has not been idle since `since`, or has sent what nobody has read yet.
  bool CloseIdle(SteadyTime since) EXCLUDES(mutex_);

  // From the flusher: the socket takes bytes again; go on with waiting requests; look at the time,
  // and say whether anything is being done for the client.
  void OnWritable() EXCLUDES(mutex_);
  void Resume() EXCLUDES(mutex_);
  bool Sweep(SteadyTime now) EXCLUDES(mutex_);

  // From anywhere: the answer of a turn. Nothing happens when that turn has its answer.
  void Send(std::uint64_t turn, const Response& response) EXCLUDES(mutex_);
  bool StartStream(std::uint64_t turn, const Response& head) EXCLUDES(mutex_);  // false: had one
  Stream::Written WriteStream(std::uint64_t turn, const Body& data) EXCLUDES(mutex_);
  void EndStream(std::uint64_t turn, const Body& last) EXCLUDES(mutex_);
  bool Alive(std::uint64_t turn) const EXCLUDES(mutex_);
  // Answers 500 in the handler's place and logs why; `thrown` is logged even after an answer.
  void Fail(std::uint64_t turn, std::string_view why, std::string_view thrown = {})
      EXCLUDES(mutex_);

  // The server ends: closes; an unfinished answer is reported, an unanswered turn dropped.
  void Abort() EXCLUDES(mutex_);

 private:
  enum class Phase { kReading, kAnswering, kLingering, kClosed };

  // The request being answered, or the last one.
  struct Turn {
    std::uint64_t number = 0;
    bool active = false;
    bool answered = false;  // its head is in the outbox, or further
    bool ended = false;     // its last byte is
    bool streaming = false;
    bool chunked = false;
    bool keep_alive = false;
    bool unlimited = false;
    bool threw = false;  // its handler
    int route = -1;
    int status = 0;
    SteadyTime begun{};  // when the handler got it
    Request brief;       // method, path and what an error's answer needs of the headers
    std::string request_id;
    std::uint64_t head_end = 0;  // in Outbox::sent()
    // Of a stream.
    std::size_t largest_write = 0;
    SteadyTime ended_at{};
    std::size_t rest = 0;  // bytes that the client had to take when it ended
  };

  // A request on its way to the application.
  struct Work {
    std::uint64_t turn = 0;
    Request request;
    bool has_request = true;
    Verdict verdict;
    std::optional<Status> refusal;
  };

  void Pump() EXCLUDES(mutex_);
  void Serve(Work work) EXCLUDES(mutex_);
  bool NextWork(Work& work) REQUIRES(mutex_);
  bool TakeHead(Work& work) REQUIRES(mutex_);
  void BeginTurn(Work& work) REQUIRES(mutex_);
  void BeginRefusal(Work& work, Status status) REQUIRES(mutex_);
  bool MidRequest() const REQUIRES(mutex_);
  bool HasUnread() const REQUIRES(mutex_);
  std::optional<SteadyTime> WaitsSince() const REQUIRES(mutex_);
  // True when someone must Pump() after the lock is released.
  bool ClaimPump() REQUIRES(mutex_);
  bool SweepReading(SteadyTime now, Work& work) REQUIRES(mutex_);
  std::optional<Access> SweepAnswered(SteadyTime now) REQUIRES(mutex_);
  bool Stalls(SteadyTime now) const REQUIRES(mutex_);
  bool ClientHasAll() const REQUIRES(mutex_);

  bool IsOpen(std::uint64_t turn) const REQUIRES(mutex_);
  bool IsStreaming(std::uint64_t turn) const REQUIRES(mutex_);
  void PutChunk(const Body& data) REQUIRES(mutex_);
  bool WillKeepAlive() const REQUIRES(mutex_);
  void PutHead(const Response& response, bool streaming) REQUIRES(mutex_);
  // Each returns the finished turn's line for Report(), when it finished one.
  [[nodiscard]] std::optional<Access> FinishStream() REQUIRES(mutex_);
  [[nodiscard]] std::optional<Access> Flush() REQUIRES(mutex_);
  [[nodiscard]] std::optional<Access> FinishTurn(bool complete) REQUIRES(mutex_);
  [[nodiscard]] std::optional<Access> Drop(bool reset) REQUIRES(mutex_);
  void CloseSocket() REQUIRES(mutex_);
  void Report(const std::optional<Access>& access) EXCLUDES(mutex_);

  const std::shared_ptr<Core> core_;
  const std::uint64_t id_;
  const Client client_;
  const SteadyTime close_after_;  // the next answer then closes

  mutable Mutex mutex_;
  int fd_ GUARDED_BY(mutex_);  // -1: closed
  Phase phase_ GUARDED_BY(mutex_) = Phase::kReading;
  RequestParser parser_ GUARDED_BY(mutex_);
  std::string in_ GUARDED_BY(mutex_);
  std::size_t in_begin_ GUARDED_BY(mutex_) = 0;   // of the bytes not yet parsed
  bool end_of_input_ GUARDED_BY(mutex_) = false;  // what is in `in_` is all there will be
  bool client_ended_ GUARDED_BY(mutex_) = false;  // ... and the client itself ended it
  bool reader_gone_ GUARDED_BY(mutex_) = false;   // the reactor has closed its descriptor
  bool pumping_ GUARDED_BY(mutex_) = false;       // a thread is in, or on its way to, Pump()
  bool has_head_ GUARDED_BY(mutex_) = false;      // of the request being read
  Verdict verdict_ GUARDED_BY(mutex_);            // for it
  Turn turn_ GUARDED_BY(mutex_);
  Outbox outbox_ GUARDED_BY(mutex_);
  bool blocked_ GUARDED_BY(mutex_) = false;  // the flusher will call OnWritable()
  bool watched_ GUARDED_BY(mutex_) = false;  // the flusher knows the descriptor
  SteadyTime request_begun_ GUARDED_BY(mutex_);
  SteadyTime idle_since_ GUARDED_BY(mutex_);  // or lingering since
};

}  // namespace gpumon::http
