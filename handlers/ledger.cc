#include "handlers/ledger.h"

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "handlers/window.h"
#include "internal/fleet/ledger.h"

namespace gpumon::handlers {
namespace {

using fleet::Account;
using fleet::LedgerBy;
using fleet::State;
using models::NullReason;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"node_name", Type::kText, "", "", "With by=node and by=gpu."},
    Column{"gpu_id", Type::kText, "", "", "With by=gpu."},
    Column{"uuid", Type::kText, "", "", "With by=gpu."},
    Column{"gpu_name", Type::kText, "", "", "With by=model and by=gpu."},
    Column{"namespace", Type::kText, "", "namespace",
           "With by=namespace and by=pod; null: no pod held it."},
    Column{"pod", Type::kText, "", "pod", "With by=pod; null: no pod held it."},
    Column{"user", Type::kText, "", "user",
           "With by=user, of processes; null: no process was on it, or none that tells."},
    Column{"gpus", Type::kInteger, "", "", "GPUs that the row has any time of."},
    Column{"total_seconds", Type::kNumber, "s", "",
           "Time of GPUs: of all rows together the GPUs times the window."},
    Column{"busy_seconds", Type::kNumber, "s", "", "Not idle."},
    Column{"idle_held_seconds", Type::kNumber, "s", "", "Idle, and somebody held it."},
    Column{"free_seconds", Type::kNumber, "s", "", "Idle, and nobody held it."},
    Column{"unhealthy_seconds", Type::kNumber, "s", "",
           "In need of a reset, a reboot or somebody to look at it."},
    Column{"unknown_seconds", Type::kNumber, "s", "",
           "Nobody says whether it was busy or held: gaps, too."},
    Column{"busy_percent", Type::kNumber, "%", "", "Of total_seconds without unknown_seconds."},
    Column{"gpu_hours", Type::kNumber, "h", "", "total_seconds in hours."},
    Column{"cost", Type::kNumber, "", "", "Of all of it, by GPU_PRICES; null without a price."},
    Column{"idle_cost", Type::kNumber, "", "", "Of idle_held_seconds, likewise."},
};

constexpr std::string_view kWords = "fleet|node|model|gpu|namespace|pod|user";

std::span<const ParameterSpec> OwnParameters() {
  static const std::vector<ParameterSpec> kAll = [] {
    std::vector<ParameterSpec> all = {
        {.name = "by",
         .kind = ParameterKind::kWord,
         .help = "One row for the fleet, or for each node, model, GPU, namespace, pod or user.",
         .words = kWords}};
    all.insert(all.end(), kWindowParameters.begin(), kWindowParameters.end());
    all.insert(all.end(), kGpuFilterParameters.begin(), kGpuFilterParameters.end());
    return all;
  }();
  return kAll;
}

LedgerBy ByOf(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, LedgerBy>, 6> kBy = {
      {{"node", LedgerBy::kNode},
       {"model", LedgerBy::kModel},
       {"gpu", LedgerBy::kGpu},
       {"namespace", LedgerBy::kNamespace},
       {"pod", LedgerBy::kPod},
       {"user", LedgerBy::kUser}}};
  for (const auto& [name, by] : kBy) {
    if (name == word) return by;
  }
  return LedgerBy::kFleet;
}

// By column: the place of its text in Account::key, or -1.
std::array<int, 7> TextsOf(LedgerBy by) {
  switch (by) {
    case LedgerBy::kNode:
      return {0, -1, -1, -1, -1, -1, -1};
    case LedgerBy::kModel:
      return {-1, -1, -1, 0, -1, -1, -1};
    case LedgerBy::kGpu:
      return {0, 1, 2, 3, -1, -1, -1};
    case LedgerBy::kNamespace:
      return {-1, -1, -1, -1, 0, -1, -1};
    case LedgerBy::kPod:
      return {-1, -1, -1, -1, 0, 1, -1};
    case LedgerBy::kUser:
      return {-1, -1, -1, -1, -1, -1, 0};
    case LedgerBy::kFleet:
      break;
  }
  return {-1, -1, -1, -1, -1, -1, -1};
}

Value NumberOrNull(double number) {
  return std::isnan(number) ? Value(NullReason::kNotExported) : Value(number);
}

std::vector<Value> RowOf(const Account& account, LedgerBy by) {
  std::vector<Value> row;
  for (const int place : TextsOf(by)) {
    row.push_back(place < 0 ? Value(NullReason::kNotExported)
                            : wire::TextOrNull(account.key[static_cast<std::size_t>(place)]));
  }
  const auto seconds = [](std::int64_t millis) { return static_cast<double>(millis) / 1000; };
  const auto millis = [&](State state) { return account.millis[static_cast<std::size_t>(state)]; };
  row.emplace_back(static_cast<std::int64_t>(account.gpus));
  row.emplace_back(seconds(account.total()));
  for (const State state :
       {State::kBusy, State::kIdleHeld, State::kFree, State::kUnhealthy, State::kUnknown}) {
    row.emplace_back(seconds(millis(state)));
  }
  const std::int64_t known = account.total() - millis(State::kUnknown);
  row.push_back(known == 0 ? Value(NullReason::kNotExported)
                           : Value(100 * static_cast<double>(millis(State::kBusy)) /
                                   static_cast<double>(known)));
  row.emplace_back(seconds(account.total()) / 3600);
  row.push_back(NumberOrNull(account.cost));
  row.push_back(NumberOrNull(account.idle_cost));
  return row;
}

struct Books {
  LedgerBy by;
  RecordQuery query;
  Window window;
  fleet::Ledger ledger;
};

void Send(Call& call, Books& books, gpu::RangeEnd end) {
  wire::Records records{kColumns, {}};
  for (const Account& account : books.ledger.Finish()) {
    records.rows.push_back(RowOf(account, books.by));
  }
  wire::RecordsMeta meta;
  meta.window = books.window.span();
  meta.as_of = meta.window->end;
  meta.sources = std::move(end.sources);
  meta.warnings = std::move(end.warnings);
  if (const std::size_t gaps = books.ledger.gpus_with_gaps(); gaps > 0) {
    meta.warnings.push_back(std::to_string(gaps) + " of " + std::to_string(books.ledger.gpus()) +
                            " GPUs were not seen at every instant of the window: that time is "
                            "unknown");
  }
  const wire::Page page = Select(records, books.query);
  const bool csv = books.query.form.csv;
  auto encoded =
      csv ? wire::EncodeCsv(records, page)
          : wire::EncodeRecords(records, meta, page, "GPU time ledger retrieved successfully");
  SendMade(call, gpu::Got{}, std::move(encoded), page, csv);
}

}  // namespace

void GetLedger(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  const GpuFilter filter = ParseGpuFilter(call->parameters());
  constexpr WindowDefaults kDefaults{.lists = 2};
  WithWindow(call, kDefaults, filter, [call, filter, query = *std::move(query)](Window window) {
    const LedgerBy by = ByOf(call->parameters().Text("by"));
    const auto books =
        std::make_shared<Books>(Books{by, query, window,
                                      fleet::Ledger(by, window.start, window.step, window.end,
                                                    call->services().settings.gpu_prices)});
    WalkParts(
        call, window, filter, true,
        [books](std::size_t i, const auto& parts) { books->ledger.Add(i, parts); },
        [call, books](gpu::RangeEnd end) { Send(*call, *books, std::move(end)); });
  });
}

std::span<const ParameterSpec> LedgerParameters() {
  static const RecordParameters kParameters(kColumns, OwnParameters());
  return kParameters.specs();
}

std::span<const wire::Column> LedgerColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
