// The one route table and the one wrapper around every handler: access rules, parameters,
// envelope, headers, access log, metrics.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/access.h"
#include "handlers/parameters.h"
#include "handlers/services.h"
#include "internal/base/clock.h"
#include "internal/base/log.h"
#include "internal/base/result.h"
#include "internal/http/server.h"
#include "models/gpu.h"

namespace gpumon::handlers {

class Call;
class RenderCache;
using CallPtr = std::shared_ptr<Call>;

enum class Guard : std::uint8_t {
  kOpen,   // probes: no token, any Host
  kPage,   // what the dashboard is made of: no token, which the page itself asks for
  kToken,  // the API token, when there is one
  kDebug,  // 404 unless DEBUG_ENDPOINTS allows it; then as kToken
};

// What the successes of a route are; the answers and the OpenAPI document follow it.
enum class Form : std::uint8_t {
  kPlain,   // text, or JSON without the envelope
  kBare,    // JSON of its own shape without the envelope, with 503 too
  kData,    // the envelope
  kTagged,  // the envelope and its ETag: 304 for who has it already
  kList,    // as kTagged with `meta` in the envelope, or as CSV
};

constexpr bool IsTagged(Form form) {
  return form == Form::kTagged || form == Form::kList;
}

// One row per route. Feeds the server, GET /api, the OpenAPI document, docs/API.md and the
// metrics' `route` label.
struct RouteRow {
  std::string_view path;
  std::string_view methods;  // "GET" or "GET|POST"
  Guard guard;
  void (*handler)(const CallPtr& call);
  std::string_view summary;
  std::string_view content_type;  // of a success
  Form form = Form::kPlain;
  std::string_view data = "";  // OpenAPI schema of the envelope's data; "[]" before it: a list
  std::span<const ParameterSpec> (*parameters)() = nullptr;
  std::string_view other_type = "";  // of a success in another form, for who asks for that
  bool own_query = false;  // the handler reads the query or leaves it: it has no parameters
  bool large_body = false;
  bool unlimited_time = false;
  // A 503 is what it is there to say: logged at this level, not as our failure.
  log::Level log_503 = log::Level::kError;
};

// What the `{name}` parts of a route's path are, in their order.
std::vector<const ParameterSpec*> PathParametersOf(std::string_view path);

// Debug routes come last: without them the places of the others are the same.
std::span<const RouteRow> Routes();
// Those that exist with these settings: debug routes are not there unless they are switched on.
std::span<const RouteRow> RoutesThatExist(DebugAccess debug);

// One request on its way to one answer. Kept alive by whoever still works on it; thread-safe in
// that exactly one of its Send functions is called, once.
class Call {
 public:
  Call(http::Request request, http::Match match, const RouteRow& route, const Services& services,
       std::shared_ptr<http::Responder> responder);

  const http::Request& request() const { return request_; }
  const RouteRow& route() const { return route_; }
  const Services& services() const { return services_; }
  const std::string& request_id() const { return request_id_; }
  const Parameters& parameters() const { return parameters_; }
  // Decoded, of their kinds, in the order of PathParametersOf.
  const std::vector<std::string>& path_parameters() const { return match_.params; }
  Deadline deadline() const { return deadline_; }
  bool Alive() const { return responder_->Alive(); }

  // `data` is finished JSON; answered as {"success": true, ...}.
  void SendData(std::string_view data, std::string_view message,
                std::vector<http::Header> more_headers = {});
  void SendError(const Status& status);
  // With another HTTP status than the code's own.
  void SendError(const Status& status, int http_status);
  void SendText(int status, std::string text, std::string_view content_type);
  // Adds the headers that every answer has.
  void Send(http::Response response);
  // Null when an answer was already given.
  std::shared_ptr<http::Stream> StartStream(http::Response head);
  // Runs `work` on a worker thread; what it throws becomes a 500.
  void Defer(std::function<void()> work);
  // On the one thread for what may take long. Past the deadline `work`, which keeps this call
  // alive, does not begin: the answer says that the server has too much to do.
  void DeferSlow(std::function<void()> work);

 private:
  friend class Api;
  void DeferTo(Executor& executor, std::function<void()> work);

  const http::Request request_;
  const http::Match match_;
  const RouteRow& route_;
  const Services& services_;
  const std::shared_ptr<http::Responder> responder_;
  const std::string request_id_;
  const Deadline deadline_;
  Parameters parameters_;
};

// The application behind the HTTP server.
class Api final : public http::Application {
 public:
  explicit Api(const Services& services);

  static std::vector<http::Route> HttpRoutes(DebugAccess debug);

  void Handle(http::Request request, http::Match match,
              std::shared_ptr<http::Responder> responder) override;
  http::Response Refuse(const Status& status, const http::Request* request,
                        const std::string& allow) override;
  http::Response Options(const http::Request& request, const std::string& allow) override;
  void Done(const http::Access& access) override;

 private:
  const Services& services_;
};

// `X-Request-Id` of the request when it is [A-Za-z0-9._-]{1,128}, else 16 random hex digits.
std::string RequestIdOf(const http::Request* request);

}  // namespace gpumon::handlers
