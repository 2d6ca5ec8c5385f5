#include "handlers/events.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "handlers/window.h"
#include "internal/base/text.h"
#include "internal/fleet/events.h"
#include "internal/fleet/xid.h"
#include "internal/wire/throttle.h"

namespace gpumon::handlers {
namespace {

using fleet::Event;
using fleet::EventType;
using models::NullReason;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"time", Type::kTime, "", "", "When it began, as far as it was seen."},
    Column{"open_before", Type::kBool, "", "",
           "It lasted already when the window began: time is the window's begin."},
    Column{"end", Type::kTime, "", "",
           "When it ended; null while it lasts. Of what is a moment, or grew, its last sample."},
    Column{"duration_seconds", Type::kNumber, "s", "",
           "Until its end, or the window's where it lasts."},
    Column{"type", Type::kText, "", "type",
           "xid, ecc_corrected, ecc_uncorrected, throttle, temperature, gpu_lost, gpu_returned or "
           "exporter_down.",
           nullptr, fleet::kEventTypeWords},
    Column{"severity", Type::kText, "", "severity", "critical, warning or info.", nullptr,
           fleet::kSeverityWords},
    Column{"node_name", Type::kText, "", "node", "Of exporter_down where its GPUs name one."},
    Column{"gpu_id", Type::kText, "", "gpu", ""},
    Column{"uuid", Type::kText, "", "uuid", ""},
    Column{"mig_uuid", Type::kText, "", "uuid",
           "Of a GPU that is known by its MIG instances alone: of the first."},
    Column{"gpu_name", Type::kText, "", "model", ""},
    Column{"namespace", Type::kTexts, "", "namespace", "Of the pods that held it then."},
    Column{"pod", Type::kTexts, "", "pod", "These pods."},
    Column{"users", Type::kTexts, "", "user", "Of the processes on it then."},
    Column{"xid", Type::kInteger, "", "", "The code."},
    Column{"xid_class", Type::kText, "", "", "What kind of error that is."},
    Column{"errors", Type::kInteger, "", "", "By how much an ECC count grew."},
    Column{"temperature_max", Type::kNumber, "°C", "", "The highest of an episode."},
    Column{"throttle_reasons", Type::kTexts, "", "", "All that an episode had."},
    Column{"target", Type::kText, "", "", "Job and instance of an exporter that is down."},
    Column{"gpus", Type::kInteger, "", "",
           "How many GPUs that exporter showed last before it was down."},
    Column{"text", Type::kText, "", "", "The same for people."},
};

constexpr ParameterSpec kStep = {
    .name = "step",
    .kind = ParameterKind::kDuration,
    .help =
        "How closely to look; as often as GPUs are scraped where it is not given. Coarser "
        "where that is too much; a warning says so.",
    .min = 1'000,
    .max = kLongestWindow};

std::span<const ParameterSpec> OwnParameters() {
  static const std::vector<ParameterSpec> kAll = [] {
    std::vector<ParameterSpec> all;
    for (const ParameterSpec& spec : kWindowParameters) {
      all.push_back(spec.name == kStep.name ? kStep : spec);
    }
    return all;
  }();
  return kAll;
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all.append(all.empty() ? "" : ", ").append(text);
  return all;
}

std::string TextOf(const Event& event) {
  const std::string number = FormatNumber(event.value);
  switch (event.type) {
    case EventType::kXid: {
      const fleet::Xid xid = fleet::XidOf(static_cast<int>(event.value));
      return "XID " + number + (xid.text.empty() ? "" : ": " + std::string(xid.text));
    }
    case EventType::kEccCorrected:
      return number + " corrected ECC errors";
    case EventType::kEccUncorrected:
      return number + " uncorrected ECC errors";
    case EventType::kThrottle:
      return "throttled: " + Joined(wire::ThrottleNames(event.throttle_reasons));
    case EventType::kTemperature:
      return "up to " + number + " °C";
    case EventType::kGpuLost:
      return "its exporter no longer shows it";
    case EventType::kGpuReturned:
      return "its exporter shows it again";
    case EventType::kExporterDown:
      break;
  }
  return event.target + ": down, with " + (event.value > 0 ? number + " GPUs" : "no GPU seen");
}

