#include "cmd/gpu-demo-peers/peers_application.h"

#include <utility>

#include "internal/base/log.h"
#include "internal/http/encoding.h"

namespace gpumon::demo {
namespace {

// X-Demo also marks what has no place for a mark: logs, lists.
http::Response ResponseOf(Answer answer) {
  return {.status = answer.status,
          .headers = {{"Content-Type", std::string(answer.content_type)},
                      {"Cache-Control", "no-store"},
                      {"X-Demo", "true"}},
          .body = http::MakeBody(std::move(answer.body))};
}

constexpr std::string_view kText = "text/plain; charset=utf-8";

}  // namespace

PeersApplication::PeersApplication(std::vector<std::vector<Row>> peers, const Clock& clock,
                                   Executor& executor)
    : clock_(clock), executor_(executor) {
  rows_.push_back({"GET", "/livez", [](const Question&) {
                     return Answer{.status = 200, .body = "ok\n", .content_type = kText};
                   }});
  for (std::vector<Row>& rows : peers) {
    for (Row& row : rows) rows_.push_back(std::move(row));
  }
}

std::vector<http::Route> PeersApplication::Routes() const {
  std::vector<http::Route> routes;
  routes.reserve(rows_.size());
  for (const Row& row : rows_) routes.push_back({.methods = {row.method}, .path = row.path});
  return routes;
}

void PeersApplication::Handle(http::Request request, http::Match match,
                              std::shared_ptr<http::Responder> responder) {
  auto query = http::ParseQuery(request.query);
  if (!query) {
    responder->Send(ResponseOf({400, "the query has a broken escape\n", kText}));
    return;
  }
  const Row& row = rows_[static_cast<std::size_t>(match.route)];
  const bool posted =
      executor_.Post([this, &row, responder, params = std::move(match.params), query = *query] {
        if (!responder->Alive()) return;
        responder->Send(ResponseOf(row.answer({clock_.Wall(), params, query})));
      });
  if (!posted) responder->Send(ResponseOf({503, "the stand-ins are ending\n", kText}));
}

http::Response PeersApplication::Refuse(const Status& status, const http::Request*,
                                        const std::string& allow) {
  // As the systems themselves: a path that they do not know is a plain 404.
  http::Response response = ResponseOf({status.http_status(), status.message + '\n', kText});
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  return response;
}

http::Response PeersApplication::Options(const http::Request&, const std::string& allow) {
  return {.status = 204, .headers = {{"Allow", allow}, {"X-Demo", "true"}}, .body = nullptr};
}

void PeersApplication::Done(const http::Access& access) {
  log::Debug("request", {{"method", access.method},
                         {"target", access.target},
                         {"status", access.status},
                         {"bytes", access.bytes}});
}

}  // namespace gpumon::demo
