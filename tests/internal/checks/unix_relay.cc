#include "tests/internal/checks/unix_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gpumon::checks {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

// False at the end of either side.
bool Move(int from, int to) {
  std::array<char, 16384> piece{};
  const ssize_t got = recv(from, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  return send(to, piece.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
}

}  // namespace

UnixRelay::UnixRelay(std::string path, std::uint16_t port)
    : path_(std::move(path)), port_(port), stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Die("bind");
  if (listen(listener_, 64) != 0) Die("listen");
  acceptor_ = std::thread([this] { Accept(); });
}

UnixRelay::~UnixRelay() {
  eventfd_write(stop_, 1);
  acceptor_.join();
  {
    const MutexLock lock(mutex_);
    for (std::thread& carrier : carriers_) carrier.join();
  }
  close(listener_);
  close(stop_);
  unlink(path_.c_str());
}

void UnixRelay::Accept() {
  while (true) {
    std::array<pollfd, 2> waits = {pollfd{listener_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    poll(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0) return;
    const int from = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (from < 0) continue;
    const MutexLock lock(mutex_);
    carriers_.emplace_back([this, from] { Carry(from); });
  }
}

void UnixRelay::Carry(int from) const {
  const int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool going = connect(to, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  while (going) {
    std::array<pollfd, 3> waits = {pollfd{from, POLLIN, 0}, pollfd{to, POLLIN, 0},
                                   pollfd{stop_, POLLIN, 0}};
    poll(waits.data(), waits.size(), -1);
    if (waits[2].revents != 0) break;
    if (waits[0].revents != 0) going = Move(from, to);
    if (going && waits[1].revents != 0) going = Move(to, from);
  }
  close(from);
  close(to);
}

}  // namespace gpumon::checks