std::vector<Value> RowOf(const Event& event, double window_end) {
  const Value none = NullReason::kNone;
  const auto integer_of = [&](bool is_it) {
    return is_it ? Value(static_cast<std::int64_t>(event.value)) : none;
  };
  const auto text_of = [](const std::string& text) {
    return wire::TextOrNull(text, NullReason::kNone);
  };
  std::vector<Value> row = {event.begin,
                            event.open_before,
                            event.end ? Value(*event.end) : none,
                            event.end.value_or(window_end) - event.begin,
                            std::string(NameOf(event.type)),
                            std::string(NameOf(event.severity))};
  for (const std::string* text :
       {&event.node, &event.gpu_id, &event.uuid, &event.mig_uuid, &event.gpu_name}) {
    row.push_back(text_of(*text));
  }
  std::vector<std::string> namespaces;
  std::vector<std::string> pods;
  for (const auto& [name_space, pod] : event.owners.pods) {
    if (namespaces.empty() || namespaces.back() != name_space) namespaces.push_back(name_space);
    pods.push_back(pod);
  }
  row.emplace_back(std::move(namespaces));
  row.emplace_back(std::move(pods));
  row.emplace_back(std::vector<std::string>(event.owners.users.begin(), event.owners.users.end()));
  const bool is_xid = event.type == EventType::kXid;
  row.push_back(integer_of(is_xid));
  row.push_back(is_xid
                    ? Value(std::string(NameOf(fleet::XidOf(static_cast<int>(event.value)).which)))
                    : none);
  row.push_back(integer_of(event.type == EventType::kEccCorrected ||
                           event.type == EventType::kEccUncorrected));
  row.push_back(event.type == EventType::kTemperature ? Value(event.value) : none);
  row.emplace_back(wire::ThrottleNames(event.throttle_reasons));
  row.push_back(text_of(event.target));
  row.push_back(integer_of(event.type == EventType::kExporterDown));
  row.emplace_back(TextOf(event));
  return row;
}

struct Books {
  RecordQuery query;
  Window window;
  gpu::ActivityWant want;
  gpu::Activity activity;
  std::optional<fleet::Events> events;  // of that activity
};

std::string CoarseWarning(const gpu::Activity& activity) {
  const auto duration = [](double seconds) {
    return FormatDuration(Millis(static_cast<std::int64_t>(seconds * 1000)));
  };
  const std::string why =
      activity.too_long ? "this window is so long" : "so much happened in this window";
  return why + " that it was looked at every " + duration(activity.step) + " in place of every " +
         duration(activity.scraped_every) +
         ": what is shorter may be missing; ask for a shorter window or fewer nodes";
}

// Of nodes that are asked for alone nobody knows where else a GPU was.
bool MayHaveMoved(const std::vector<Event>& events) {
  return std::any_of(events.begin(), events.end(), [](const Event& event) {
    const bool went = event.type == EventType::kGpuLost || event.type == EventType::kGpuReturned;
    return went && !event.uuid.empty();
  });
}

void Send(Call& call, Books& books, const std::vector<Event>& events, gpu::RangeEnd end) {
  wire::Records records{kColumns, {}};
  wire::RecordsMeta meta;
  meta.window = books.window.span();
  meta.as_of = meta.window->end;
  meta.sources = std::move(end.sources);
  meta.warnings = std::move(end.warnings);
  if (books.activity.scraped_every > 0) meta.warnings.push_back(CoarseWarning(books.activity));
  for (const Event& event : events) records.rows.push_back(RowOf(event, meta.as_of));
  if (books.events->dropped()) {
    meta.warnings.push_back("more than " + std::to_string(fleet::Events::kMostEvents) +
                            " events: these are the newest; ask for a shorter window");
  }
  const wire::Page page = Select(records, books.query);
  const bool csv = books.query.form.csv;
  auto encoded =
      csv ? wire::EncodeCsv(records, page)
          : wire::EncodeRecords(records, meta, page, "GPU events retrieved successfully");
  SendMade(call, gpu::Got{}, std::move(encoded), page, csv);
}

