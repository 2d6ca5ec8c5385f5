// HTTP as a client: what the product asks of other servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::fetch {

struct Request {
  std::string url;  // http or https; never shown to clients, logged without userinfo
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Sent as application/x-www-form-urlencoded POST when not empty, else GET.
  std::string form = {};
  // "" for the above; else a request with this method and `body`, whose Content-Type is among
  // `headers`.
  std::string method = {};
  std::string body = {};
  // Of a URL that names this machine (IsLoopbackUrl) any certificate will do: GPUd makes one of its
  // own at each start. Elsewhere it changes nothing.
  bool any_certificate = false;
  // The same for every URL: who answers is then not known. For people who ask for it by hand.
  bool any_certificate_anywhere = false;
  std::size_t max_response_bytes = std::size_t{64} << 20U;  // decompressed
  // Of a larger body its last max_response_bytes are the answer, which is Response::cut then; up to
  // twice as many are held meanwhile. Else that is kUpstreamTooLarge.
  bool keep_end = false;
  // Path of a Unix socket, which is then connected to in place of the URL's host.
  std::string unix_socket = {};
};

struct Response {
  int status = 0;
  std::string content_type;  // as sent, "" when absent
  std::string date;          // the Date header, "" when absent
  std::string retry_after;   // the Retry-After header, "" when absent
  std::string warning = {};  // the Warning headers, with commas between them; "" when absent
  std::string body;          // decompressed
  bool cut = false;          // something before the body was left out
};

// Called once, from an I/O thread: hand long work to an Executor.
//
// Errors: kUpstreamUnreachable (refused, reset, name not found, cut short), kUpstreamTimeout (no
// whole answer by the deadline), kUpstreamTls, kUpstreamAuth (a credentials file cannot be used
// now), kUpstreamTooLarge, kUpstreamInvalid (not HTTP, or coded otherwise than asked for),
// kInternal (the URL is not http or https), kDraining (the client is stopping). The message is a
// clause about the server, "the connection was refused", for the caller's own sentence; the detail
// has the URL without its userinfo. Every HTTP status is a success here, a redirect too: it is
// never followed.
using Done = std::function<void(Result<Response>)>;

// Thread-safe.
class Client {
 public:
  // Requests still under way are ended first, each with kDraining.
  virtual ~Client() = default;
  // Starts a request and returns at once. `done` is never called from inside Fetch.
  virtual void Fetch(Request request, Deadline deadline, Done done) = 0;
};

// Whether to ask for compressed answers: that costs both ends CPU and saves network.
enum class Gzip : std::uint8_t { kNever, kAcrossMachines, kAlways };

// Files are re-read when they change (a Kubernetes secret's symlink swap too), looked at no more
// than once a second. An empty path switches the option off.
struct ClientOptions {
  // What errors put before "bearer-token-file", "basic-auth-file", "ca-file", "headers-file", so
  // that they name the program's own options.
  std::string name_prefix;
  std::string bearer_token_file;  // one line
  std::string basic_auth_file;    // user:password, one line
  std::string ca_file;            // PEM; replaces the system's roots
  std::string headers_file;       // `Name: value` lines
  Millis connect_timeout{1000};
  std::size_t max_connections_per_host = 32;
  // What bodies under way may take together, beside that of the request which started first. One
  // that finds no room waits for it, within its deadline; unasked compression cannot wait and is
  // kUpstreamTooLarge.
  std::size_t shared_body_bytes = std::size_t{16} << 20U;
  // kAcrossMachines: where the URL does not name this machine (IsLoopbackUrl).
  Gzip gzip = Gzip::kNever;
};

// libcurl multi on one I/O thread, keep-alive connections, HTTP/1.1. Certificates are always
// verified; userinfo of the URL is sent as basic authentication unless a file gives another one;
// the environment's proxy variables are not used. `clock` must outlive the client.
// kInvalidParameter, naming the option and the file, when a file cannot be read or parsed now.
Result<std::unique_ptr<Client>> MakeClient(const ClientOptions& options, const Clock& clock);

}  // namespace gpumon::fetch
