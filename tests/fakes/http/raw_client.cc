#include "tests/fakes/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace gpumon::http {
namespace {

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

RawClient::RawClient(std::uint16_t port, int receive_buffer) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Close();
}

RawClient::~RawClient() {
  Close();
}

void RawClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool RawClient::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::EndSending() const {
  shutdown(fd_, SHUT_WR);
}

void RawClient::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

bool RawClient::Fill(SteadyTime until) {
  if (ended_ || fd_ < 0) return false;
  const auto left = std::chrono::ceil<Millis>(until - Now());
  pollfd ready{fd_, POLLIN, 0};
  if (left.count() < 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  std::array<char, 65536> bytes;
  const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  in_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

bool RawClient::ReadChunks(RawAnswer& answer, SteadyTime until) {
  for (;;) {
    std::size_t line = 0;
    while ((line = in_.find("\r\n")) == std::string::npos) {
      if (!Fill(until)) return false;
    }
    const std::size_t size = std::strtoul(in_.c_str(), nullptr, 16);
    while (in_.size() < line + 2 + size + 2) {
      if (!Fill(until)) return false;
    }
    answer.body.append(in_, line + 2, size);
    in_.erase(0, line + 2 + size + 2);
    if (size == 0) return true;
  }
}

std::optional<RawAnswer> RawClient::Read(bool head_only, Millis limit) {
  const SteadyTime until = Now() + limit;
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(until)) return std::nullopt;
  }
  RawAnswer answer;
  std::string_view head(in_.data(), end + 2);
  if (head.substr(0, 9) != "HTTP/1.1 ") return std::nullopt;
  answer.status = std::atoi(head.data() + 9);
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return std::nullopt;
    answer.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  in_.erase(0, end + 4);
  const bool no_body =
      head_only || answer.status < 200 || answer.status == 204 || answer.status == 304;
  if (no_body) {
    answer.complete = true;
  } else if (answer.Value("Transfer-Encoding") == "chunked") {
    answer.complete = ReadChunks(answer, until);
  } else if (Find(answer.headers, "Content-Length") != nullptr) {
    const std::size_t size = std::stoul(answer.Value("Content-Length"));
    while (in_.size() < size && Fill(until)) {
    }
    answer.complete = in_.size() >= size;
    answer.body = in_.substr(0, size);
    in_.erase(0, size);
  } else {
    while (Fill(until)) {
    }
    answer.complete = ended_;
    answer.body.swap(in_);
  }
  return answer;
}

std::optional<RawAnswer> RawClient::Ask(std::string_view bytes, bool head_only) {
  if (!Send(bytes)) return std::nullopt;
  return Read(head_only);
}

std::string RawClient::ReadAll(Millis limit) {
  const SteadyTime until = Now() + limit;
  while (Fill(until)) {
  }
  std::string all;
  all.swap(in_);
  return all;
}

bool RawClient::IsClosed(Millis limit) {
  const std::string rest = ReadAll(limit);
  return ended_ && rest.empty();
}

}  // namespace gpumon::http
