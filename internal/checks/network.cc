#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "internal/checks/failure.h"
#include "internal/checks/sockets.h"
#include "internal/checks/system.h"
#include "internal/checks/texts.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kNetwork = "Network Connectivity";
constexpr std::string_view kUsage = "Port Usage";
constexpr std::string_view kPortsHint =
    "verify that the containers run (docker ps) and that their ports are bound to these numbers";

std::string Named(const Port& port) {
  return std::to_string(port.port) + " (" + port.name + ')';
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// A connection on its way to the first address of its host, or what came of it.
class Attempt {
 public:
  explicit Attempt(const Port& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code =
        getaddrinfo(port.host.c_str(), std::to_string(port.port).c_str(), &hints, &found);
    const Addresses addresses(found);
    if (code != 0) {
      result_ = gai_strerror(code);
      return;
    }
    Begin(*addresses);
  }
  ~Attempt() {
    if (fd_ >= 0) close(fd_);
  }
  Attempt(Attempt&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), result_(std::move(other.result_)) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  bool pending() const { return fd_ >= 0 && result_.empty(); }
  bool connected() const { return result_ == kConnected; }
  // A word of libc, or "connected".
  const std::string& result() const { return result_; }
  int fd() const { return fd_; }

  void Settle() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    Set(error);
  }
  void GiveUp(const std::string& why) { result_ = why; }

 private:
  static constexpr std::string_view kConnected = "connected";

  void Begin(const addrinfo& address) {
    fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Set(errno);
    if (connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return Set(0);
    if (errno != EINPROGRESS) Set(errno);
  }
  void Set(int error) { result_ = error == 0 ? std::string(kConnected) : std::strerror(error); }

  int fd_ = -1;
  std::string result_;
};

void AwaitAll(std::vector<Attempt>& attempts, const Clock& clock, Deadline deadline) {
  const Millis limit = std::chrono::ceil<std::chrono::seconds>(deadline.Left(clock));
  while (true) {
    std::vector<pollfd> waits;
    std::vector<Attempt*> waiting;
    for (Attempt& attempt : attempts) {
      if (!attempt.pending()) continue;
      waits.push_back({attempt.fd(), POLLOUT, 0});
      waiting.push_back(&attempt);
    }
    if (waits.empty()) return;
    const auto left = static_cast<int>(deadline.Left(clock).count());
    if (poll(waits.data(), waits.size(), left) == 0 || left == 0) {
      for (Attempt* attempt : waiting) attempt->GiveUp(NoAnswerWithin(limit));
      return;
    }
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents != 0) waiting[i]->Settle();
    }
  }
}

Outcome OfNetwork(const std::vector<Port>& ports, const Clock& clock, Deadline deadline) {
  std::vector<Attempt> attempts;
  attempts.reserve(ports.size());
  for (const Port& port : ports) attempts.emplace_back(port);
  AwaitAll(attempts, clock, deadline);
  std::vector<std::string> closed;
  std::vector<std::string> steps;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    steps.push_back("connect " + ports[i].host + ':' + Named(ports[i]) + ": " +
                    attempts[i].result());
    if (!attempts[i].connected()) closed.push_back(Named(ports[i]));
  }
  const std::size_t open = ports.size() - closed.size();
  const std::string count =
      std::to_string(open) + '/' + std::to_string(ports.size()) + " ports accessible";
  Outcome outcome;
  if (closed.empty()) {
    outcome.status = Status::kHealthy;
    outcome.details = count;
  } else {
    outcome = Failed(2 * open > ports.size() ? Status::kDegraded : Status::kUnhealthy, kNetwork,
                     count + "; not " + Joined(closed), kPortsHint);
  }
  outcome.steps = std::move(steps);
  return outcome;
}

