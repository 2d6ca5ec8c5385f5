#include "internal/checks/redis.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/checks/peer.h"

namespace gpumon::checks {
namespace {

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

constexpr std::string_view kPasswordHint = "give its password in a password file or REDISCLI_AUTH";

// An error reply by its first words.
struct ErrorRow {
  std::string_view words;
  Status status;
  std::string_view details;
  std::string_view hint;
};
constexpr std::array kErrors = {
    ErrorRow{"NOAUTH", Status::kDegraded, "A password is needed", kPasswordHint},
    ErrorRow{"WRONGPASS", Status::kUnhealthy, "Wrong user or password", kPasswordHint},
    ErrorRow{"ERR invalid password", Status::kUnhealthy, "Wrong user or password", kPasswordHint},
    ErrorRow{"ERR max number of clients", Status::kDegraded, "Too many clients",
             "raise maxclients, or see with CLIENT LIST who holds the connections"},
    ErrorRow{"LOADING", Status::kDegraded, "Loading its data", "wait until it has loaded"},
    ErrorRow{"MASTERDOWN", Status::kDegraded, "Its master is down", "see to the master it follows"},
    ErrorRow{"MISCONF", Status::kDegraded, "Cannot save, refuses writes",
             "see in its log why it cannot write to its disk"},
    ErrorRow{"BUSY", Status::kDegraded, "Busy with a script",
             "end the script with SCRIPT KILL or FUNCTION KILL"},
    ErrorRow{"NOPERM", Status::kDegraded, "The user may not PING",
             "allow the user +ping with ACL SETUSER"},
    ErrorRow{"DENIED", Status::kUnhealthy, "Protected mode",
             "give it a password, or bind it to the addresses it is to answer"},
};

// One run of the probe. One thread.
class Run {
 public:
  Run(const RedisTarget& target, const Clock& clock, Deadline deadline)
      : target_(target), clock_(clock), deadline_(deadline) {}

  Outcome Go() {
    const SteadyTime start = clock_.Steady();
    if (ReadPassword() && Open() && LogIn()) Ping();
    JudgePace("Redis", std::chrono::duration_cast<Millis>(clock_.Steady() - start),
              target_.slow_after, outcome_);
    return std::move(outcome_);
  }

 private:
  void Step(std::string line) { outcome_.steps.push_back(std::move(line)); }

  // Always false.
  bool Fail(Status status, std::string_view details, const std::string& why,
            std::string_view hint) {
    outcome_.status = status;
    outcome_.details = details;
    outcome_.error =
        "Redis check failed: " + why + " (" + PlaceOf(target_.host, target_.port) + ")";
    outcome_.hint = hint;
    if (!outcome_.hint.empty()) outcome_.hint += "; ";
    if (target_.container.empty()) {
      const std::string where = target_.host.starts_with('/')
                                    ? " -s " + target_.host
                                    : " -h " + target_.host + " -p " + std::to_string(target_.port);
      outcome_.hint += "see its log; test by hand: redis-cli" + where + " ping";
    } else {
      outcome_.hint += "check the container: docker logs " + target_.container +
                       "; test by hand: docker exec -it " + target_.container + " redis-cli ping";
    }
    Step("failed: " + why);
    return false;
  }

  bool FailLate(const std::string& why) {
    return Fail(Status::kUnhealthy, "No answer in time", why, "");
  }

  bool FailBroken(std::string_view why) {
    const bool closed = why == "Server closed the connection";
    return Fail(Status::kUnhealthy,
                closed ? "Connection closed by the server" : "Connection failed", Said(why), "");
  }

  bool FailWith(const char* command, std::string_view error) {
    const std::string why = std::string(command) + " was answered with " + Said(error);
    for (const ErrorRow& row : kErrors) {
      if (error.starts_with(row.words)) return Fail(row.status, row.details, why, row.hint);
    }
    return Fail(Status::kDegraded, "Answered with an error", why, "");
  }

  std::string Said(std::string_view text) const { return Quotable(text, password_); }

  bool ReadPassword() {
    if (target_.password_file.empty()) {
      const char* const set = std::getenv("REDISCLI_AUTH");
      if (set != nullptr) password_ = set;
      return true;
    }
    auto password = ReadPasswordFile(target_.password_file);
    if (!password) return Fail(Status::kUnknown, "No password", password.error().message, "");
    password_ = *std::move(password);
    Step("password from " + target_.password_file);
    return true;
  }

