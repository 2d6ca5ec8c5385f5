// An HTTP/1.1 server: one answer per request, in order, from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/http/message.h"

namespace gpumon::http {

// Time-outs and sizes; the defaults are the product's.
struct Limits {
  std::size_t target_bytes = 8 * 1024;     // more: 414
  std::size_t head_bytes = 32 * 1024;      // more: 431
  std::size_t headers = 100;               // more, or more trailers: 431
  std::size_t body_bytes = 64 * 1024;      // more: 413
  std::size_t large_body_bytes = 1 << 20;  // for routes marked `large_body`
  std::size_t connections = 8192;          // more: 503 and close
  // What a streaming client may still have to take, or its largest event where that is larger.
  std::size_t stream_buffer_bytes = 64 * 1024;
  Millis head_timeout{10'000};  // first byte of a request to its last: 408
  Millis idle_timeout{75'000};  // between requests: close
  Millis write_stall{20'000};   // no byte accepted by the client: close
  // Of what is left when a stream ends a client has to take so much a second, after write_stall.
  std::size_t least_rate = 8 * 1024;
  Millis handler_timeout{15'000};  // no answer from the handler: 500
  // +-10 %; then the next answer says `Connection: close`, and a stream ends once all of it is
  // sent.
  Millis connection_max_age{120'000};
};

// A path and its methods. `{name}` is one whole segment: "/api/v1/gpu/nodes/{node}".
// Paths match byte for byte; HEAD is served where GET is.
struct Route {
  std::vector<std::string> methods;
  std::string path;
  bool large_body = false;
  bool unlimited_time = false;  // handler_timeout does not apply (profiles, streams)
};

// Where a request went. `route` indexes the routes given to the server.
struct Match {
  int route = -1;
  // Values of `{name}` segments in order, percent-decoded, valid UTF-8.
  std::vector<std::string> params;
};

// An answer of unknown length, sent chunked (or until close on HTTP/1.0). Thread-safe.
class Stream {
 public:
  enum class Written : std::uint8_t {
    kQueued,
    // Not queued: of earlier calls the client has more to take than Limits::stream_buffer_bytes,
    // and than the largest of them.
    kBehind,
    // The client is gone; or after End(), Server::BeginDrain() or Limits::connection_max_age, and
    // in answers to HEAD.
    kGone,
  };

  virtual ~Stream() = default;  // ends the stream
  // Queues `data`, of any size, shared and not copied; never blocks.
  virtual Written Write(Body data) = 0;
  // Ends the stream, behind `last`, which is queued however far behind the client is. What it does
  // not take in time (Limits::write_stall, least_rate) is lost to it. Idempotent.
  virtual void End(Body last) = 0;
  void End() { End(nullptr); }
  virtual bool Alive() const = 0;  // as the Responder's
};

// The one answer to one request. Thread-safe: may be kept, and completed from any thread. The
// first Send or StartStream counts, later ones are ignored and logged. Destroying it unanswered
// answers 500. A client that went away makes every call a harmless no-op.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Send(Response response) = 0;
  // Sends status and headers at once. Null when an answer was already given.
  virtual std::shared_ptr<Stream> StartStream(Response head) = 0;
  // False when the client is known to have gone: work for it may be skipped. On a route of
  // unlimited time a client that has closed its half of the connection is taken to have gone.
  virtual bool Alive() const = 0;
};

// The status of a request whose client was gone before anybody answered. For the log and the
// metrics alone: it is in no answer.
inline constexpr int kClientGone = 499;

// One line for the access log; given once per answer, after its last byte was handed to the
// kernel or the connection was lost. A request that Stop() leaves unanswered has none.
struct Access {
  std::string method;  // "-" when no request line was understood
  std::string target;  // path without query; at most 256 bytes
  std::string peer;
  std::string request_id;  // the X-Request-Id of the answer
  int route = -1;          // -1: none (404, or refused by the transport)
  int status = 0;
  std::uint64_t bytes = 0;                // body bytes handed to the kernel
  std::chrono::microseconds duration{0};  // from the request's first byte
  bool complete = true;                   // false: the client went away first
};

// What the server serves. No call may block, or Stop() the server. Handle and Options come from
// server threads; Refuse and Done also from the thread that sent, or dropped, an answer: hold no
// lock there that they take. They may throw, which the server answers with Refuse(kInternal) (an
// empty 500 when that throws too) and one log line.
class Application {
 public:
  virtual ~Application() = default;
  virtual void Handle(Request request, Match match, std::shared_ptr<Responder> responder) = 0;
  // The answer to an error of the transport, the router or a handler. `request` is null when not
  // even a request line could be read; after a handler failed it has the method, the path, the
  // peer and, of the headers, X-Request-Id and Origin. `allow` is set with kMethodNotAllowed.
  virtual Response Refuse(const Status& status, const Request* request,
                          const std::string& allow) = 0;
  // OPTIONS of an existing path (or `*`): 204, Allow, CORS.
  virtual Response Options(const Request& request, const std::string& allow) = 0;
  virtual void Done(const Access& access) = 0;
};

struct ServerStats {
  std::uint64_t connections = 0;  // open now
  std::uint64_t in_flight = 0;    // requests being answered now
  std::uint64_t requests = 0;     // since start
  std::uint64_t refused = 0;      // requests the transport refused, since start
  // Grows several times a second; stands still while a thread of the server hangs, in the
  // application too.
  std::uint64_t beats = 0;
};

struct ServerOptions {
  std::string address = "0.0.0.0";  // IPv4 or IPv6 literal
  std::uint16_t port = 0;           // 0: the kernel chooses
  int threads = 2;
  // Removed from the front of each path before routing, which leaves at least "/"; a path without
  // it is 404. "" or "/x/y".
  std::string base_path;
  Limits limits;
  std::vector<Route> routes;
};

// Thread-safe once started.
class Server {
 public:
  virtual ~Server() = default;  // drops what is left
  // Listens and serves on its own threads. kUnavailable with the address and the reason when it
  // cannot listen.
  virtual Result<std::uint16_t> Start() = 0;  // the port
  // Stops keep-alive: every answer from now on says `Connection: close`, idle connections close.
  // Ends every Stream, with its last chunk. Closes the listener once what it holds is accepted:
  // give load balancers time to look away before. May block for 100 ms.
  virtual void BeginDrain() = 0;
  // Waits until everything is answered and every connection closed: idle ones, and those with half
  // a request, are given their time. False when `limit` passed first. Blocks the caller.
  virtual bool AwaitDrained(Millis limit) = 0;
  virtual void Stop() = 0;  // closes the listener and every connection; idempotent
  virtual ServerStats stats() const = 0;
};

// `application` must outlive the server.
std::unique_ptr<Server> MakeServer(ServerOptions options, Application& application);

}  // namespace gpumon::http
