#include "handlers/api.h"

#include <algorithm>
#include <array>
#include <exception>
#include <random>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/words.h"
#include "internal/wire/encode.h"

namespace gpumon::handlers {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";

std::string NewRequestId() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::uint64_t bits = random();
  std::string id(16, '0');
  for (char& c : id) {
    c = kHex[bits & 15U];
    bits >>= 4U;
  }
  return id;
}

http::Response ErrorResponse(const Status& status, int http_status) {
  http::Response response;
  response.status = http_status;
  response.headers.push_back({"Content-Type", std::string(kJson)});
  response.headers.push_back({"Cache-Control", "no-store"});
  if (status.code == Code::kUnauthorized) {
    response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"gpu-monitoring\""});
  }
  if (status.retry_after_s > 0) {
    response.headers.push_back({"Retry-After", std::to_string(status.retry_after_s)});
  } else if (http_status == 503 || http_status == 429) {
    response.headers.push_back({"Retry-After", "1"});
  }
  response.body = http::MakeBody(wire::EncodeError(status));
  return response;
}

// What every answer carries, whatever it is.
void AddCommon(const Settings& settings, const http::Request* request, const std::string& id,
               http::Headers& headers) {
  headers.push_back({"X-Request-Id", id});
  headers.push_back({"X-Content-Type-Options", "nosniff"});
  AddCors(settings, request, headers);
}

log::Level LevelOf(int status, const RouteRow* route) {
  if (status == 503 && route != nullptr) return route->log_503;
  // Before any route: a method, a transfer coding or a version of HTTP that nobody knows here is
  // the client's mistake.
  if ((status == 501 || status == 505) && route == nullptr) return log::Level::kWarning;
  if (status == http::kClientGone) return log::Level::kInfo;
  if (status >= 500) return log::Level::kError;
  return status >= 400 ? log::Level::kWarning : log::Level::kInfo;
}

Result<void> CheckGuard(Guard guard, const Services& services, const http::Request& request) {
  if (guard == Guard::kOpen) return {};
  if (auto host = CheckHost(services, request); !host) return host;
  if (guard == Guard::kDebug) {
    if (auto debug = CheckDebug(services, request); !debug) return debug;
  }
  return guard == Guard::kPage ? Result<void>() : CheckToken(services, request);
}

// The places of one thing in a path: what is allowed there.
Result<void> CheckPath(const RouteRow& route, const std::vector<std::string>& values) {
  const auto specs = PathParametersOf(route.path);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (const auto allowed = WhyNot(*specs[i], values[i])) {
      return Error(Code::kInvalidParameter,
                   "'" + std::string(specs[i]->name) +
                       "' in the path has a wrong value; allowed: " + *allowed);
    }
  }
  return {};
}

}  // namespace

std::string RequestIdOf(const http::Request* request) {
  const std::string* given =
      request == nullptr ? nullptr : http::Find(request->headers, "X-Request-Id");
  const bool usable = given != nullptr && !given->empty() && given->size() <= 128 &&
                      std::all_of(given->begin(), given->end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                      });
  return usable ? *given : NewRequestId();
}

Call::Call(http::Request request, http::Match match, const RouteRow& route,
           const Services& services, std::shared_ptr<http::Responder> responder)
    : request_(std::move(request)),
      match_(std::move(match)),
      route_(route),
      services_(services),
      responder_(std::move(responder)),
      request_id_(RequestIdOf(&request_)),
      deadline_(request_.received_at + services.settings.request_timeout) {}

void Call::Send(http::Response response) {
  AddCommon(services_.settings, &request_, request_id_, response.headers);
  responder_->Send(std::move(response));
}

std::shared_ptr<http::Stream> Call::StartStream(http::Response head) {
  AddCommon(services_.settings, &request_, request_id_, head.headers);
  return responder_->StartStream(std::move(head));
}

void Call::SendData(std::string_view data, std::string_view message,
                    std::vector<http::Header> more_headers) {
  models::Envelope envelope;
  envelope.data = data;
  envelope.message = message;
  http::Response response;
  response.headers = std::move(more_headers);
  response.headers.push_back({"Content-Type", std::string(kJson)});
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = http::MakeBody(wire::EncodeEnvelope(envelope));
  Send(std::move(response));
}

void Call::SendError(const Status& status) {
  SendError(status, status.http_status());
}