  bool Open() {
    if (target_.host.starts_with('/')) {
      const std::string why = Connect(target_.host, redisConnectUnixNonBlock(target_.host.c_str()));
      return why.empty() || FailConnect(why);
    }
    const auto addresses = AddressesOf(target_.host, clock_, deadline_);
    if (!addresses) {
      return Fail(Status::kUnhealthy, "Address not found", addresses.error().message, "");
    }
    std::string why;
    for (const std::string& address : *addresses) {
      why = Connect(PlaceOf(address, target_.port),
                    redisConnectNonBlock(address.c_str(), target_.port));
      if (why.empty()) return true;
    }
    return FailConnect(why);
  }

  // Why not; "" when connected.
  std::string Connect(const std::string& place, redisContext* context) {
    Step("connect to " + place);
    context_.reset(context);
    if (!context_) return "no memory for hiredis";
    if (context_->err != 0) return context_->errstr;
    if (!AwaitSocket(context_->fd, POLLOUT, clock_, deadline_)) return kLate;
    int failed = 0;
    socklen_t size = sizeof failed;
    if (getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
    return failed == 0 ? "" : std::strerror(failed);
  }

  bool FailConnect(const std::string& why) {
    if (why == kLate) return FailLate(why);
    if (why != std::strerror(ECONNREFUSED)) return FailBroken(why);
    return Fail(Status::kUnhealthy, "Connection refused", why,
                "see with `docker ps` that the container runs and that its port is this one");
  }

  // hiredis writes with write(2): one to a connection that is gone would end the process.
  void Send(const std::vector<std::string_view>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    char* command = nullptr;
    const int made = redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(),
                                            sizes.data());
    const std::unique_ptr<char, void (*)(char*)> owner(command, redisFreeCommand);
    std::string_view rest(command, made > 0 ? static_cast<std::size_t>(made) : 0);
    while (!rest.empty() && AwaitSocket(context_->fd, POLLOUT, clock_, deadline_)) {
      const ssize_t sent = send(context_->fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      // A full server says so and closes before it reads: that is still there to be read.
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
      if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // The answer to `words`; null when there is none, which the outcome says then.
  Reply Ask(const char* command, const std::vector<std::string_view>& words) {
    Send(words);
    for (;;) {
      if (!AwaitSocket(context_->fd, POLLIN, clock_, deadline_)) {
        FailLate(std::string(command) + " was not answered in time");
        return nullptr;
      }
      if (redisBufferRead(context_.get()) != REDIS_OK) {
        FailBroken(context_->errstr);
        return nullptr;
      }
      // PING and AUTH are answered with a line: nothing else is worth the memory it may claim.
      constexpr std::size_t kMostBytes = 4096;
      const redisReader& reader = *context_->reader;
      void* reply = nullptr;
      const bool line = reader.len == reader.pos || reader.buf[reader.pos] == '+' ||
                        reader.buf[reader.pos] == '-';
      if (!line || redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK ||
          (reply == nullptr && reader.len > kMostBytes)) {
        Fail(Status::kUnhealthy, "Not Redis",
             std::string(command) + " was answered with something that is not Redis's protocol",
             kSomebodyElse);
        return nullptr;
      }
      if (reply != nullptr) return Reply(static_cast<redisReply*>(reply));
    }
  }

  // An AUTH that fails for another reason than its password may still leave PING to be answered:
  // a server without a password refuses any.
  bool LogIn() {
    if (password_.empty()) return true;
    std::vector<std::string_view> words = {"AUTH", password_};
    if (!target_.user.empty()) words.insert(words.begin() + 1, target_.user);
    const Reply reply = Ask("AUTH", words);
    if (!reply) return false;
    const std::string_view text(reply->str, reply->len);
    Step("AUTH: " + Said(text));
    if (reply->type != REDIS_REPLY_ERROR) return true;
    const bool unneeded = text.find("without any password configured") != std::string_view::npos ||
                          text.find("no password is set") != std::string_view::npos;
    return unneeded || FailWith("AUTH", text);
  }

  void Ping() {
    const Reply reply = Ask("PING", {"PING"});
    if (!reply) return;
    const std::string_view text(reply->str, reply->len);
    Step("PING: " + Said(text));
    if (reply->type == REDIS_REPLY_ERROR) {
      FailWith("PING", text);
    } else if (text == "PONG") {
      outcome_.status = Status::kHealthy;
      outcome_.details = "PING successful";
    } else {
      Fail(Status::kDegraded, "Unexpected answer", "PING was answered with " + Said(text), "");
    }
  }

  static constexpr const char* kLate = "the connection was not accepted in time";

  const RedisTarget& target_;
  const Clock& clock_;
  const Deadline deadline_;
  std::string password_;
  Context context_;
  Outcome outcome_;
};

}  // namespace

Probe RedisProbe(RedisTarget target) {
  return [target = std::move(target)](const Clock& clock, Deadline deadline) {
    return Run(target, clock, deadline).Go();
  };
}

}  // namespace gpumon::checks
