#include "handlers/idle.h"

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "handlers/window.h"
#include "internal/fleet/idle.h"

namespace gpumon::handlers {
namespace {

using fleet::IdleTime;
using models::NullReason;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"node_name", Type::kText, "", "", "Where the GPU was last."},
    Column{"gpu_id", Type::kText},
    Column{"gpu_name", Type::kText, "", "", "Product name."},
    Column{"uuid", Type::kText, "", "", "Of the GPU."},
    Column{"mig_uuid", Type::kText, "", "", "Of the MIG instance that the row is about."},
    Column{"namespace", Type::kText, "", "namespace",
           "Of the pod that held it; null: no pod is known to."},
    Column{"pod", Type::kText, "", "pod", "As namespace."},
    Column{"users", Type::kTexts, "", "user", "Owners of processes on it while it was held."},
    Column{"idle_now", Type::kInteger, "", "", "1: it was held and idle at the last instant."},
    Column{"idle_since", Type::kTime, "", "",
           "Since when, where idle_now is 1: no five minutes since are unknown. The begin of the "
           "window: then or before."},
    Column{"idle_seconds", Type::kNumber, "s", "",
           "Held and idle within the window; where several pods hold a GPU, this one's share."},
    Column{"busy_seconds", Type::kNumber, "s", "", "Held and busy, likewise."},
    Column{"idle_percent", Type::kNumber, "%", "", "Of idle_seconds and busy_seconds together."},
    Column{"gpu_hours", Type::kNumber, "h", "", "idle_seconds in hours."},
    Column{"idle_cost", Type::kNumber, "", "",
           "Of idle_seconds, by GPU_PRICES; null without a price."},
};

std::span<const ParameterSpec> OwnParameters() {
  static const std::vector<ParameterSpec> kAll = [] {
    std::vector<ParameterSpec> all(kWindowParameters.begin(), kWindowParameters.end());
    all.insert(all.end(), kGpuFilterParameters.begin(), kGpuFilterParameters.end());
    return all;
  }();
  return kAll;
}

std::vector<Value> RowOf(const IdleTime& time, const Window& window) {
  constexpr double kSecond = 1000;
  constexpr double kHour = 3'600'000;
  const auto idle = static_cast<double>(time.idle);
  const auto busy = static_cast<double>(time.busy);
  std::vector<Value> row;
  for (const std::string* text : {&time.node, &time.gpu_id, &time.gpu_name, &time.uuid,
                                  &time.mig_uuid, &time.name_space, &time.pod}) {
    row.push_back(wire::TextOrNull(*text));
  }
  row.emplace_back(std::vector<std::string>(time.users.begin(), time.users.end()));
  row.emplace_back(std::int64_t{time.since ? 1 : 0});
  const auto since = [&] {
    const auto step = static_cast<std::int64_t>(*time.since) * window.step;
    return static_cast<double>(window.start + step) / kSecond;
  };
  row.push_back(time.since ? Value(since()) : Value(NullReason::kNone));  // it is not idle now
  row.emplace_back(idle / kSecond);
  row.emplace_back(busy / kSecond);
  row.emplace_back(100 * idle / (idle + busy));
  row.emplace_back(idle / kHour);
  row.push_back(std::isnan(time.idle_cost) ? Value(NullReason::kNotExported)
                                           : Value(time.idle_cost));
  return row;
}

struct Books {
  RecordQuery query;
  Window window;
  fleet::IdleHolders holders;
};

void Send(Call& call, Books& books, gpu::RangeEnd end) {
  wire::Records records{kColumns, {}};
  for (const IdleTime& time : books.holders.Finish()) {
    records.rows.push_back(RowOf(time, books.window));
  }
  wire::RecordsMeta meta;
  meta.window = books.window.span();
  meta.as_of = meta.window->end;
  meta.sources = std::move(end.sources);
  meta.warnings = std::move(end.warnings);
  const wire::Page page = Select(records, books.query);
  const bool csv = books.query.form.csv;
  auto encoded = csv ? wire::EncodeCsv(records, page)
                     : wire::EncodeRecords(records, meta, page, "Idle GPUs retrieved successfully");
  SendMade(call, gpu::Got{}, std::move(encoded), page, csv);
}

}  // namespace

void GetIdle(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  const GpuFilter filter = ParseGpuFilter(call->parameters());
  constexpr WindowDefaults kDefaults{.lists = 2};
  WithWindow(call, kDefaults, filter, [call, filter, query = *std::move(query)](Window window) {
    const auto books =
        std::make_shared<Books>(Books{query, window,
                                      fleet::IdleHolders(window.start, window.step, window.end,
                                                         call->services().settings.gpu_prices)});
    WalkParts(
        call, window, filter, false,
        [books](std::size_t i, const auto& parts) { books->holders.Add(i, parts); },
        [call, books](gpu::RangeEnd end) { Send(*call, *books, std::move(end)); });
  });
}

std::span<const ParameterSpec> IdleParameters() {
  static const RecordParameters kParameters(kColumns, OwnParameters());
  return kParameters.specs();
}

std::span<const wire::Column> IdleColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
