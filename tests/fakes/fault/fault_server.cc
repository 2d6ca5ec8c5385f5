#include "tests/fakes/fault/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "internal/base/text.h"

namespace gpumon::fault {
namespace {

constexpr std::chrono::seconds kPatience{10};

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

struct Listener {
  int fd = -1;
  std::uint16_t port = 0;
};

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

Listener Bound(std::uint16_t port) {
  Listener listener;
  listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener.fd < 0) Die("socket");
  const int yes = 1;
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = Loopback(port);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.fd, generic, size) != 0) Die("bind");
  if (getsockname(listener.fd, generic, &size) != 0) Die("getsockname");
  listener.port = ntohs(address.sin_port);
  return listener;
}

// A port that was asked for by its number stays the socket's while it does not listen.
Listener Listen(int backlog) {
  const Listener any = Bound(0);
  const Listener listener = Bound(any.port);
  close(any.fd);
  if (listen(listener.fd, backlog) != 0) Die("listen");
  return listener;
}

// For a port that has room for `backlog` connections and accepts none. Linux lets one more in; the
// rest of the SYNs are dropped.
std::vector<int> Stuffing(std::uint16_t port, int backlog) {
  std::vector<int> fds;
  const sockaddr_in address = Loopback(port);
  for (int i = 0; i < backlog + 4; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) Die("socket");
    (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    fds.push_back(fd);
  }
  return fds;
}

void ResetOnClose(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string Head(const Reply& reply, std::size_t length, bool chunked) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  if (!reply.content_type.empty()) head += "Content-Type: " + reply.content_type + "\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (reply.status != 204) {
    head += "Content-Length: " + std::to_string(length) + "\r\n";
  }
  return head + "\r\n";
}

std::string Chunk(std::string_view text) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return std::string(size.data()) + std::string(text) + "\r\n";
}

}  // namespace

std::string Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

std::string Request::Param(std::string_view name) const {
  std::string_view rest = body;
  if (rest.empty() && target.find('?') != std::string::npos) {
    rest = std::string_view(target).substr(target.find('?') + 1);
  }
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return Unescape(pair.substr(equals + 1));
    }
  }
  return {};
}

FaultServer::FaultServer() : FaultServer([](const Request&) { return Json(OneSample()); }) {}

FaultServer::FaultServer(Script script) : stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  SetScript(std::move(script));
  const Listener listener = Listen(SOMAXCONN);
  listener_ = listener.fd;
  port_ = listener.port;
  acceptor_ = std::thread([this] { Accept(); });
}

FaultServer::~FaultServer() {
  std::map<std::size_t, std::thread> workers;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  const std::uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) != sizeof one) Die("eventfd");
  acceptor_.join();
  {
    const MutexLock lock(mutex_);
    workers.swap(workers_);
  }
  for (auto& worker : workers) worker.second.join();
  for (const int fd : stuffing_) close(fd);
  close(listener_);
  close(stop_fd_);
}

void FaultServer::SetScript(Script script) {
  const MutexLock lock(mutex_);
  script_ = std::move(script);
}

void FaultServer::SetReply(Reply reply) {
  SetScript([r = std::move(reply)](const Request&) { return r; });
}

void FaultServer::Enqueue(Reply reply) {
  const MutexLock lock(mutex_);
  queue_.push_back(std::move(reply));
}

void FaultServer::Release() {
  {
    const MutexLock lock(mutex_);
    released_ = true;
  }
  changed_.NotifyAll();
}

void FaultServer::Step() {
  {
    const MutexLock lock(mutex_);
    ++steps_;
  }
  changed_.NotifyAll();
}

void FaultServer::Refuse() {
  Close(Port::kClosed, false);
}

void FaultServer::GoDown() {
  Close(Port::kClosed, true);
}

void FaultServer::DropPackets() {
  Close(Port::kFull, true);
  if (listen(listener_, 0) != 0) Die("listen");
  for (const int fd : stuffing_) close(fd);
  stuffing_ = Stuffing(port_, 0);
}

void FaultServer::ComeBack() {
  {
    const MutexLock lock(mutex_);
    if (listen(listener_, SOMAXCONN) != 0) Die("listen");
    port_state_ = Port::kOpen;
  }
  changed_.NotifyAll();
}

// The descriptor stays until the destructor, so that its number is nobody else's meanwhile.
void FaultServer::Close(Port port, bool connections_too) {
  const MutexLock lock(mutex_);
  port_state_ = port;
  shutdown(listener_, SHUT_RDWR);
  if (!connections_too) return;
  for (const int fd : open_) shutdown(fd, SHUT_RDWR);
}

std::vector<Request> FaultServer::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

std::size_t FaultServer::request_count() const {
  const MutexLock lock(mutex_);
  return requests_.size();
}

std::size_t FaultServer::connection_count() const {
  const MutexLock lock(mutex_);
  return connections_;
}

