// The server on Pistache's listener and reactor threads. Pistache reads; everything after that is
// ours (connection.h): its own framing and writing mix clients up and block threads.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pistache/endpoint.h>
#include <pistache/http.h>
#include <pistache/peer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

// Pistache's headers leave a macro of this name, which is our thread annotation's.
#undef REQUIRES

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/http/answer_head.h"
#include "internal/http/connection.h"
#include "internal/http/core.h"
#include "internal/http/descriptor_plan.h"
#include "internal/http/listening_socket.h"
#include "internal/http/server.h"

namespace gpumon::http {
namespace {

namespace ph = Pistache::Http;
using PeerPtr = std::shared_ptr<Pistache::Tcp::Peer>;

constexpr const char* kConnectionData = "gpumon";
// Pistache's own time-outs know nothing of our handlers: never.
constexpr std::chrono::hours kNever{24 * 3650};

// The other end of `fd`. Pistache's own Peer::address() gives a byte-swapped port.
Connection::Client ClientOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  Connection::Client client{"unknown", false};
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return client;
  std::array<char, INET6_ADDRSTRLEN> text{};
  in_addr v4{};
  if (storage.ss_family == AF_INET) {
    v4 = reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
  } else {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
      client.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
      client.address = inet_ntop(AF_INET6, &v6, text.data(), text.size());
      return client;
    }
    std::copy(v6.s6_addr + 12, v6.s6_addr + 16, reinterpret_cast<unsigned char*>(&v4));
  }
  client.is_loopback = (ntohl(v4.s_addr) >> 24U) == 127;
  client.address = inet_ntop(AF_INET, &v4, text.data(), text.size());
  return client;
}

// Without the place in a library's source: "bind(): Address already in use (../net.h:12)".
std::string_view ReasonOf(std::string_view what) {
  const std::size_t place = what.rfind(" (");
  const bool is_place = what.ends_with(')') && place != std::string_view::npos &&
                        what.find(".h:", place) != std::string_view::npos;
  return is_place ? what.substr(0, place) : what;
}

// Counts what Pistache holds, so that Stop() can let it close everything first.
struct Peers {
  Mutex mutex;
  CondVar changed;
  std::size_t count GUARDED_BY(mutex) = 0;
};

// One per reactor thread, cloned by Pistache.
class Reader final : public ph::Handler {
 public:
  HTTP_PROTOTYPE(Reader)

  Reader(std::shared_ptr<Core> core, std::shared_ptr<Peers> peers, DescriptorPlan plan)
      : core_(std::move(core)),
        peers_(std::move(peers)),
        plan_(plan),
        ids_(std::make_shared<std::atomic<std::uint64_t>>(0)),
        parser_(std::make_shared<ph::RequestParser>(1)) {}

  void onRequest(const ph::Request& /*request*/, ph::ResponseWriter /*response*/) override {}

 private:
  static std::shared_ptr<Connection> Of(const PeerPtr& peer) {
    return std::static_pointer_cast<Connection>(peer->tryGetData(kConnectionData));
  }

  // Of this clone's thread.
  Pulse::Mark& mark() {
    if (!mark_) mark_ = core_->pulse.Add();
    return *mark_;
  }

  void onConnection(const PeerPtr& peer) override {
    const Pulse::Call call(mark());
    // Pistache's timer asks every peer for its parser, and throws without one.
    peer->putData(ParserData, parser_);
    std::size_t held = 0;
    {
      MutexLock lock(peers_->mutex);
      held = ++peers_->count;
    }
    try {
      Admit(peer, held);
    } catch (const std::exception& e) {
      log::Error("a connection could not be taken", {{"exception", e.what()}});
      shutdown(peer->fd(), SHUT_RDWR);
    }
  }

  // `held`: by Pistache, which closes its descriptors later than we do ours.
  void Admit(const PeerPtr& peer, std::size_t held) {
    const std::uint64_t open = core_->connections;
    const bool full = open >= plan_.connections;
    const bool made_room = full && held <= plan_.connections + plan_.refusals + plan_.leaving &&
                           core_->oldest_idle.CloseOne(core_->flusher);
    const bool may_wait = made_room || open < plan_.connections + plan_.refusals;
    const int fd = may_wait && !core_->stopping
                       ? fcntl(peer->fd(), F_DUPFD_CLOEXEC, plan_.first_duplicate)
                       : -1;
    if (fd < 0) {
      if (!core_->stopping) SendRefusal(peer->fd());
      shutdown(peer->fd(), SHUT_RDWR);
      return;
    }
    const std::uint64_t id = ++*ids_;
    auto connection = std::make_shared<Connection>(core_, id, fd, ClientOf(fd));
    core_->flusher.Add(id, connection);
    peer->putData(kConnectionData, connection);
    if (full && !made_room) connection->TurnAway(Overloaded());
  }

  static Status Overloaded() {
    return {Code::kOverloaded, "the server has as many connections as it can take", {}, 1};
  }

  // To a client for whom there is not even a place to wait for his request: what his socket takes
  // at once, and it takes this.
  void SendRefusal(int fd) {
    ++core_->refused;
    const Response response = core_->application.Refuse(Overloaded(), nullptr, "");
    const std::string_view body = response.body ? std::string_view(*response.body) : "";
    std::string text;
    AppendHead(text, response, {BodyEnd::Kind::kLength, body.size()}, false);
    text += body;
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    Access access;
    access.method = access.target = "-";
    access.peer = ClientOf(fd).address;
    if (const std::string* id = Find(response.headers, "X-Request-Id")) access.request_id = *id;
    access.status = response.status;
    access.complete = sent == static_cast<ssize_t>(text.size());
    access.bytes = access.complete ? body.size() : 0;
    core_->application.Done(access);
  }

