#include "internal/http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "internal/base/log.h"
#include "internal/http/exchange.h"

namespace gpumon::http {
namespace {

// Bytes of later requests that may wait behind one that is being answered.
constexpr std::size_t kPipelined = 128U << 10U;
constexpr std::size_t kKeptInput = 16U << 10U;
// After the last answer: time for the client to read it before the kernel may reset.
constexpr Millis kLinger{2'000};
// While draining. A client that just got an answer may be sending its next request.
constexpr Millis kDrainIdle{500};
constexpr Millis kDrainRequest{2'000};
constexpr Millis kCrowdedIdle{1'000};

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

// +-10 %, spread evenly over consecutive connections.
Millis Jittered(Millis age, std::uint64_t id) {
  constexpr std::uint64_t kSteps = 1000;
  const auto step = static_cast<std::int64_t>(id * 618 % kSteps);
  return age * 9 / 10 + age / 5 * step / static_cast<std::int64_t>(kSteps);
}

// What the router's verdict means for the client; nothing when it is served.
std::optional<Status> Objection(const Verdict& verdict) {
  using Kind = Verdict::Kind;
  switch (verdict.kind) {
    case Kind::kMatch:
    case Kind::kOptions:
      return std::nullopt;
    case Kind::kNotFound:
      return Status{Code::kNotFound, "there is no such path", {}, 0};
    case Kind::kBadPath:
      return Status{Code::kBadRequest, "the path has an escape that no path here may have", {}, 0};
    case Kind::kWrongMethod:
      return Status{Code::kMethodNotAllowed, "this path allows " + verdict.allow, {}, 0};
    case Kind::kUnknownMethod:
      return Status{Code::kNotImplemented, "this server does not know that method", {}, 0};
  }
  return std::nullopt;
}

// What an error's answer and the access log need after the handler took the request.
Request Brief(const Request& request) {
  Request brief;
  brief.method = request.method;
  brief.path = request.path;
  brief.version_minor = request.version_minor;
  brief.peer = request.peer;
  brief.peer_is_loopback = request.peer_is_loopback;
  brief.received_at = request.received_at;
  for (const std::string_view name : {"X-Request-Id", "Origin"}) {
    const std::string* value = Find(request.headers, name);
    if (value != nullptr) brief.headers.push_back({std::string(name), *value});
  }
  return brief;
}

}  // namespace

Connection::Connection(std::shared_ptr<Core> core, std::uint64_t id, int fd, Client client)
    : core_(std::move(core)),
      id_(id),
      client_(std::move(client)),
      close_after_(Now() + Jittered(core_->limits.connection_max_age, id)),
      fd_(fd),
      parser_(core_->limits),
      request_begun_(Now()),
      idle_since_(request_begun_) {
  ++core_->connections;
}

Connection::~Connection() {
  MutexLock lock(mutex_);
  CloseSocket();
}

void Connection::OnInput(std::string_view bytes) {
  {
    MutexLock lock(mutex_);
    if (fd_ < 0 || end_of_input_ || phase_ == Phase::kLingering) return;
    if (phase_ == Phase::kReading && !MidRequest()) request_begun_ = Now();
    in_ += bytes;
    // What came is still served; the connection then closes.
    if (phase_ == Phase::kAnswering && in_.size() - in_begin_ > kPipelined) end_of_input_ = true;
    if (!ClaimPump()) return;
  }
  Pump();
}

void Connection::OnEnd() {
  std::optional<Access> done;
  bool pump = false;
  {
    MutexLock lock(mutex_);
    client_ended_ = !end_of_input_;
    reader_gone_ = end_of_input_ = true;
    if (fd_ < 0) return;
    tcp_info info{};
    socklen_t size = sizeof info;
    const bool reset =
        getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
    if (reset || phase_ == Phase::kLingering) {
      done = Drop(false);
    } else {
      pump = ClaimPump();
    }
  }
  if (pump) Pump();
  Report(done);
}

void Connection::TurnAway(const Status& status) {
  Work work;
  {
    MutexLock lock(mutex_);
    BeginRefusal(work, status);
  }
  Serve(std::move(work));
}

std::optional<SteadyTime> Connection::WaitsSince() const {
  if (phase_ != Phase::kReading || pumping_ || has_head_) return std::nullopt;
  return MidRequest() ? request_begun_ : idle_since_;
}

std::optional<SteadyTime> Connection::IdleSince() const {
  MutexLock lock(mutex_);
  return WaitsSince();
}

bool Connection::CloseIdle(SteadyTime since) {
  MutexLock lock(mutex_);
  if (WaitsSince() != since || HasUnread()) return false;
  CloseSocket();
  return true;
}

// Bytes that the reactor has not come to yet: it is late, not the client.
bool Connection::HasUnread() const {
  int unread = 0;
  return ioctl(fd_, FIONREAD, &unread) == 0 && unread > 0;
}

void Connection::OnWritable() {
  std::optional<Access> done;
  {
    MutexLock lock(mutex_);
    blocked_ = false;
    done = Flush();
  }
  Report(done);
}

void Connection::Resume() {
  Pump();
}

bool Connection::ClaimPump() {
  if (phase_ != Phase::kReading || pumping_) return false;
  pumping_ = true;
  return true;
}

void Connection::Pump() {
  for (;;) {
    Work work;
    {
      MutexLock lock(mutex_);
      if (!NextWork(work)) {
        pumping_ = false;
        return;
      }
    }
    Serve(std::move(work));
  }
}

void Connection::Serve(Work work) {
  ApplicationGuard& application = core_->application;
  if (work.refusal) {
    const Request* request = work.has_request ? &work.request : nullptr;
    Send(work.turn, application.Refuse(*work.refusal, request, work.verdict.allow));
  } else if (work.verdict.kind == Verdict::Kind::kOptions) {
    Send(work.turn, application.Options(work.request, work.verdict.allow));
  } else {
    const auto exchange = std::make_shared<Exchange>(shared_from_this(), work.turn);
    const auto thrown =
        application.Handle(std::move(work.request), std::move(work.verdict.match), exchange);
    if (thrown) Fail(work.turn, "the handler threw", *thrown);
  }
}

bool Connection::MidRequest() const {
  return parser_.in_request() || in_begin_ < in_.size();
}

bool Connection::NextWork(Work& work) {
  while (phase_ == Phase::kReading) {
    std::size_t used = 0;
    const auto state = parser_.Parse({in_.data() + in_begin_, in_.size() - in_begin_}, used);
    in_begin_ += used;
    switch (state) {
      case RequestParser::State::kMore:
        in_.erase(0, in_begin_);
        in_begin_ = 0;
        if (in_.empty() && in_.capacity() > kKeptInput) in_.shrink_to_fit();
        if (!end_of_input_) return false;
        if (client_ended_ && MidRequest()) {
          BeginRefusal(work, {Code::kBadRequest, "the request ended before it was whole", {}, 0});
          return true;
        }
        CloseSocket();
        return false;
      case RequestParser::State::kHead:
        if (!TakeHead(work)) continue;
        return true;
      case RequestParser::State::kRefused:
        BeginRefusal(work, parser_.refusal());
        return true;
      case RequestParser::State::kDone: {
        const bool keep_alive = parser_.keep_alive();
        work.request = parser_.Take();
        work.refusal = Objection(verdict_);
        work.verdict = std::move(verdict_);
        BeginTurn(work);
        turn_.keep_alive = keep_alive;
        ++core_->requests;
        return true;
      }
    }
  }
  return false;
}

// True when the head alone decides the answer, which is then in `work`.
bool Connection::TakeHead(Work& work) {
  const Request& head = parser_.head();
  has_head_ = true;
  verdict_ = core_->router.Find(head.method, head.path);
  const bool large = verdict_.route != nullptr && verdict_.route->large_body;
  const std::size_t allowed = large ? core_->limits.large_body_bytes : core_->limits.body_bytes;
  parser_.AllowBody(allowed);
  // A body that is too large is refused by the parser, next.
  if (!parser_.expects_continue() || parser_.content_length().value_or(0) > allowed) return false;
  if (std::optional<Status> objection = Objection(verdict_)) {
    work.verdict = std::move(verdict_);
    BeginRefusal(work, *std::move(objection));
    return true;
  }
  if (in_begin_ == in_.size()) {
    outbox_.text() += "HTTP/1.1 100 Continue\r\n\r\n";
    outbox_.MarkProgress(Now());
    // No turn is active: there is nothing to report.
    [[maybe_unused]] const std::optional<Access> none = Flush();
  }
  return false;
}

void Connection::BeginTurn(Work& work) {
  work.request.peer = client_.address;
  work.request.peer_is_loopback = client_.is_loopback;
  work.request.received_at = request_begun_;
  Turn turn;
  turn.number = work.turn = turn_.number + 1;
  turn.active = true;
  turn.begun = Now();
  turn.route = work.refusal ? -1 : work.verdict.match.route;
  turn.unlimited = work.verdict.route != nullptr && work.verdict.route->unlimited_time;
  turn.brief = Brief(work.request);
  turn_ = std::move(turn);
  has_head_ = false;
  phase_ = Phase::kAnswering;
  ++core_->in_flight;
}

void Connection::BeginRefusal(Work& work, Status status) {
  work.has_request = parser_.has_request_line() || !parser_.head().headers.empty();
  if (work.has_request) work.request = parser_.head();
  work.refusal = std::move(status);
  BeginTurn(work);
  // What follows on this connection has no known beginning.
  end_of_input_ = true;
  in_.clear();
  in_begin_ = 0;
  ++core_->refused;
}

bool Connection::Sweep(SteadyTime now) {
  const Limits& limits = core_->limits;
  std::optional<Access> done;
  Work work;
  std::uint64_t overdue = 0;
  bool busy = true;
  {
    MutexLock lock(mutex_);
    switch (phase_) {
      case Phase::kReading:
        busy = SweepReading(now, work);
        break;
      case Phase::kAnswering:
        if (!turn_.answered) {
          const bool late = now - turn_.begun > limits.handler_timeout && !turn_.unlimited;
          if (late) overdue = turn_.number;
        } else {
          done = SweepAnswered(now);
        }
        break;
      case Phase::kLingering:
        if (now - idle_since_ > kLinger || (core_->draining && ClientHasAll())) CloseSocket();
        break;
      case Phase::kClosed:
        busy = false;
        break;
    }
  }
  if (work.refusal) Serve(std::move(work));
  if (overdue != 0) Fail(overdue, "the handler did not answer in time");
  Report(done);
  return busy;
}

std::optional<Access> Connection::SweepAnswered(SteadyTime now) {
  const bool streams = turn_.streaming && !turn_.ended;
  if (streams && (core_->draining || (now > close_after_ && outbox_.empty()))) {
    // Nothing else would end it.
    turn_.keep_alive = false;
    return FinishStream();
  }
  return Stalls(now) ? Drop(true) : std::nullopt;
}

bool Connection::Stalls(SteadyTime now) const {
  if (outbox_.empty()) return false;
  const Millis allowed = core_->limits.write_stall;
  if (now - outbox_.progress_at() > allowed) return true;
  // Of an ended stream the rest is due: a client that takes it byte by byte would hold bodies.
  if (!turn_.streaming || !turn_.ended) return false;
  const Millis rest = core_->draining
                          ? std::min(allowed, kDrainRequest)
                          : allowed + Millis(turn_.rest * 1000 / core_->limits.least_rate);
  return now - turn_.ended_at > rest;
}

// The client's kernel has acknowledged every byte and our end of the connection, and the client
// was not stopped in the middle of what it was sending: closing takes nothing from it.
bool Connection::ClientHasAll() const {
  if (end_of_input_) return false;
  tcp_info info{};
  socklen_t size = sizeof info;
  return getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_FIN_WAIT2;
}

bool Connection::SweepReading(SteadyTime now, Work& work) {
  const Limits& limits = core_->limits;
  const bool draining = core_->draining;
  if (pumping_) return true;
  if (MidRequest()) {
    const Millis allowed = draining || core_->crowded ? std::min(limits.head_timeout, kDrainRequest)
                                                      : limits.head_timeout;
    if (now - request_begun_ > allowed && !HasUnread()) {
      BeginRefusal(work, {Code::kRequestTimeout, "the request did not arrive in time", {}, 0});
    }
    return true;
  }
  Millis allowed = limits.idle_timeout;
  if (core_->crowded) allowed = std::min(allowed, kCrowdedIdle);
  if (draining) allowed = std::min(allowed, kDrainIdle);
  if (now - idle_since_ > allowed && !HasUnread()) {
    CloseSocket();
    return false;
  }
  // A client that was served may be sending again; one that never asked holds nothing up.
  return draining && turn_.number > 0;
}

}  // namespace gpumon::http