gpu::RangeEnd BothOf(gpu::RangeEnd one, gpu::RangeEnd other) {
  for (auto texts : {&gpu::RangeEnd::sources, &gpu::RangeEnd::warnings}) {
    std::vector<std::string>& all = other.*texts;
    for (std::string& text : one.*texts) {
      if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
    }
  }
  return other;
}

void Look(const CallPtr& call, const std::shared_ptr<Books>& books);

// Through the instants of each grid in turn; `last` is of the walks before.
void LookClosely(const CallPtr& call, const std::shared_ptr<Books>& books, std::size_t grid,
                 gpu::RangeEnd last) {
  const gpu::Activity& activity = books->activity;
  const std::vector<gpu::ActivityGrid> grids = activity.Grids();
  if (grid == grids.size()) {
    const std::vector<Event> events = books->events->Finish();
    if (books->want.nodes.empty() || !MayHaveMoved(events)) {
      return Send(*call, *books, events, std::move(last));
    }
    books->want.nodes.clear();
    return Look(call, books);
  }
  const std::size_t first = grids[grid].first;
  gpu::RangeWant want;
  want.start = activity.At(first);
  want.step = activity.step;
  want.steps = grids[grid].count;
  want.parts = fleet::EventParts();
  want.spans = activity.SpansToWalk(grids[grid]);
  want.exporters = last.exporters;
  want.any_as_of = true;
  if (want.spans.empty()) return LookClosely(call, books, grid + 1, std::move(last));
  call->services().walk(
      want, call->deadline(),
      [call, books, first](std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
        books->events->Add(first + i, snapshots);
        return call->Alive();
      },
      [call, books, grid, last = std::move(last)](Result<gpu::RangeEnd> end) {
        if (!end) return call->SendError(end.error());
        LookClosely(call, books, grid + 1, BothOf(last, *std::move(end)));
      });
}

void Look(const CallPtr& call, const std::shared_ptr<Books>& books) {
  call->services().find_activity(
      books->want, call->deadline(), [call, books](Result<gpu::Activity> activity) {
        if (!activity) return call->SendError(activity.error());
        books->activity = *std::move(activity);
        books->window.step = static_cast<std::int64_t>(books->activity.step * 1000);
        books->events.emplace(books->activity, call->services().settings.health_rules);
        LookClosely(call, books, 0, {});
      });
}

}  // namespace

void GetEvents(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  const auto window = ParseWindowEnds(call->parameters(), call->services().clock.Wall(), {});
  if (!window) return call->SendError(window.error());
  const fleet::HealthRules& rules = call->services().settings.health_rules;
  const wire::Span span = window->span();
  gpu::ActivityWant want = fleet::EventActivity(span.start, span.end, rules);
  const auto now = call->services().clock.Wall().time_since_epoch();
  want.after =
      std::clamp(static_cast<double>(now.count()) / 1000 - span.end, 0.0, fleet::kStarting);
  if (const auto step = call->parameters().Duration("step")) {
    want.step = static_cast<double>(step->count()) / 1000;
  }
  GpuFilter filter;
  filter.nodes = call->parameters().All("node");
  want.nodes = filter.ExactNodes();
  Look(call, std::make_shared<Books>(Books{*std::move(query), *window, std::move(want), {}, {}}));
}

std::span<const ParameterSpec> EventParameters() {
  static const RecordParameters kParameters(kColumns, OwnParameters());
  return kParameters.specs();
}

std::span<const wire::Column> EventColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
