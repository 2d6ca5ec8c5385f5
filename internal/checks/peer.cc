#include "internal/checks/peer.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "internal/base/regular_file.h"
#include "internal/base/text.h"

namespace gpumon::checks {
namespace {

using Addresses = Result<std::vector<std::string>>;

Addresses LookUp(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (failed != 0) {
    return Error(Code::kUpstreamUnreachable,
                 "the name " + host + " has no address: " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) !=
        0) {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  if (addresses.empty()) {
    return Error(Code::kUpstreamUnreachable, "the name " + host + " has no address");
  }
  return addresses;
}

std::string Seconds(Millis time) {
  return FormatNumber(static_cast<double>(time.count()) / 1000) + " s";
}

}  // namespace

Result<std::vector<std::string>> AddressesOf(const std::string& host, const Clock& clock,
                                             Deadline deadline) {
  if (auto numeric = LookUp(host, AI_NUMERICHOST)) return numeric;
  // getaddrinfo knows no deadline: a thread of its own outlives us where a name server is silent.
  const auto promise = std::make_shared<std::promise<Addresses>>();
  auto answer = promise->get_future();
  try {
    std::thread([promise, host] { promise->set_value(LookUp(host, 0)); }).detach();
  } catch (const std::system_error&) {
    return Error(Code::kInternal, "no thread could be started to look up " + host);
  }
  if (answer.wait_for(deadline.Left(clock)) != std::future_status::ready) {
    return Error(Code::kUpstreamTimeout, "the name servers did not answer in time for " + host);
  }
  return answer.get();
}

bool AwaitSocket(int fd, short events, const Clock& clock, Deadline deadline) {
  for (;;) {
    const auto left = std::min<Millis::rep>(deadline.Left(clock).count(), INT_MAX);
    // Also where there is always more to read.
    if (left == 0) return false;
    pollfd socket{fd, events, 0};
    const int ready = poll(&socket, 1, static_cast<int>(left));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

Result<std::string> ReadPasswordFile(const std::string& path) {
  const auto refuse = [&path](const std::string& why) {
    return Error(Code::kInvalidParameter, "the password file " + path + " " + why);
  };
  auto text = ReadRegularFile(path);
  if (!text) return refuse(text.error().message);
  std::string password = *std::move(text);
  if (password.ends_with('\n')) password.pop_back();
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) return refuse("is empty");
  if (password.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
    return refuse("must be one line");
  }
  return password;
}

std::string Quotable(std::string_view said, std::string_view secret) {
  constexpr std::size_t kMostCharacters = 300;
  std::string text(said);
  if (!secret.empty()) {
    constexpr std::string_view kMask = "***";
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kMask.size())) {
      text.replace(at, secret.size(), kMask);
    }
  }
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  line = ReplaceHidden(ToValidUtf8(line), "?");
  return std::string(FrontCharacters(line, kMostCharacters));
}

void JudgePace(std::string_view name, Millis took, Millis slow_after, Outcome& outcome) {
  if (outcome.status != Status::kHealthy || slow_after.count() == 0 || took <= slow_after) return;
  outcome.status = Status::kDegraded;
  outcome.details += " (slow)";
  outcome.error = std::string(name) + " is slow: it took " + Seconds(took) + ", more than " +
                  Seconds(slow_after);
  outcome.hint =
      "check CPU, memory and disk usage, the container's log and `docker stats` of its machine";
}

std::string PlaceOf(const std::string& host, int port) {
  if (host.starts_with('/')) return host;
  const bool bare = host.find(':') != std::string::npos;
  return (bare ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace gpumon::checks
