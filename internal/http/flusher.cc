#include "internal/http/flusher.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "internal/http/connection.h"

namespace gpumon::http {
namespace {

constexpr std::uint64_t kWakeId = 0;  // connections count from 1
constexpr Millis kHurried{20};

Millis Interval(const Limits& limits) {
  const Millis shortest = std::min({limits.head_timeout, limits.idle_timeout, limits.write_stall,
                                    limits.handler_timeout, limits.connection_max_age});
  return std::clamp(shortest / 4, Millis(5), Millis(250));
}

}  // namespace

Flusher::Flusher(const Limits& limits)
    : interval_(Interval(limits)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeId;
  if (epoll_ < 0 || wake_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll");
  }
}

Flusher::~Flusher() {
  Stop();
  close(wake_);
  close(epoll_);
}

void Flusher::Start(std::function<void()> before_sweep) {
  thread_ = std::thread([this, before = std::move(before_sweep)] {
    pthread_setname_np(pthread_self(), "http-flusher");
    Run(before);
  });
}

void Flusher::Stop() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Flusher::Wake() {
  const std::uint64_t one = 1;
  // Full means that it is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void Flusher::Add(std::uint64_t id, std::shared_ptr<Connection> connection) {
  MutexLock lock(mutex_);
  connections_.emplace(id, std::move(connection));
}

void Flusher::Forget(std::uint64_t id) {
  std::shared_ptr<Connection> last;  // destroyed after the lock
  MutexLock lock(mutex_);
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  last = std::move(it->second);
  connections_.erase(it);
}

std::vector<std::shared_ptr<Connection>> Flusher::All() const {
  std::vector<std::shared_ptr<Connection>> all;
  MutexLock lock(mutex_);
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  return all;
}

std::shared_ptr<Connection> Flusher::Get(std::uint64_t id) const {
  MutexLock lock(mutex_);
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second;
}

void Flusher::Watch(int fd, std::uint64_t id, bool again) {
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.u64 = id;
  epoll_ctl(epoll_, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

void Flusher::Unwatch(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Flusher::PostResume(std::uint64_t id) {
  {
    MutexLock lock(mutex_);
    to_resume_.push_back(id);
    if (to_resume_.size() > 1) return;  // already woken
  }
  Wake();
}

void Flusher::Hurry() {
  hurry_ = true;
  Wake();
}

bool Flusher::AwaitQuiet(SteadyTime until, const std::function<bool()>& idle) {
  MutexLock lock(mutex_);
  for (std::uint64_t after = sweeps_begun_;;) {
    if (last_quiet_sweep_ > after) {
      if (idle()) return true;
      after = sweeps_begun_;
    }
    if (!swept_.WaitUntil(mutex_, until) && std::chrono::steady_clock::now() >= until) return false;
  }
}

void Flusher::Run(const std::function<void()>& before_sweep) {
  SteadyTime next_sweep = std::chrono::steady_clock::now() + interval_;
  std::array<epoll_event, 64> events{};
  while (!stopping_) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const Millis interval = hurry_ ? std::min(interval_, kHurried) : interval_;
    next_sweep = std::min(next_sweep, now + interval);
    if (now >= next_sweep) {
      before_sweep();
      Sweep();
      next_sweep = std::chrono::steady_clock::now() + interval;
      continue;
    }
    const auto wait = std::chrono::ceil<Millis>(next_sweep - now);
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(wait.count()));
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == kWakeId) {
        std::uint64_t wakes = 0;
        [[maybe_unused]] const ssize_t got = read(wake_, &wakes, sizeof wakes);
      } else if (const auto connection = Get(id)) {
        connection->OnWritable();
      }
    }
    std::vector<std::uint64_t> resume;
    {
      MutexLock lock(mutex_);
      resume.swap(to_resume_);
    }
    for (const std::uint64_t id : resume) {
      if (const auto connection = Get(id)) connection->Resume();
    }
  }
}

void Flusher::Sweep() {
  std::uint64_t number = 0;
  {
    MutexLock lock(mutex_);
    number = ++sweeps_begun_;
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  bool busy = false;
  for (const auto& connection : All()) busy = connection->Sweep(now) || busy;
  MutexLock lock(mutex_);
  if (!busy) last_quiet_sweep_ = number;
  swept_.NotifyAll();
}

}  // namespace gpumon::http
