#include "tests/e2e/stream_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using std::chrono::steady_clock;

int Connect(std::uint16_t port, int receive_buffer) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    throw std::runtime_error("cannot connect");
  }
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

StreamClient::StreamClient(std::uint16_t port, const std::string& target, const Headers& headers,
                           int receive_buffer)
    : fd_(Connect(port, receive_buffer)) {
  SendAll(fd_, RequestText("GET", target, headers));
}

StreamClient::~StreamClient() {
  close(fd_);
}

bool StreamClient::ReadSome(SteadyTime until) {
  const auto left = std::chrono::ceil<Millis>(until - steady_clock::now());
  pollfd ready{fd_, POLLIN, 0};
  if (ended_ || left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
    return false;
  }
  std::string bytes(65'536, '\0');
  const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  in_.append(bytes, 0, static_cast<std::size_t>(got));
  if (head_.status == 0) TakeHead();
  if (head_.status == 200) TakeChunks();
  return true;
}

void StreamClient::TakeHead() {
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  // An answer without a body has the same head.
  std::string head = in_.substr(0, end + 2);
  if (const std::size_t at = head.find("Transfer-Encoding"); at != std::string::npos) {
    head.erase(at, head.find("\r\n", at) + 2 - at);
  }
  ParseAnswer(head + "\r\n", true, false, head_);
  in_.erase(0, end + 4);
}

void StreamClient::TakeChunks() {
  for (;;) {
    const std::size_t line = in_.find("\r\n");
    if (line == std::string::npos) return;
    const std::size_t size = std::strtoul(in_.c_str(), nullptr, 16);
    if (in_.size() < line + 2 + size + 2) return;
    if (size == 0) whole_ = true;
    for (const auto& event : reader_.Take(std::string_view(in_).substr(line + 2, size))) {
      well_formed_ = follower_.Take(event) && well_formed_;
      names_.push_back(event.name);
    }
    in_.erase(0, line + 2 + size + 2);
  }
}

bool StreamClient::Await(const std::function<bool()>& condition, Millis limit) {
  const SteadyTime until = steady_clock::now() + process::Scaled(limit);
  while (!condition()) {
    if (!ReadSome(until)) return condition();
  }
  return true;
}

bool StreamClient::AwaitEnd(Millis limit) {
  const SteadyTime until = steady_clock::now() + process::Scaled(limit);
  while (ReadSome(until)) {
  }
  return ended_;
}

std::vector<std::string> StreamClient::Rows(std::vector<std::string> left_out) const {
  left_out.emplace_back("key");
  std::vector<std::string> rows;
  for (const auto& [key, row] : follower_.rows()) rows.push_back(events::TextOf(row, left_out));
  std::sort(rows.begin(), rows.end());
  return rows;
}

StreamCrowd::StreamCrowd(std::uint16_t port, std::size_t clients) {
  for (std::size_t i = 0; i < clients; ++i) {
    fds_.push_back(Connect(port, 0));
    SendAll(fds_.back(), RequestText("GET", kStream));
  }
}

StreamCrowd::~StreamCrowd() {
  for (const int fd : fds_) close(fd);
}

std::size_t StreamCrowd::Read(Millis time) {
  const SteadyTime until = steady_clock::now() + process::Scaled(time);
  std::vector<pollfd> ready;
  for (const int fd : fds_) ready.push_back({fd, POLLIN, 0});
  std::string bytes(1 << 20, '\0');
  std::size_t total = 0;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(until - steady_clock::now());
    if (left.count() <= 0 ||
        poll(ready.data(), ready.size(), static_cast<int>(left.count())) <= 0) {
      return total;
    }
    for (pollfd& one : ready) {
      if (one.revents == 0) continue;
      const ssize_t got = recv(one.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got > 0) total += static_cast<std::size_t>(got);
      if (got == 0) one.fd = -1;
    }
  }
}

}  // namespace gpumon::e2e
