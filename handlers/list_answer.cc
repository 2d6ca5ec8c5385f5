#include "handlers/list_answer.h"

#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include "internal/http/encoding.h"

namespace gpumon::handlers {

bool WantsGzip(const Call& call) {
  const std::string* accepted = http::Find(call.request().headers, "Accept-Encoding");
  return accepted != nullptr && http::AcceptsGzip(*accepted);
}

// An answer with its caching headers: 304 when the client has it already.
http::Response TaggedResponse(const Call& call, const std::string& etag,
                              std::string_view content_type) {
  http::Response response;
  response.headers = {{"Content-Type", std::string(content_type)},
                      {"ETag", etag},
                      {"Cache-Control", "private, no-cache"},
                      {"Vary", "Accept-Encoding"}};
  if (IsTagged(call.route().form) && NoneMatch(call.request(), etag)) response.status = 304;
  return response;
}

http::Response ListResponse(const Call& call, const gpu::Got& got, const std::string& etag,
                            std::string_view content_type) {
  auto response = TaggedResponse(call, etag, content_type);
  response.headers.push_back({"Age", std::to_string(static_cast<long>(got.age_seconds))});
  return response;
}

void SendMade(Call& call, const gpu::Got& got, wire::Encoded encoded, const wire::Page& page,
              bool csv) {
  constexpr std::size_t kWorthCompressing = 1024;
  if (page.stale) call.services().metrics.CountStaleServed();
  auto response =
      ListResponse(call, got, encoded.etag,
                   csv ? "text/csv; charset=utf-8; header=present" : call.route().content_type);
  if (csv && page.stale) {
    response.headers.push_back({"Warning", "110 - \"stale: " + std::string(page.upstream) +
                                               " gave nothing newer (" +
                                               std::string(page.stale_code) + ")\""});
  }
  if (csv && page.partial) {
    response.headers.push_back({"Warning", "199 - \"partial: some queries failed\""});
  }
  if (response.status == 200) {
    if (encoded.body.size() >= kWorthCompressing && WantsGzip(call)) {
      encoded.body = http::Gzip(encoded.body);
      response.headers.push_back({"Content-Encoding", "gzip"});
    }
    response.body = http::MakeBody(std::move(encoded.body));
  }
  call.Send(std::move(response));
}

void GetAll(const CallPtr& call, std::span<const models::Part> parts,
            const std::optional<WallTime>& at, bool allow_stale, GotAll done) {
  struct All {
    GotAll done;
    std::vector<Result<gpu::Got>> got;
    std::atomic<std::size_t> missing;
  };
  const auto all = std::make_shared<All>();
  all->done = std::move(done);
  all->got.resize(parts.size());
  all->missing = parts.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    call->services().source.Get({parts[i], at, allow_stale}, call->deadline(),
                                [call, all, i](Result<gpu::Got> got) {
                                  all->got[i] = std::move(got);
                                  if (--all->missing > 0) return;
                                  call->Defer([all] { all->done(std::move(all->got)); });
                                });
  }
}

void GetBoth(const CallPtr& call, const std::array<models::Part, 2>& parts,
             const std::optional<WallTime>& at, bool allow_stale, GotBoth done) {
  GetAll(call, parts, at, allow_stale, [done = std::move(done)](std::vector<Result<gpu::Got>> got) {
    done(std::move(got[0]), std::move(got[1]));
  });
}

Status PartialRefused() {
  return {Code::kUpstreamPartial,
          "some queries failed and partial=abort was asked for; "
          "partial=allow shows what there is"};
}

// `at` is a past instant; clocks differ a little.
std::optional<Status> FutureRefused(const Call& call, const std::optional<WallTime>& at) {
  constexpr Millis kClocksDiffer{10'000};
  if (!at || *at <= call.services().clock.Wall() + kClocksDiffer) return std::nullopt;
  return Status{Code::kInvalidParameter, "parameter 'at' lies in the future; give a past instant"};
}

}  // namespace gpumon::handlers
