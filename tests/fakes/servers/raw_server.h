// A TCP server on loopback that says what it is told, in any protocol or none.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::servers {

struct Turn {
  std::string until;  // reads until the client has sent this since the last turn; "": says at once
  std::string say;
};

// What follows the last turn.
enum class After { kHold, kClose, kReset };

// Plays the same turns on each connection, one after the other; a client that leaves ends its own.
// Stops, and ends all that is held, in the destructor. Thread-safe.
class RawServer {
 public:
  explicit RawServer(std::vector<Turn> turns, After after = After::kClose);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::uint16_t port() const { return port_; }
  // All that clients sent so far, in the order it came.
  std::string received() const;

 private:
  void Serve();
  void Play(int fd);
  // False when the client has left or the server stops.
  bool ReadUntil(int fd, const std::string& until, std::string& unread);

  const std::vector<Turn> turns_;
  const After after_;
  int listener_ = -1;
  int stop_fd_ = -1;  // readable once the server stops
  std::uint16_t port_ = 0;
  mutable Mutex mutex_;
  std::string received_ GUARDED_BY(mutex_);
  std::vector<int> held_;  // of the thread, and of the destructor after it
  std::thread thread_;
};

}  // namespace gpumon::servers