std::size_t FaultServer::closed_count() const {
  const MutexLock lock(mutex_);
  return closed_;
}

std::size_t FaultServer::peak_in_flight() const {
  const MutexLock lock(mutex_);
  return peak_;
}

template <class Condition>
bool FaultServer::Await(Condition condition) const {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const MutexLock lock(mutex_);
  while (!condition()) {
    if (!changed_.WaitUntil(mutex_, until)) return condition();
  }
  return true;
}

bool FaultServer::WaitForRequests(std::size_t count) const {
  return Await([&]() NO_THREAD_SAFETY_ANALYSIS { return requests_.size() >= count; });
}

bool FaultServer::WaitForClosed(std::size_t count) const {
  return Await([&]() NO_THREAD_SAFETY_ANALYSIS { return closed_ >= count; });
}

bool FaultServer::WaitUntilReady(int fd, short events, Millis limit) const {
  std::array<pollfd, 2> fds{pollfd{fd, events, 0}, pollfd{stop_fd_, POLLIN, 0}};
  while (poll(fds.data(), fds.size(), static_cast<int>(limit.count())) < 0) {
    if (errno != EINTR) return false;
  }
  return (fds[1].revents & POLLIN) == 0;
}

bool FaultServer::Pause(Millis time) const {
  return time.count() <= 0 || WaitUntilReady(-1, 0, time);
}

void FaultServer::Accept() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      while (port_state_ != Port::kOpen && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return;
    }
    if (!WaitUntilReady(listener_, POLLIN)) return;
    AcceptOne();
  }
}

void FaultServer::AcceptOne() {
  const MutexLock lock(mutex_);
  if (port_state_ != Port::kOpen) return;
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  open_.insert(fd);
  const std::size_t index = connections_++;
  for (const std::size_t done : finished_) {
    workers_[done].join();
    workers_.erase(done);
  }
  finished_.clear();
  workers_.emplace(index, [this, fd, index] { Serve(fd, index); });
}

void FaultServer::Serve(int fd, std::size_t index) {
  std::string buffer;
  Next next = Next::kKeep;
  while (next == Next::kKeep) {
    Request request;
    request.connection = index;
    if (!ReadRequest(fd, buffer, request)) break;
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request);
      peak_ = std::max(peak_, ++in_flight_);
    }
    changed_.NotifyAll();
    next = Answer(fd, Decide(request));
    const MutexLock lock(mutex_);
    --in_flight_;
  }
  {
    const MutexLock lock(mutex_);
    open_.erase(fd);
    close(fd);
    ++closed_;
    finished_.push_back(index);
  }
  changed_.NotifyAll();
}

bool FaultServer::ReadRequest(int fd, std::string& buffer, Request& request) {
  std::size_t head_end = std::string::npos;
  std::size_t length = 0;
  while (true) {
    if (head_end == std::string::npos) {
      head_end = buffer.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        std::size_t line = buffer.find("\r\n");
        const std::string first = buffer.substr(0, line);
        request.method = first.substr(0, first.find(' '));
        request.target = first.substr(request.method.size() + 1);
        request.target.resize(request.target.rfind(' '));
        while (line < head_end) {
          const std::size_t start = line + 2;
          line = buffer.find("\r\n", start);
          const std::string text = buffer.substr(start, line - start);
          const std::size_t colon = text.find(':');
          const std::size_t value = text.find_first_not_of(' ', colon + 1);
          request.headers.emplace_back(text.substr(0, colon),
                                       value == std::string::npos ? "" : text.substr(value));
        }
        length = std::strtoul(request.Header("Content-Length").c_str(), nullptr, 10);
      }
    }
    if (head_end != std::string::npos && buffer.size() >= head_end + 4 + length) {
      request.body = buffer.substr(head_end + 4, length);
      buffer.erase(0, head_end + 4 + length);
      return true;
    }
    if (!WaitUntilReady(fd, POLLIN)) return false;
    std::array<char, 16384> block{};
    const ssize_t got = recv(fd, block.data(), block.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got > 0) buffer.append(block.data(), static_cast<std::size_t>(got));
    if (!buffer.empty() && (buffer.front() < 'A' || buffer.front() > 'Z')) {
      // TLS, say: as other servers do, answer at once.
      Send(fd, Head(HttpStatus(400), 0, false));
      return false;
    }
  }
}

Reply FaultServer::Decide(const Request& request) {
  Script script;
  {
    const MutexLock lock(mutex_);
    if (!queue_.empty()) {
      Reply reply = std::move(queue_.front());
      queue_.pop_front();
      return reply;
    }
    script = script_;
  }
  return script(request);
}

