#include "cmd/gpu-exporter/healthcheck.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/config/endpoint.h"

namespace gpumon::exporter {
namespace {

// libcurl and all that it needs would double the exporter's image, for one line of an answer.
constexpr Millis kLimit{5000};
constexpr std::size_t kStatusLine = std::string_view("HTTP/1.1 200").size();

class Socket {
 public:
  explicit Socket(int family)
      : fd_(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Status SystemError() {
  return {Code::kUpstreamUnreachable, std::strerror(errno)};
}

bool IsV6(const config::Endpoint& endpoint) {
  return endpoint.host.find(':') != std::string::npos;
}

int Connect(const Socket& socket, const config::Endpoint& endpoint) {
  if (!IsV6(endpoint)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    inet_pton(AF_INET, endpoint.host.c_str(), &v4.sin_addr);
    return connect(socket.fd(), reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  inet_pton(AF_INET6, endpoint.host.c_str(), &v6.sin6_addr);
  return connect(socket.fd(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

// Nothing when `events` came in time.
std::optional<Status> Await(const Socket& socket, short events, const Deadline& deadline) {
  const SystemClock clock;
  pollfd waiting{socket.fd(), events, 0};
  const int ready = poll(&waiting, 1, static_cast<int>(deadline.Left(clock).count()));
  if (ready < 0) return SystemError();
  if (ready == 0) return Status{Code::kUpstreamTimeout, "no answer in 5 s"};
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return std::nullopt;
  errno = error;
  return SystemError();
}

// The status of the answer to GET `path`.
Result<std::string> Ask(const config::Endpoint& endpoint, const std::string& path) {
  const Deadline deadline = Deadline::After(SystemClock(), kLimit);
  const Socket socket(IsV6(endpoint) ? AF_INET6 : AF_INET);
  if (Connect(socket, endpoint) != 0 && errno != EINPROGRESS) return Error(SystemError());
  if (const auto failed = Await(socket, POLLOUT, deadline)) return Error(*failed);
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Error(SystemError());
  }
  std::string line;
  while (line.size() < kStatusLine) {
    if (const auto failed = Await(socket, POLLIN, deadline)) return Error(*failed);
    char piece[kStatusLine];
    const ssize_t got = recv(socket.fd(), piece, kStatusLine - line.size(), 0);
    if (got <= 0) return Error(Code::kUpstreamInvalid, "no HTTP answer");
    line.append(piece, static_cast<std::size_t>(got));
  }
  if (!line.starts_with("HTTP/1.")) return Error(Code::kUpstreamInvalid, "no HTTP answer");
  return line.substr(std::string_view("HTTP/1.1 ").size());
}

}  // namespace

int CheckHealth(const config::Values& values, std::ostream& err) {
  const auto fail = [&err](std::string_view why) {
    err << "healthcheck: " << why << '\n';
    return 1;
  };
  const std::string path = values.Text("--healthcheck");
  if (!path.starts_with('/') || path.find_first_of(" \r\n") != std::string::npos) {
    return fail(values.Refuse("--healthcheck", "is no path that begins with a slash").message);
  }
  auto endpoint = config::ReadEndpoint(values);
  if (!endpoint) return fail(endpoint.error().message);
  // One that listens on every address is asked on the loopback one.
  if (endpoint->host == "0.0.0.0") endpoint->host = "127.0.0.1";
  if (endpoint->host == "::") endpoint->host = "::1";
  const std::string where = (IsV6(*endpoint) ? '[' + endpoint->host + ']' : endpoint->host) + ':' +
                            std::to_string(endpoint->port) + path;
  const auto status = Ask(*endpoint, path);
  if (!status) return fail(where + ": " + status.error().message);
  return *status == "200" ? 0 : fail(where + " answered " + *status);
}

}  // namespace gpumon::exporter
