// GET /api/v1/gpu/metrics, /processes and /fields.
#include "handlers/gpu.h"

#include <utility>

#include "handlers/list_answer.h"
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
  page.partial |= got.snapshot->partial;
  SendMade(call, got, std::move(encoded), page, query.csv);
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
  if (const auto refused = FutureRefused(*call, query->at)) {
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
