#include "internal/exporter/scrape_application.h"

#include <algorithm>
#include <utility>

#include "internal/base/log.h"
#include "internal/http/encoding.h"

namespace gpumon::exporter {
namespace {

enum RouteIndex : int { kMetrics, kLivez, kReadyz, kIndex };

http::Response Text(int status, http::Body body) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

http::Response Page(http::Body body, bool gzip) {
  http::Response response{.status = 200,
                          .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                                      {"Cache-Control", "no-store"},
                                      {"Vary", "Accept-Encoding"}},
                          .body = std::move(body)};
  if (gzip) response.headers.push_back({"Content-Encoding", "gzip"});
  return response;
}

}  // namespace

std::vector<http::Route> ScrapeApplication::Routes() {
  // A hundred thousand GPUs on a busy machine take longer than a handler usually may.
  return {{.methods = {"GET"}, .path = "/metrics", .large_body = false, .unlimited_time = true},
          {.methods = {"GET"}, .path = "/livez"},
          {.methods = {"GET"}, .path = "/readyz"},
          {.methods = {"GET"}, .path = "/"}};
}

void ScrapeApplication::Handle(http::Request request, http::Match match,
                               std::shared_ptr<http::Responder> responder) {
  if (match.route == kMetrics) {
    const std::string* accept = http::Find(request.headers, "Accept-Encoding");
    Enqueue({std::move(responder), accept != nullptr && http::AcceptsGzip(*accept)});
  } else if (match.route == kLivez || match.route == kReadyz) {
    // It serves only once it has looked for its GPUs, and a driver that hangs is a page's news: a
    // pod that is not ready would keep the others from being updated.
    responder->Send(Text(200, http::MakeBody("ok\n")));
  } else {
    responder->Send(Text(200, http::MakeBody("gpu-exporter\n\n"
                                             "/metrics  metrics for Prometheus\n"
                                             "/livez    whether this process is alive\n"
                                             "/readyz   whether it can be asked for metrics\n")));
  }
}

void ScrapeApplication::Enqueue(Waiter waiter) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = waiters_.empty();
    waiters_.push_back(std::move(waiter));
  }
  if (!first || executor_.Post([this] { ServeWaiters(); })) return;
  std::vector<Waiter> refused;
  {
    MutexLock lock(mutex_);
    refused.swap(waiters_);
  }
  for (const Waiter& each : refused) {
    each.responder->Send(Text(503, http::MakeBody("the exporter is ending\n")));
  }
}

void ScrapeApplication::ServeWaiters() {
  std::vector<Waiter> waiters;
  std::size_t expected = 0;
  {
    MutexLock lock(mutex_);
    waiters.swap(waiters_);
    expected = last_bytes_ + last_bytes_ / 8;
  }
  std::erase_if(waiters, [](const Waiter& waiter) { return !waiter.responder->Alive(); });
  if (waiters.empty()) return;

  std::string text;
  text.reserve(expected);
  const SteadyTime begin = clock_.Steady();
  if (const auto collected = collector_.Collect(clock_.Wall(), text); !collected) {
    const Status& status = collected.error();
    log::Error("scrape failed", {{"message", status.message}, {"detail", status.detail}});
    for (const Waiter& waiter : waiters) waiter.responder->Send(Refuse(status, nullptr, ""));
    return;
  }
  {
    MutexLock lock(mutex_);
    last_bytes_ = text.size();
  }
  // The compressed page goes out before the plain one is moved into its own body.
  const auto plain_begin = std::stable_partition(waiters.begin(), waiters.end(),
                                                 [](const Waiter& waiter) { return waiter.gzip; });
  if (plain_begin != waiters.begin()) {
    const http::Body body = http::MakeBody(http::Gzip(text));
    for (auto it = waiters.begin(); it != plain_begin; ++it) it->responder->Send(Page(body, true));
  }
  const std::size_t bytes = text.size();
  if (plain_begin != waiters.end()) {
    const http::Body body = http::MakeBody(std::move(text));
    for (auto it = plain_begin; it != waiters.end(); ++it) it->responder->Send(Page(body, false));
  }
  log::Debug("scraped", {{"bytes", bytes},
                         {"clients", waiters.size()},
                         {"duration_ms",
                          std::chrono::duration_cast<Millis>(clock_.Steady() - begin).count()}});
}

http::Response ScrapeApplication::Refuse(const Status& status, const http::Request*,
                                         const std::string& allow) {
  http::Response response = Text(status.http_status(), http::MakeBody(status.message + '\n'));
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  return response;
}

http::Response ScrapeApplication::Options(const http::Request&, const std::string& allow) {
  return {.status = 204, .headers = {{"Allow", allow}}, .body = nullptr};
}

void ScrapeApplication::Done(const http::Access& access) {
  log::Debug("request", {{"method", access.method},
                         {"target", access.target},
                         {"peer", access.peer},
                         {"status", access.status},
                         {"bytes", access.bytes},
                         {"duration_ms", access.duration.count()},
                         {"complete", access.complete}});
}

}  // namespace gpumon::exporter
