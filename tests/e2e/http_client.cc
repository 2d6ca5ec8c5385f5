#include "tests/e2e/http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>

#include "internal/base/text.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using Steady = std::chrono::steady_clock;

int MillisLeft(Steady::time_point until) {
  const auto left = std::chrono::duration_cast<Millis>(until - Steady::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

bool Ready(int fd, short events, Steady::time_point until) {
  pollfd waiting{fd, events, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, MillisLeft(until));
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

void ParseHead(std::string_view head, Answer& answer) {
  const std::string_view first = head.substr(0, head.find("\r\n"));
  if (first.starts_with("HTTP/1.") && first.size() >= 12) {
    std::from_chars(first.data() + 9, first.data() + 12, answer.status);
  }
  std::size_t at = first.size() + 2;
  while (at < head.size()) {
    const std::size_t end = std::min(head.find("\r\n", at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string_view value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      answer.headers.emplace_back(line.substr(0, colon), value);
    }
    at = end + 2;
  }
}

// Bytes of a whole chunked body at the front of `rest`, 0 when it is not whole yet.
std::size_t TakeChunks(std::string_view rest, std::string& body) {
  std::size_t at = 0;
  while (true) {
    const std::size_t line = rest.find("\r\n", at);
    if (line == std::string_view::npos) return 0;
    std::size_t size = 0;
    if (std::from_chars(rest.data() + at, rest.data() + line, size, 16).ec != std::errc()) return 0;
    at = line + 2;
    if (rest.size() < at + size + 2) return 0;
    body.append(rest.substr(at, size));
    at += size + 2;
    if (size == 0) return at;
  }
}

}  // namespace

std::string Answer::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

std::size_t Answer::Count(std::string_view name) const {
  std::size_t count = 0;
  for (const auto& header : headers) count += EqualsIgnoreCase(header.first, name) ? 1U : 0U;
  return count;
}

json::Value Answer::Json() const {
  auto document = json::ParseDocument(body);
  return document ? *std::move(document) : json::Value();
}

std::string Answer::Text() const {
  return std::to_string(status) + ' ' + body.substr(0, 600);
}

std::size_t ParseAnswer(std::string_view buffer, bool is_head, bool closed, Answer& answer) {
  std::size_t skipped = 0;
  std::size_t head = 0;
  while (true) {
    answer = Answer();
    const std::string_view rest = buffer.substr(skipped);
    const std::size_t end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    ParseHead(rest.substr(0, end), answer);
    head = skipped + end + 4;
    if (answer.status >= 200 || answer.status == 0) break;
    skipped = head;
  }
  const std::string_view rest = buffer.substr(head);
  if (is_head || answer.status == 204 || answer.status == 304) {
    answer.complete = true;
    return head;
  }
  if (EqualsIgnoreCase(answer.Header("Transfer-Encoding"), "chunked")) {
    const std::size_t taken = TakeChunks(rest, answer.body);
    answer.complete = taken > 0;
    return taken > 0 ? head + taken : (closed ? buffer.size() : 0);
  }
  const std::string length_text = answer.Header("Content-Length");
  std::size_t length = 0;
  const char* const end = length_text.data() + length_text.size();
  if (!length_text.empty() && std::from_chars(length_text.data(), end, length).ptr == end) {
    if (rest.size() < length && !closed) return 0;
    answer.body = rest.substr(0, length);
    answer.complete = rest.size() >= length;
    return head + answer.body.size();
  }
  answer.body = rest;
  answer.complete = closed;
  return closed ? buffer.size() : 0;
}

int StartConnecting(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(fd, generic, sizeof address) != 0 && errno != EINPROGRESS) {
    close(fd);
    return -1;
  }
  return fd;
}

Connection::Connection(std::uint16_t port) : fd_(StartConnecting(port)) {
  if (fd_ < 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  const bool ready = Ready(fd_, POLLOUT, Steady::now() + process::Scaled(Millis(5000)));
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (ready && error == 0) return;
  close(fd_);
  fd_ = -1;
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

bool Connection::Send(std::string_view bytes) {
  const auto until = Steady::now() + process::Scaled(Millis(20'000));
  while (fd_ >= 0 && !bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return false;
    } else if (!Ready(fd_, POLLOUT, until)) {
      return false;
    }
  }
  return fd_ >= 0;
}

Answer Connection::Read(bool is_head, Millis limit) {
  const auto started = Steady::now();
  const auto until = started + process::Scaled(limit);
  Answer answer;
  while (fd_ >= 0) {
    const std::size_t taken = ParseAnswer(buffer_, is_head, closed_, answer);
    if (taken > 0) {
      buffer_.erase(0, taken);
      answer.seconds = std::chrono::duration<double>(Steady::now() - started).count();
      return answer;
    }
    if (closed_ || !Ready(fd_, POLLIN, until)) break;
    std::array<char, 65536> block;
    const ssize_t got = recv(fd_, block.data(), block.size(), 0);
    if (got > 0) buffer_.append(block.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
  }
  return {};
}

bool Connection::AwaitClose(Millis limit) {
  const auto until = Steady::now() + process::Scaled(limit);
  while (fd_ >= 0 && !closed_ && Ready(fd_, POLLIN, until)) {
    std::array<char, 4096> block;
    const ssize_t got = recv(fd_, block.data(), block.size(), 0);
    if (got > 0) return false;
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) closed_ = true;
  }
  return closed_ && buffer_.empty();
}

void Connection::ShutDownSending() {
  shutdown(fd_, SHUT_WR);
}

void Connection::Reset() {
  if (fd_ < 0) return;
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd_);
  fd_ = -1;
}

std::string RequestText(std::string_view method, std::string_view target, const Headers& headers,
                        std::string_view body) {
  std::string text = std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : headers) {
    text += name + ": " + value + "\r\n";
    has_host |= EqualsIgnoreCase(name, "Host");
  }
  if (!has_host) text += "Host: localhost\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

Answer Fetch(std::uint16_t port, std::string_view target, const Headers& headers,
             std::string_view method, std::string_view body) {
  Connection connection(port);
  if (!connection.Send(RequestText(method, target, headers, body))) return {};
  return connection.Read(method == "HEAD");
}

std::string Gunzip(std::string_view compressed) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return {};
  std::string input(compressed);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  std::string room(std::size_t{64} << 10U, '\0');
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? out : std::string();
}

}  // namespace gpumon::e2e
