// The writing half of Connection.
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include "internal/base/log.h"
#include "internal/http/answer_head.h"
#include "internal/http/connection.h"

namespace gpumon::http {
namespace {

constexpr std::size_t kLoggedTarget = 256;
// What the kernel takes of a stream before it can send it. By itself it takes megabytes, and more
// only when a third of them is gone: a slow client seems to take nothing meanwhile.
constexpr int kStreamAhead = 128 * 1024;

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

// Bytes that the kernel has and the client's has not.
std::size_t Unacknowledged(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::string ChunkHead(std::size_t bytes) {
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes, 16).ptr;
  return std::string(size.data(), end) + "\r\n";
}

}  // namespace

bool Connection::IsOpen(std::uint64_t turn) const {
  return turn_.active && turn_.number == turn && !turn_.answered;
}

bool Connection::Alive(std::uint64_t turn) const {
  MutexLock lock(mutex_);
  // Ctrl-C in curl only ends the client's half. Who waits for minutes keeps his half open.
  const bool over = (turn_.streaming && turn_.ended) || (turn_.unlimited && client_ended_);
  return turn_.active && turn_.number == turn && fd_ >= 0 && !over;
}

bool Connection::WillKeepAlive() const {
  const bool more_may_come = !end_of_input_ || in_begin_ < in_.size();
  // What has been sent by the time the drain begins is still answered.
  const bool last = core_->draining && in_begin_ == in_.size();
  return turn_.keep_alive && more_may_come && !last && Now() < close_after_;
}

void Connection::PutHead(const Response& response, bool streaming) {
  const bool head_only = turn_.brief.method == "HEAD" || !MayHaveBody(response.status);
  turn_.keep_alive = WillKeepAlive();
  turn_.answered = true;
  turn_.streaming = streaming;
  turn_.ended = head_only || !streaming;
  turn_.status = fd_ < 0 && !turn_.threw ? kClientGone : response.status;
  if (const std::string* id = Find(response.headers, "X-Request-Id")) turn_.request_id = *id;
  BodyEnd end;
  if (!MayHaveBody(response.status)) {
    end.kind = BodyEnd::Kind::kNoBody;
  } else if (!streaming) {
    end.length = response.body ? response.body->size() : 0;
  } else if (turn_.brief.version_minor >= 1) {
    end.kind = BodyEnd::Kind::kChunked;
    turn_.chunked = true;
  } else {
    end.kind = BodyEnd::Kind::kClose;
    turn_.keep_alive = false;
  }
  if (outbox_.empty()) outbox_.MarkProgress(Now());
  AppendHead(outbox_.text(), response, end, turn_.keep_alive);
  turn_.head_end = outbox_.sent() + outbox_.pending();
  if (!head_only && !streaming) outbox_.AddBody(response.body);
}

void Connection::Send(std::uint64_t turn, const Response& response) {
  std::optional<Access> done;
  {
    MutexLock lock(mutex_);
    if (!IsOpen(turn)) return;
    PutHead(response, false);
    done = Flush();
  }
  Report(done);
}

bool Connection::StartStream(std::uint64_t turn, const Response& head) {
  std::optional<Access> done;
  {
    MutexLock lock(mutex_);
    if (!IsOpen(turn)) return false;
    PutHead(head, true);
    setsockopt(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kStreamAhead, sizeof kStreamAhead);
    done = Flush();
  }
  Report(done);
  return true;
}

bool Connection::IsStreaming(std::uint64_t turn) const {
  return turn_.active && turn_.number == turn && turn_.streaming && !turn_.ended;
}

void Connection::PutChunk(const Body& data) {
  if (!data || data->empty()) return;
  if (outbox_.empty()) outbox_.MarkProgress(Now());
  turn_.largest_write = std::max(turn_.largest_write, data->size());
  if (turn_.chunked) outbox_.text() += ChunkHead(data->size());
  outbox_.AddBody(data);
  if (turn_.chunked) outbox_.text() += "\r\n";
}

Stream::Written Connection::WriteStream(std::uint64_t turn, const Body& data) {
  std::optional<Access> done;
  bool alive = false;
  {
    MutexLock lock(mutex_);
    if (!IsStreaming(turn) || (turn_.unlimited && client_ended_)) return Stream::Written::kGone;
    if (outbox_.pending() > std::max(core_->limits.stream_buffer_bytes, turn_.largest_write)) {
      return Stream::Written::kBehind;
    }
    PutChunk(data);
    done = Flush();
    alive = fd_ >= 0;
  }
  Report(done);
  return alive ? Stream::Written::kQueued : Stream::Written::kGone;
}

void Connection::EndStream(std::uint64_t turn, const Body& last) {
  std::optional<Access> done;
  {
    MutexLock lock(mutex_);
    if (!IsStreaming(turn)) return;
    PutChunk(last);
    done = FinishStream();
  }
  Report(done);
}

std::optional<Access> Connection::FinishStream() {
  turn_.ended = true;
  turn_.ended_at = Now();
  turn_.rest = outbox_.pending() + Unacknowledged(fd_);
  if (outbox_.empty()) outbox_.MarkProgress(turn_.ended_at);
  if (turn_.chunked) outbox_.text() += "0\r\n\r\n";
  return Flush();
}

void Connection::Fail(std::uint64_t turn, std::string_view why, std::string_view thrown) {
  Request brief;
  bool open = false;
  bool client_gone = false;
  {
    MutexLock lock(mutex_);
    open = IsOpen(turn);
    client_gone = fd_ < 0;
    if (turn_.number == turn) {
      brief = turn_.brief;
      turn_.threw = !thrown.empty();
    }
  }
  if (!thrown.empty()) {
    log::Error(why, {{"method", brief.method},
                     {"path", brief.path.substr(0, kLoggedTarget)},
                     {"exception", thrown}});
  } else if (open && !client_gone) {
    // Work for a client that has gone may be dropped without an answer.
    log::Error(why, {{"method", brief.method}, {"path", brief.path.substr(0, kLoggedTarget)}});
  }
  if (!open) return;
  const Status status{
      Code::kInternal, "the server failed to answer this request; see its log", {}, 0};
  Send(turn, core_->application.Refuse(status, &brief, ""));
}

std::optional<Access> Connection::Flush() {
  if (fd_ < 0) return turn_.active && turn_.answered ? FinishTurn(false) : std::nullopt;
  if (blocked_) return std::nullopt;
  switch (outbox_.Flush(fd_)) {
    case Outbox::Result::kEmpty:
      return turn_.active && turn_.ended ? FinishTurn(true) : std::nullopt;
    case Outbox::Result::kBlocked:
      core_->flusher.Watch(fd_, id_, watched_);
      watched_ = blocked_ = true;
      return std::nullopt;
    case Outbox::Result::kLost:
      break;
  }
  return Drop(false);
}

std::optional<Access> Connection::FinishTurn(bool complete) {
  Access access;
  const Request& brief = turn_.brief;
  access.method = brief.method.empty() ? "-" : brief.method;
  access.target = brief.path.substr(0, kLoggedTarget);
  access.peer = client_.address;
  access.request_id = std::move(turn_.request_id);
  access.route = turn_.route;
  access.status = turn_.status;
  if (outbox_.sent() > turn_.head_end) access.bytes = outbox_.sent() - turn_.head_end;
  const SteadyTime now = Now();
  access.duration = std::chrono::duration_cast<std::chrono::microseconds>(now - brief.received_at);
  access.complete = complete;
  turn_.active = false;
  idle_since_ = request_begun_ = now;
  if (fd_ < 0) {
    phase_ = Phase::kClosed;
    core_->flusher.Forget(id_);
  } else if (turn_.keep_alive) {
    phase_ = Phase::kReading;
    // The application is called from server threads only; this one may be anybody's.
    if ((in_begin_ < in_.size() || end_of_input_) && ClaimPump()) core_->flusher.PostResume(id_);
  } else if (reader_gone_) {
    CloseSocket();
  } else {
    // Closing now could reset the connection before the client has read its answer.
    phase_ = Phase::kLingering;
    shutdown(fd_, SHUT_WR);
  }
  return access;
}

std::optional<Access> Connection::Drop(bool reset) {
  if (reset && fd_ >= 0) {
    // What the client did not take would stay in the kernel for minutes.
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  CloseSocket();
  return turn_.active && turn_.answered ? FinishTurn(false) : std::nullopt;
}

void Connection::CloseSocket() {
  if (fd_ < 0) return;
  if (watched_) core_->flusher.Unwatch(fd_);
  // The reactor's descriptor is the same socket: this tells it to close its own.
  shutdown(fd_, SHUT_RDWR);
  close(fd_);
  fd_ = -1;
  outbox_.Clear();
  std::string().swap(in_);
  in_begin_ = 0;
  end_of_input_ = true;
  --core_->connections;
  if (turn_.active) return;  // it still may need its answer, to be reported
  phase_ = Phase::kClosed;
  core_->flusher.Forget(id_);
}

void Connection::Abort() {
  std::optional<Access> done;
  {
    MutexLock lock(mutex_);
    done = Drop(false);
    if (turn_.active) {
      turn_.active = false;
      phase_ = Phase::kClosed;
      --core_->in_flight;
      core_->flusher.Forget(id_);
    }
  }
  Report(done);
}

void Connection::Report(const std::optional<Access>& access) {
  if (!access) return;
  core_->application.Done(*access);
  --core_->in_flight;
}

}  // namespace gpumon::http
