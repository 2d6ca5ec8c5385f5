#include "internal/http/listening_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::http {
namespace {

constexpr int kPauseMs = 1;

bool ListensOn(int fd, std::uint16_t port) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) return false;
  sockaddr_storage address{};
  size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  // The port stands in the same place in both families.
  const bool ip = address.ss_family == AF_INET || address.ss_family == AF_INET6;
  return ip && ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port) == port;
}

// Connections that wait to be accepted.
unsigned Waiting(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_unacked;  // of a listener: the length of its queue
}

// A listener that nobody can reach. To accept from it gives EAGAIN, which Pistache takes calmly; of
// anything but a listener it would end the process.
int Nobody() {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un any{};
  any.sun_family = AF_UNIX;
  const bool listens =
      fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family) == 0 &&
      listen(fd, 1) == 0;
  if (listens) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

ListeningSocket::ListeningSocket(std::uint16_t port) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  if (directory == nullptr) return;
  while (const dirent* const entry = readdir(directory.get())) {
    const int fd = std::atoi(entry->d_name);
    if (fd > 2 && ListensOn(fd, port)) fd_ = fd;
  }
}

void ListeningSocket::Close(Millis patience) {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0) return;
  const int nobody = Nobody();
  if (nobody < 0) {
    log::Warning("the listener cannot be closed before the end");
    return;
  }
  const SteadyTime until = std::chrono::steady_clock::now() + patience;
  while (Waiting(fd) > 0 && std::chrono::steady_clock::now() < until) poll(nullptr, 0, kPauseMs);
  // The number stays Pistache's; what it stands for is closed, and leaves its epoll with that.
  dup3(nobody, fd, O_CLOEXEC);
  close(nobody);
}

}  // namespace gpumon::http
