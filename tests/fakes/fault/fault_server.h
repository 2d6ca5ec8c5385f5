// A scripted HTTP/1.1 server on loopback that can misbehave on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "tests/fakes/fault/reply.h"

namespace gpumon::fault {

// As it came.
struct Request {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t connection = 0;  // which one, counted from 0

  // The first header of that name, ASCII case ignored, or "".
  std::string Header(std::string_view name) const;
  // A parameter of a form body (or else of the target's query), decoded; "" when absent.
  std::string Param(std::string_view name) const;
};

// Thread-safe. A thread for each connection. Stops, and ends all that is held, in the destructor.
class FaultServer {
 public:
  using Script = std::function<Reply(const Request&)>;

  // Listens on a free port of 127.0.0.1. Answers OneSample until told otherwise.
  FaultServer();
  explicit FaultServer(Script script);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // For every request that no queued reply is waiting for. Runs on the connections' threads.
  void SetScript(Script script);
  void SetReply(Reply reply);
  // The next request gets this one; several queue up.
  void Enqueue(Reply reply);

  // Lets everything held go, now and later.
  void Release();
  // One more step for slow bodies.
  void Step();
  // Closes the port: connections are refused from now on; those there are stay.
  void Refuse();
  // As a server that is killed: its connections end too.
  void GoDown();
  // As behind a network that drops all packets to it: those there are end, and connecting to it
  // never does.
  void DropPackets();
  // Listens again, on the same port.
  void ComeBack();

  std::vector<Request> requests() const;
  std::size_t request_count() const;
  std::size_t connection_count() const;
  // Of connections the client has left.
  std::size_t closed_count() const;
  // The most requests that were unanswered at one time.
  std::size_t peak_in_flight() const;
  // Wait 10 s at most; false when it did not come to that.
  bool WaitForRequests(std::size_t count) const;
  bool WaitForClosed(std::size_t count) const;

 private:
  enum class Next { kKeep, kClosed };
  enum class Port { kOpen, kClosed, kFull };

  void Close(Port port, bool connections_too);
  void Accept();
  void AcceptOne();
  void Serve(int fd, std::size_t index);
  bool ReadRequest(int fd, std::string& buffer, Request& request);
  Reply Decide(const Request& request);
  Next Answer(int fd, const Reply& reply);
  Next SendBody(int fd, const Reply& reply);
  Next SendPieces(int fd, const Reply& reply, std::string_view bytes);
  bool SendGenerated(int fd, std::size_t bytes);
  bool Send(int fd, std::string_view bytes);
  // False once the server stops; the time may pass first, too. Negative: there is no limit.
  bool WaitUntilReady(int fd, short events, Millis limit = Millis(-1)) const;
  // False once the server stops.
  bool Pause(Millis time) const;
  // Until the client is gone, the server stops or, where there is one, the time has passed.
  void WaitForEnd(int fd, Millis limit = Millis(0)) const;
  template <class Condition>
  bool Await(Condition condition) const;

  int listener_ = -1;
  int stop_fd_ = -1;  // readable once the server stops
  std::uint16_t port_ = 0;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  Script script_ GUARDED_BY(mutex_);
  std::deque<Reply> queue_ GUARDED_BY(mutex_);
  bool released_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Port port_state_ GUARDED_BY(mutex_) = Port::kOpen;
  std::set<int> open_ GUARDED_BY(mutex_);
  std::size_t steps_ GUARDED_BY(mutex_) = 0;
  std::vector<Request> requests_ GUARDED_BY(mutex_);
  std::size_t connections_ GUARDED_BY(mutex_) = 0;
  std::size_t closed_ GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ GUARDED_BY(mutex_) = 0;
  std::size_t peak_ GUARDED_BY(mutex_) = 0;
  std::map<std::size_t, std::thread> workers_ GUARDED_BY(mutex_);
  std::vector<std::size_t> finished_ GUARDED_BY(mutex_);  // workers that need no more than joining
  std::vector<int> stuffing_;  // what fills the queue of a port that drops packets
  std::thread acceptor_;
};

// A port that takes connections and never says a word on any.
class SilentPort {
 public:
  SilentPort();
  ~SilentPort();
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

// A port that neither answers nor refuses: connecting to it never ends.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  std::vector<int> fds_;  // the listener, and what fills its queue
  std::uint16_t port_ = 0;
};

// The URL of a port where nobody listens.
std::string RefusingUrl();

}  // namespace gpumon::fault
