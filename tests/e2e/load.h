// Many clients at once, from one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/clock.h"
#include "tests/e2e/http_client.h"

namespace gpumon::e2e {

struct LoadOptions {
  std::uint16_t port = 0;
  std::size_t clients = 1;
  std::string target;
  Millis pause{0};                                // of a client between an answer and a request
  std::function<bool(const Answer&)> right = {};  // of a 200; not set: every one is
  // Called with each answer and when it was asked for, by the thread of the load.
  std::function<void(const Answer&, SteadyTime)> seen = {};
};

struct LoadReport {
  std::map<int, std::size_t> answers;  // by status
  std::size_t wrong = 0;               // 200 that were not `right`
  // Requests that got no whole answer, though they were sent on a new connection, or an answer
  // that broke off. (A kept connection that closes before the first byte of an answer is no fault
  // of anybody: the client asks again on a new one, as RFC 9112 9.3.1 tells it to.)
  std::size_t dropped = 0;
  std::size_t asked_again = 0;
  std::size_t refused = 0;  // connections
  std::vector<double> seconds;

  std::size_t total() const;
  double Percentile(double share);
  std::string Text() const;
};

// Each client keeps its connection, and asks again as soon as it has its answer.
class Load {
 public:
  explicit Load(LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::size_t answered() const { return answered_; }
  // As a load balancer does with a server that is not ready: a client whose connection ends does
  // not come back.
  void StopConnecting() { may_connect_ = false; }
  // No new requests; waits for the answers that are due.
  LoadReport Stop();

 private:
  struct Client;
  void Run();
  bool Advance(Client& client, short events);
  int LeftOfPause(const Client& client) const;
  void Connect(Client& client);
  void Send(Client& client);
  void Receive(Client& client);
  void Lost(Client& client);

  const LoadOptions options_;
  const std::string request_;
  std::atomic<bool> may_connect_{true};
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> answered_{0};
  LoadReport report_;  // the thread's until it is joined
  std::thread thread_;
};

// `clients` connections are opened first, then all send `target` at once.
std::vector<Answer> FetchAtOnce(std::uint16_t port, std::size_t clients, const std::string& target);

}  // namespace gpumon::e2e