void Call::SendError(const Status& status, int http_status) {
  // One refresh may fail many requests: each finds its cause by its own id.
  if (!status.detail.empty() && Alive()) {
    log::Warning("request failed", {{"request_id", request_id_},
                                    {"code", status.wire_name()},
                                    {"error", status.message},
                                    {"detail", status.detail}});
  }
  Send(ErrorResponse(status, http_status));
}

void Call::SendText(int status, std::string text, std::string_view content_type) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::string(content_type)});
  response.headers.push_back({"Cache-Control", "no-store"});
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  response.body = http::MakeBody(std::move(text));
  Send(std::move(response));
}

void Call::Defer(std::function<void()> work) {
  DeferTo(services_.executor, std::move(work));
}

void Call::DeferSlow(std::function<void()> work) {
  DeferTo(services_.slow_executor, [this, work = std::move(work)] {
    if (!deadline_.Passed(services_.clock)) return work();
    SendError(Status{Code::kOverloaded, "others were answered first; ask again", {}, 1});
  });
}

void Call::DeferTo(Executor& executor, std::function<void()> work) {
  // An exception here would end as a dropped responder, which is a 500 too, but without a cause
  // in the log.
  const bool posted = executor.Post([work = std::move(work), id = request_id_] {
    try {
      work();
    } catch (const std::exception& e) {
      log::Error("handler threw", {{"request_id", id}, {"what", e.what()}});
    } catch (...) {
      log::Error("handler threw", {{"request_id", id}, {"what", "not a std::exception"}});
    }
  });
  if (!posted) SendError(Status{Code::kDraining, "the server is stopping", {}, 1});
}

Api::Api(const Services& services) : services_(services) {}

std::vector<http::Route> Api::HttpRoutes(DebugAccess debug) {
  std::vector<http::Route> routes;
  for (const auto& row : RoutesThatExist(debug)) {
    const auto methods = WordsOf(row.methods);
    routes.push_back({{methods.begin(), methods.end()},
                      std::string(row.path),
                      row.large_body,
                      row.unlimited_time});
  }
  return routes;
}

void Api::Handle(http::Request request, http::Match match,
                 std::shared_ptr<http::Responder> responder) {
  const RouteRow& route = Routes()[static_cast<std::size_t>(match.route)];
  const auto call = std::make_shared<Call>(std::move(request), std::move(match), route, services_,
                                           std::move(responder));
  if (auto allowed = CheckGuard(route.guard, services_, call->request_); !allowed) {
    call->SendError(allowed.error());
    return;
  }
  if (auto path = CheckPath(route, call->path_parameters()); !path) {
    call->SendError(path.error());
    return;
  }
  auto parameters = Parameters::Parse(
      route.own_query ? std::string_view() : call->request_.query,
      route.parameters == nullptr ? std::span<const ParameterSpec>() : route.parameters());
  if (!parameters) {
    call->SendError(parameters.error());
    return;
  }
  call->parameters_ = std::move(*parameters);
  route.handler(call);
}

http::Response Api::Refuse(const Status& status, const http::Request* request,
                           const std::string& allow) {
  Status shown = status;
  if (status.code == Code::kNotFound) {
    shown.message += "; GET " + services_.settings.base_path + "/api lists the routes";
  }
  http::Response response = ErrorResponse(shown, status.http_status());
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  AddCommon(services_.settings, request, RequestIdOf(request), response.headers);
  return response;
}

http::Response Api::Options(const http::Request& request, const std::string& allow) {
  http::Response response;
  response.status = 204;
  response.headers.push_back({"Allow", allow});
  AddPreflight(services_.settings, request, response.headers);
  AddCommon(services_.settings, &request, RequestIdOf(&request), response.headers);
  return response;
}

void Api::Done(const http::Access& access) {
  const RouteRow* const row =
      access.route < 0 ? nullptr : &Routes()[static_cast<std::size_t>(access.route)];
  const std::string_view route = row == nullptr ? "(none)" : row->path;
  const double seconds = std::chrono::duration<double>(access.duration).count();
  services_.metrics.CountRequest(route, access.method, access.status, seconds);
  const log::Level level = LevelOf(access.status, row);
  if (!log::Enabled(level)) return;
  log::Write(level, "request",
             {{"method", access.method},
              {"path", access.target},
              {"route", route},
              {"status", access.status},
              {"bytes", access.bytes},
              {"ms", std::chrono::duration_cast<Millis>(access.duration).count()},
              {"peer", access.peer},
              {"complete", access.complete},
              {"request_id", access.request_id}});
}

}  // namespace gpumon::handlers
