#include "tests/fakes/servers/redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace gpumon::servers {

RedisServer::RedisServer(std::vector<std::string> arguments) {
  Start(std::move(arguments), "Ready to accept connections");
}

void RedisServer::Start(std::vector<std::string> arguments, const std::string& until) {
  port_ = StartOnFreePort(
      [&](std::uint16_t port) {
        std::vector<std::string> all = {
            "--port", std::to_string(port), "--bind", "127.0.0.1", "--unixsocket", unix_socket(),
            "--dir",  directory_.path(),    "--save", "",          "--appendonly", "no"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        child_ = StartUnpacked("usr/bin/redis-server", std::move(all));
        const auto said = [&] { return child_->Output().find(until) != std::string::npos; };
        process::WaitUntil([&] { return said() || !child_->Running(); }, Millis(20'000));
        return said();
      },
      [&] { return child_->Output() + child_->Errors(); });
}

void RedisServer::Restart(std::vector<std::string> arguments) {
  child_->Signal(SIGKILL);
  child_->Wait(Millis(5'000));
  Start(std::move(arguments), "Server initialized");
}

std::string RedisServer::Ask(const std::string& command) const {
  const HeldConnection connection(port_);
  const std::string line = command + "\r\n";
  if (send(connection.fd(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  char piece[1024];
  while (!answer.ends_with("\r\n")) {
    const ssize_t got = recv(connection.fd(), piece, sizeof piece, 0);
    if (got <= 0) break;
    answer.append(piece, static_cast<std::size_t>(got));
  }
  return answer;
}

HeldConnection::HeldConnection(std::uint16_t port)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd_);
    throw std::runtime_error("nobody listens at port " + std::to_string(port));
  }
}

HeldConnection::~HeldConnection() {
  close(fd_);
}

}  // namespace gpumon::servers
