#include "tests/fakes/servers/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace gpumon::servers {

RawServer::RawServer(std::vector<Turn> turns, After after)
    : turns_(std::move(turns)),
      after_(after),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("no port to listen on");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

RawServer::~RawServer() {
  eventfd_write(stop_fd_, 1);
  thread_.join();
  for (const int fd : held_) close(fd);
  close(listener_);
  close(stop_fd_);
}

std::string RawServer::received() const {
  const MutexLock lock(mutex_);
  return received_;
}

void RawServer::Serve() {
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{listener_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) Play(fd);
  }
}

void RawServer::Play(int fd) {
  std::string unread;
  for (const Turn& turn : turns_) {
    if (!ReadUntil(fd, turn.until, unread)) break;
    std::string_view rest = turn.say;
    while (!rest.empty()) {
      const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  if (after_ == After::kHold) {
    held_.push_back(fd);
    return;
  }
  if (after_ == After::kReset) {
    const linger now{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(fd);
}

bool RawServer::ReadUntil(int fd, const std::string& until, std::string& unread) {
  for (;;) {
    const auto at = unread.find(until);
    if (at != std::string::npos) {
      // What came with it was not asked for by the next turn.
      if (!until.empty()) unread.clear();
      return true;
    }
    std::array<pollfd, 2> fds = {pollfd{fd, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return false;
    char piece[4096];
    const ssize_t got = recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return false;
    unread.append(piece, static_cast<std::size_t>(got));
    const MutexLock lock(mutex_);
    received_.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace gpumon::servers