  void onInput(const char* bytes, std::size_t size, const PeerPtr& peer) override {
    const Pulse::Call call(mark());
    const auto connection = Of(peer);
    if (!connection) return;
    try {
      connection->OnInput({bytes, size});
    } catch (const std::exception& e) {
      log::Error("a connection failed", {{"exception", e.what()}});
      connection->Abort();
    }
  }

  void onDisconnection(const PeerPtr& peer) override {
    const Pulse::Call call(mark());
    if (const auto connection = Of(peer)) connection->OnEnd();
    MutexLock lock(peers_->mutex);
    --peers_->count;
    peers_->changed.NotifyAll();
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<Peers> peers_;
  DescriptorPlan plan_;
  std::shared_ptr<std::atomic<std::uint64_t>> ids_;
  std::shared_ptr<ph::RequestParser> parser_;
  std::shared_ptr<Pulse::Mark> mark_;  // null in what Pistache clones
};

class PistacheServer final : public Server {
 public:
  PistacheServer(ServerOptions options, Application& application)
      : options_(std::move(options)), core_(std::make_shared<Core>(options_, application)) {}
  ~PistacheServer() override { Stop(); }
  PistacheServer(const PistacheServer&) = delete;
  PistacheServer& operator=(const PistacheServer&) = delete;

  Result<std::uint16_t> Start() override;
  void BeginDrain() override;
  bool AwaitDrained(Millis limit) override;
  void Stop() override;
  ServerStats stats() const override {
    return {core_->connections, core_->in_flight, core_->requests, core_->refused,
            core_->pulse.beats()};
  }

 private:
  const ServerOptions options_;
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Peers> peers_ = std::make_shared<Peers>();
  Mutex stop_mutex_;
  std::unique_ptr<ph::Endpoint> endpoint_ GUARDED_BY(stop_mutex_);
  ListeningSocket listener_ GUARDED_BY(stop_mutex_);
};

Result<std::uint16_t> PistacheServer::Start() {
  const std::string& host = options_.address;
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  const bool v6 = inet_pton(AF_INET6, host.c_str(), binary.data()) == 1;
  const std::string where = (v6 ? "[" + host + "]" : host) + ":" + std::to_string(options_.port);
  if (!v6 && inet_pton(AF_INET, host.c_str(), binary.data()) != 1) {
    return Error(Code::kUnavailable, "cannot listen on " + where + ": not an IPv4 or IPv6 address");
  }
  // A client that goes away must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  const auto plan = PlanDescriptors(options_.limits.connections, options_.threads);
  if (!plan) return Error(plan.error());
  if (plan->connections < options_.limits.connections) {
    log::Warning("the limit of open files allows fewer connections than configured",
                 {{"connections", plan->connections}, {"wanted", options_.limits.connections}});
  }
  MutexLock lock(stop_mutex_);
  try {
    using Flag = Pistache::Tcp::Options;
    endpoint_ = std::make_unique<ph::Endpoint>(Pistache::Address(where));
    endpoint_->init(ph::Endpoint::options()
                        .threads(options_.threads)
                        .threadsName("http")
                        .flags(Flag::ReuseAddr | Flag::NoDelay | Flag::CloseOnExec)
                        .headerTimeout(kNever)
                        .bodyTimeout(kNever)
                        .keepaliveTimeout(kNever));
    endpoint_->setHandler(std::make_shared<Reader>(core_, peers_, *plan));
    core_->flusher.Start([core = core_.get(), near = plan->connections / 8 * 7] {
      core->crowded = core->connections > near;
      core->pulse.Look();
    });
    endpoint_->serveThreaded();
    const auto port = static_cast<std::uint16_t>(endpoint_->getPort());
    listener_ = ListeningSocket(port);
    return port;
  } catch (const std::exception& e) {
    endpoint_.reset();
    core_->flusher.Stop();
    return Error(Code::kUnavailable,
                 "cannot listen on " + where + ": " + std::string(ReasonOf(e.what())) +
                     "; --port sets another port, 0 takes one that is free, --listen-addr sets "
                     "another address");
  }
}

void PistacheServer::BeginDrain() {
  constexpr Millis kPatience{100};
  core_->draining = true;
  {
    MutexLock lock(stop_mutex_);
    listener_.Close(kPatience);
  }
  core_->flusher.Hurry();
}

bool PistacheServer::AwaitDrained(Millis limit) {
  return core_->flusher.AwaitQuiet(std::chrono::steady_clock::now() + limit,
                                   [this] { return core_->connections == 0; });
}

void PistacheServer::Stop() {
  MutexLock lock(stop_mutex_);
  if (!endpoint_) return;
  core_->stopping = true;
  for (const auto& connection : core_->flusher.All()) connection->Abort();
  {
    // Pistache closes its descriptors when it sees the connections end, and only then.
    constexpr Millis kPatience{1'000};
    const SteadyTime until = std::chrono::steady_clock::now() + kPatience;
    MutexLock peers(peers_->mutex);
    while (peers_->count > 0 && peers_->changed.WaitUntil(peers_->mutex, until)) {
    }
  }
  endpoint_->shutdown();
  endpoint_.reset();
  for (const auto& connection : core_->flusher.All()) connection->Abort();
  core_->flusher.Stop();
  core_->application.Close();
}

}  // namespace

std::unique_ptr<Server> MakeServer(ServerOptions options, Application& application) {
  return std::make_unique<PistacheServer>(std::move(options), application);
}

}  // namespace gpumon::http