FaultServer::Next FaultServer::Answer(int fd, const Reply& reply) {
  if (reply.held) {
    const MutexLock lock(mutex_);
    while (!released_ && !stopping_) changed_.Wait(mutex_);
    if (stopping_) return Next::kClosed;
  }
  if (!Pause(reply.delay)) return Next::kClosed;
  switch (reply.fault) {
    case Reply::Fault::kHang:
      WaitForEnd(fd, reply.close_delay);
      return Next::kClosed;
    case Reply::Fault::kClose:
      return Next::kClosed;
    case Reply::Fault::kReset:
      ResetOnClose(fd);
      return Next::kClosed;
    case Reply::Fault::kResetMidBody:
    case Reply::Fault::kTruncated:
      Send(fd, Head(reply, reply.body.size(), false));
      Send(fd, std::string_view(reply.body).substr(0, reply.body.size() / 2));
      if (reply.fault == Reply::Fault::kResetMidBody) ResetOnClose(fd);
      return Next::kClosed;
    case Reply::Fault::kNoLastChunk:
      if (reply.generated_bytes > 0) {
        // One chunk that promises a byte more than there will be.
        std::ostringstream size;
        size << std::hex << reply.generated_bytes + 1 << "\r\n";
        Send(fd, Head(reply, 0, true) + size.str()) && SendGenerated(fd, reply.generated_bytes);
        return Next::kClosed;
      }
      Send(fd, Head(reply, 0, true) + Chunk(reply.body));
      return Next::kClosed;
    case Reply::Fault::kRaw:
      Send(fd, reply.body);
      return Next::kClosed;
    case Reply::Fault::kNone:
      break;
  }
  const Next next = SendBody(fd, reply);
  if (!reply.close_after) return next;
  if (next == Next::kKeep && reply.close_delay.count() > 0) WaitForEnd(fd, reply.close_delay);
  return Next::kClosed;
}

FaultServer::Next FaultServer::SendPieces(int fd, const Reply& reply, std::string_view bytes) {
  if (reply.limit_bytes) bytes = bytes.substr(0, *reply.limit_bytes);
  const std::size_t piece = reply.piece_bytes == 0 ? bytes.size() : reply.piece_bytes;
  while (!bytes.empty()) {
    if (!Send(fd, bytes.substr(0, piece))) return Next::kClosed;
    bytes.remove_prefix(std::min(piece, bytes.size()));
    if (!bytes.empty() && !Pause(reply.piece_pause)) return Next::kClosed;
  }
  return reply.limit_bytes ? Next::kClosed : Next::kKeep;
}

FaultServer::Next FaultServer::SendBody(int fd, const Reply& reply) {
  if (reply.generated_bytes > 0) {
    const bool sent = Send(fd, Head(reply, reply.generated_bytes, false)) &&
                      SendGenerated(fd, reply.generated_bytes);
    return sent ? Next::kKeep : Next::kClosed;
  }
  std::string head = Head(reply, reply.body.size(), false);
  if (reply.step_bytes == 0) return SendPieces(fd, reply, head + reply.body);
  if (!Send(fd, head)) return Next::kClosed;
  std::size_t taken = 0;
  for (std::size_t at = 0; at < reply.body.size(); at += reply.step_bytes) {
    {
      const MutexLock lock(mutex_);
      while (steps_ <= taken && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return Next::kClosed;
      ++taken;
    }
    if (!Send(fd, std::string_view(reply.body).substr(at, reply.step_bytes))) {
      return Next::kClosed;
    }
  }
  return Next::kKeep;
}

bool FaultServer::SendGenerated(int fd, std::size_t bytes) {
  const std::string block(std::min(bytes, std::size_t{64} << 10U), 'x');
  while (bytes > 0) {
    const std::size_t count = std::min(bytes, block.size());
    if (!Send(fd, std::string_view(block).substr(0, count))) return false;
    bytes -= count;
  }
  return true;
}

bool FaultServer::Send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitUntilReady(fd, POLLOUT)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void FaultServer::WaitForEnd(int fd, Millis limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  std::array<char, 256> ignored{};
  Millis left = limit.count() > 0 ? limit : Millis(-1);
  while (left.count() != 0 && WaitUntilReady(fd, POLLIN, left)) {
    const ssize_t got = recv(fd, ignored.data(), ignored.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (limit.count() == 0) continue;
    left = std::max(Millis(0), std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now()));
  }
}

SilentPort::SilentPort() {
  const Listener listener = Listen(SOMAXCONN);
  fd_ = listener.fd;
  port_ = listener.port;
}

SilentPort::~SilentPort() {
  close(fd_);
}

BlackHole::BlackHole() {
  const Listener listener = Listen(0);
  port_ = listener.port;
  fds_ = Stuffing(port_, 0);
  fds_.push_back(listener.fd);
}

BlackHole::~BlackHole() {
  for (const int fd : fds_) close(fd);
}

std::string RefusingUrl() {
  const Listener listener = Listen(1);
  close(listener.fd);
  return "http://127.0.0.1:" + std::to_string(listener.port);
}

}  // namespace gpumon::fault
