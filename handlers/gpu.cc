// GET /api/v1/gpu/metrics, /processes and /fields.
#include "handlers/gpu.h"

#include <utility>

#include "handlers/list_query.h"
#include "handlers/render_cache.h"
#include "internal/http/encoding.h"
#include "internal/wire/encode.h"
#include "internal/wire/table.h"

namespace gpumon::handlers {
namespace {

using models::Part;

constexpr std::string_view MessageOf(Part part) {
  return part == Part::kGpus ? "GPU metrics retrieved successfully"
                             : "GPU processes retrieved successfully";
}

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
  if (NoneMatch(call.request(), etag)) response.status = 304;
  return response;
}

http::Response ListResponse(const Call& call, const gpu::Got& got, const std::string& etag,
                            std::string_view content_type) {
  auto response = TaggedResponse(call, etag, content_type);
  response.headers.push_back({"Age", std::to_string(static_cast<long>(got.age_seconds))});
  return response;
}

void SendRendered(Call& call, const gpu::Got& got, const Rendered& rendered,
                  const http::Body& compressed) {
  auto response = ListResponse(call, got, rendered.etag(), call.route().content_type);
  if (response.status == 200) {
    response.body = compressed ? compressed : rendered.identity();
    if (response.body != rendered.identity()) {
      response.headers.push_back({"Content-Encoding", "gzip"});
    }
  }
  call.Send(std::move(response));
}

// The body that all plain requests share. True when it was at hand.
bool SendAtHand(Call& call, const gpu::Got& got) {
  const auto rendered = call.services().render_cache.Find(got);
  if (!rendered) return false;
  http::Body compressed;
  if (WantsGzip(call) && !NoneMatch(call.request(), rendered->etag())) {
    compressed = rendered->GzipIfReady();
    if (!compressed) return false;
  }
  SendRendered(call, got, *rendered, compressed);
  return true;
}

void SendWhole(Call& call, Part part, const gpu::Got& got) {
  if (!call.Alive()) return;
  const auto rendered = call.services().render_cache.Make(got, MessageOf(part));
  SendRendered(call, got, *rendered, WantsGzip(call) ? rendered->Gzip() : nullptr);
}

// An answer made for this request alone.
void SendSelection(Call& call, Part part, const ListQuery& query, const gpu::Got& got) {
  if (!call.Alive()) return;
  const wire::Table table(*got.snapshot);
  wire::Page page = Select(table, query);
  const gpu::Got& stale = got.stale ? got : query.other;
  page.stale = stale.stale;
  page.stale_code = stale.why.wire_name();
  if (query.other.snapshot) {
    page.partial = query.other.snapshot->partial;
    for (const auto& warning : query.other.snapshot->warnings) {
      page.warnings.push_back(std::string(models::NameOf(query.other.snapshot->part)) + ": " +
                              warning);
    }
  }
  auto encoded =
      query.csv ? wire::EncodeCsv(table, page) : wire::EncodeList(table, page, MessageOf(part));
  auto response = ListResponse(
      call, got, encoded.etag,
      query.csv ? "text/csv; charset=utf-8; header=present" : call.route().content_type);
  if (response.status == 200) {
    constexpr std::size_t kWorthCompressing = 1024;
    if (encoded.body.size() >= kWorthCompressing && WantsGzip(call)) {
      encoded.body = http::Gzip(encoded.body);
      response.headers.push_back({"Content-Encoding", "gzip"});
    }
    response.body = http::MakeBody(std::move(encoded.body));
  }
  call.Send(std::move(response));
}

Status PartialRefused() {
  return {Code::kUpstreamPartial,
          "some queries failed and partial=abort was asked for; "
          "partial=allow shows what there is"};
}

// `at` is a past instant; clocks differ a little.
std::optional<Status> FutureRefused(const Call& call, const ListQuery& query) {
  constexpr Millis kClocksDiffer{10'000};
  if (!query.at || *query.at <= call.services().clock.Wall() + kClocksDiffer) return std::nullopt;
  return Status{Code::kInvalidParameter, "parameter 'at' lies in the future; give a past instant"};
}

void Answer(const CallPtr& call, Part part, const ListQuery& query, Result<gpu::Got> got) {
  if (!got) {
    call->SendError(got.error());
    return;
  }
  if (got->snapshot->partial && !query.allow_partial) {
    call->SendError(PartialRefused());
    return;
  }
  if (got->stale) call->services().metrics.CountStaleServed();
  const bool shared = query.IsWhole() && !query.at;
  if (shared && SendAtHand(*call, *got)) return;
  call->Defer([call, part, query, got = std::move(*got), shared] {
    if (shared) {
      SendWhole(*call, part, got);
    } else {
      SendSelection(*call, part, query, got);
    }
  });
}

void Fetch(const CallPtr& call, Part part, ListQuery query) {
  const gpu::Want want{part, query.at, query.allow_stale};
  call->services().source.Get(want, call->deadline(),
                              [call, part, query = std::move(query)](Result<gpu::Got> got) {
                                Answer(call, part, query, std::move(got));
                              });
}

// Who uses a GPU is known by the processes on it, whose a process is often by its GPU alone.
void FetchBoth(const CallPtr& call, Part part, ListQuery query) {
  const bool processes = part == Part::kProcesses;
  const gpu::Want other{processes ? Part::kGpus : Part::kProcesses, query.at, query.allow_stale};
  call->services().source.Get(
      other, call->deadline(),
      [call, part, processes, query = std::move(query)](Result<gpu::Got> got) mutable {
        if (!got) {
          call->SendError(got.error());
        } else if (got->snapshot->partial && !query.allow_partial) {
          call->SendError(PartialRefused());
        } else {
          processes ? MeetGpus(*got->snapshot, query) : UseGpusOf(*got->snapshot, query);
          query.other = *std::move(got);
          Fetch(call, part, std::move(query));
        }
      });
}

void List(const CallPtr& call, Part part) {
  auto query = ParseListQuery(part, call->parameters());
  if (!query) {
    call->SendError(query.error());
    return;
  }
  if (const auto refused = FutureRefused(*call, *query)) {
    call->SendError(*refused);
  } else if (part == Part::kGpus ? !query->users.empty() : AsksForGpus(*query)) {
    FetchBoth(call, part, std::move(*query));
  } else {
    Fetch(call, part, std::move(*query));
  }
}

}  // namespace

void GetGpuMetrics(const CallPtr& call) {
  List(call, Part::kGpus);
}
void GetGpuProcesses(const CallPtr& call) {
  List(call, Part::kProcesses);
}

void GetFields(const CallPtr& call) {
  // The same for the life of the process.
  struct Fields {
    wire::Encoded encoded = wire::EncodeFields("Fields retrieved successfully");
    http::Body identity = http::MakeBody(encoded.body);
    http::Body gzip = http::MakeBody(http::Gzip(encoded.body));
  };
  static const Fields kFields;
  auto response = TaggedResponse(*call, kFields.encoded.etag, call->route().content_type);
  if (response.status == 200) {
    const bool gzip = WantsGzip(*call);
    response.body = gzip ? kFields.gzip : kFields.identity;
    if (gzip) response.headers.push_back({"Content-Encoding", "gzip"});
  }
  call->Send(std::move(response));
}

std::span<const ParameterSpec> GpuListParameters() {
  return ListParameters(Part::kGpus);
}
std::span<const ParameterSpec> ProcessListParameters() {
  return ListParameters(Part::kProcesses);
}

}  // namespace gpumon::handlers