// The owners that may be seen; "" when none may.
std::string OwnersText(const std::set<std::uint64_t>& inodes,
                       const std::map<std::uint64_t, std::string>& owners) {
  std::vector<std::string> names;
  for (const std::uint64_t inode : inodes) {
    const auto owner = owners.find(inode);
    if (owner == owners.end()) continue;
    if (std::find(names.begin(), names.end(), owner->second) == names.end()) {
      names.push_back(owner->second);
    }
  }
  return Joined(names);
}

// False when the kernel has no such file, or shows nobody what is in it.
bool ReadTable(const std::string& path, Listeners& listeners, std::vector<std::string>& steps) {
  const std::string text = ReadProcFile(path);
  steps.push_back("read " + path + (text.empty() ? ": missing, or cannot be read" : ""));
  ReadListeners(text, listeners);
  return !text.empty();
}

// Whose sockets they are, a step and a text for each port.
struct Bound {
  std::vector<std::string> bound;  // "8091 by manager (pid 7)"
  std::vector<std::string> free;
};
Bound BoundOf(const std::vector<Port>& ports, const std::string& proc, Listeners& listeners,
              const Clock& clock, Deadline deadline, std::vector<std::string>& steps) {
  std::set<std::uint64_t> inodes;
  for (const Port& port : ports) {
    inodes.insert(listeners[port.port].begin(), listeners[port.port].end());
  }
  const auto owners = OwnersOf(proc, inodes, clock, deadline);
  steps.push_back("looked in " + proc + "/PID/fd for " + std::to_string(inodes.size()) +
                  " sockets, " + std::to_string(owners.size()) + " found" +
                  (deadline.Passed(clock) ? ": there was no time left" : ""));
  Bound all;
  for (const Port& port : ports) {
    if (listeners[port.port].empty()) {
      all.free.push_back(Named(port));
      steps.push_back(Named(port) + " is not bound");
      continue;
    }
    const std::string owner = OwnersText(listeners[port.port], owners);
    const std::string who = owner.empty() ? std::string("a process of another user") : owner;
    all.bound.push_back(std::to_string(port.port) + " by " + who);
    steps.push_back(Named(port) + " is bound by " + who);
  }
  return all;
}

Outcome OfUsage(const std::vector<Port>& ports, const std::string& proc, const Clock& clock,
                Deadline deadline) {
  std::vector<std::string> steps;
  Listeners listeners;
  if (!ReadTable(proc + "/net/tcp", listeners, steps)) {
    Outcome outcome = Failed(Status::kUnknown, kUsage, proc + "/net/tcp cannot be read", "");
    outcome.steps = std::move(steps);
    return outcome;
  }
  ReadTable(proc + "/net/tcp6", listeners, steps);
  const auto [bound, free] = BoundOf(ports, proc, listeners, clock, deadline, steps);
  const std::string count =
      std::to_string(bound.size()) + '/' + std::to_string(ports.size()) + " ports bound";
  Outcome outcome;
  if (3 * bound.size() >= 2 * ports.size()) {
    outcome.status = Status::kHealthy;
  } else {
    outcome = Failed(3 * bound.size() >= ports.size() ? Status::kDegraded : Status::kUnhealthy,
                     kUsage, count + "; not " + Joined(free), kPortsHint);
  }
  outcome.details = count + (bound.empty() ? "" : ": " + Joined(bound)) +
                    (free.empty() ? "" : "; free: " + Joined(free));
  outcome.steps = std::move(steps);
  return outcome;
}

}  // namespace

bool IsOnThisMachine(const Port& port) {
  return port.host == "localhost" || port.host == "::1" || port.host.starts_with("127.");
}

Probe NetworkProbe(std::vector<Port> ports) {
  return [ports = std::move(ports)](const Clock& clock, Deadline deadline) {
    return OfNetwork(ports, clock, deadline);
  };
}

Probe PortUsageProbe(std::vector<Port> ports, std::string proc) {
  return [ports = std::move(ports), proc = std::move(proc)](const Clock& clock, Deadline deadline) {
    return OfUsage(ports, proc, clock, deadline);
  };
}

}  // namespace gpumon::checks
