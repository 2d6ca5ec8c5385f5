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
  const auto rendered = call.services().render_cache.Make(got, MessageOf(part),
                                                          call.services().settings.commands_hidden);
  SendRendered(call, got, *rendered, WantsGzip(call) ? rendered->Gzip() : nullptr);
}

// An answer made for this request alone.
void SendSelection(Call& call, Part part, const ListQuery& query, const gpu::Got& got) {
  if (!call.Alive()) return;
  const wire::Table table(*got.snapshot, call.services().settings.commands_hidden);
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
  if (query.other_failed) {
    page.partial = true;
    page.warnings.push_back("gpus: not known (" + std::string(query.other_failed->wire_name()) +
                            "); processes were chosen by what they say themselves");
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
  const bool shared = query.IsWhole() && !query.at;
  // Of others SendMade counts it.
  if (shared && got->stale) call->services().metrics.CountStaleServed();
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

// Who uses a GPU is known by the processes on it alone.
void FetchGpusOfUsers(const CallPtr& call, ListQuery query) {
  const auto at = query.at;
  const bool allow_stale = query.allow_stale;
  GetBoth(
      call, kGpusAndProcesses, at, allow_stale,
      [call, query = std::move(query)](Result<gpu::Got> gpus, Result<gpu::Got> processes) mutable {
        if (!processes) return call->SendError(processes.error());
        if (processes->snapshot->partial && !query.allow_partial) {
          return call->SendError(PartialRefused());
        }
        if (gpus) UseGpusOf(*gpus->snapshot, *processes->snapshot, query);
        query.other = *std::move(processes);
        Answer(call, Part::kGpus, query, std::move(gpus));
      });
}

// Whose a process is is often known by its GPU alone, but some say it themselves.
void FetchProcessesOfGpus(const CallPtr& call, ListQuery query) {
  const auto at = query.at;
  const bool allow_stale = query.allow_stale;
  GetBoth(
      call, kGpusAndProcesses, at, allow_stale,
      [call, query = std::move(query)](Result<gpu::Got> gpus, Result<gpu::Got> processes) mutable {
        const bool whole = gpus && !gpus->snapshot->partial;
        if (!gpus && !query.allow_partial) return call->SendError(gpus.error());
        if (!whole && !query.allow_partial) return call->SendError(PartialRefused());
        if (gpus) {
          if (processes) MeetGpus(*gpus->snapshot, *processes->snapshot, query);
          query.other = *std::move(gpus);
        } else {
          query.other_failed = gpus.error();
        }
        Answer(call, Part::kProcesses, query, std::move(processes));
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
  } else if (part == Part::kGpus && !query->users.empty()) {
    FetchGpusOfUsers(call, std::move(*query));
  } else if (part == Part::kProcesses && AsksForGpus(*query)) {
    FetchProcessesOfGpus(call, std::move(*query));
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
