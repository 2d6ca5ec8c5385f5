// A real Redis.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/servers/unpacked.h"

namespace gpumon::servers {

// Listens on 127.0.0.1 and on a Unix socket, with a folder of its own, and saves nothing.
class RedisServer {
 public:
  // `arguments` are further ones, which count more: {"--requirepass", "x"}. Throws
  // std::runtime_error, with what it printed, when it does not come up.
  explicit RedisServer(std::vector<std::string> arguments = {});
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string unix_socket() const { return directory_.File("redis.sock"); }
  // Where it would save, and what it reads at its start: dump.rdb.
  std::string dump_file() const { return directory_.File("dump.rdb"); }
  // What it answers to an inline command on a connection of its own: "+PONG\r\n". "" when it
  // answers nothing.
  std::string Ask(const std::string& command) const;
  // Kills it and starts it again with the same folder and these `arguments`, on another port. Does
  // not wait until it has loaded.
  void Restart(std::vector<std::string> arguments);
  process::ChildProcess& process() { return *child_; }

 private:
  void Start(std::vector<std::string> arguments, const std::string& until);

  process::ScratchDirectory directory_;
  std::unique_ptr<process::ChildProcess> child_;
  std::uint16_t port_ = 0;
};

// A loopback connection that is held open.
class HeldConnection {
 public:
  // Throws std::runtime_error when nobody listens at `port`.
  explicit HeldConnection(std::uint16_t port);
  ~HeldConnection();
  HeldConnection(const HeldConnection&) = delete;
  HeldConnection& operator=(const HeldConnection&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace gpumon::servers
