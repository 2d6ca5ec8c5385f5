#include "handlers/live_events.h"

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/wire/form.h"
#include "internal/wire/meta.h"

namespace gpumon::handlers {
namespace {

using json::Writer;

std::string Event(std::string_view name, std::string_view id, std::string_view data) {
  std::string event;
  event.reserve(name.size() + id.size() + data.size() + 32);
  if (!id.empty()) event.append("id: ").append(id).append(1, '\n');
  event.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
  return event;
}

void WriteTime(Writer& writer, const LiveState& state) {
  writer.Key("as_of");
  if (state.as_of) {
    writer.String(FormatTime(wire::ToWallTime(*state.as_of)));
  } else {
    writer.Null();
  }
}

void WriteState(Writer& writer, const LiveState& state) {
  WriteTime(writer, state);
  writer.Key("stale");
  writer.Bool(state.stale);
  writer.Key("partial");
  writer.Bool(state.partial);
  writer.Key("warnings");
  wire::Page page;
  page.stale = state.stale;
  page.stale_code = state.code;
  wire::WriteTexts(writer, wire::WarningsOf(state.warnings, page));
  writer.Key("sources");
  wire::WriteTexts(writer, state.sources);
}

void WriteRows(Writer& writer, std::string_view key, const LiveRows& live,
               const std::vector<std::uint32_t>& rows) {
  writer.Key(key);
  writer.BeginArray();
  for (const std::uint32_t row : rows) writer.Raw(live.TextOf(row));
  writer.EndArray();
}

std::size_t BytesOf(const LiveRows& live, const std::vector<std::uint32_t>& rows) {
  std::size_t bytes = 1024;
  for (const std::uint32_t row : rows) bytes += live.TextOf(row).size() + 1;
  return bytes + live.reasons().size();
}

}  // namespace

std::string SnapshotEvent(std::string_view id, const LiveState& state, const LiveRows& live,
                          const std::vector<std::uint32_t>& rows) {
  Writer writer(BytesOf(live, rows));
  writer.BeginObject();
  WriteState(writer, state);
  writer.Key("null_reasons");
  writer.Raw(live.reasons());
  WriteRows(writer, "rows", live, rows);
  writer.EndObject();
  return Event("snapshot", id, writer.view());
}

std::string ChangesEvent(std::string_view id, const LiveState& state, const LiveRows& live,
                         const LiveSelection::Changes& changes, bool reasons) {
  Writer writer(BytesOf(live, changes.rows));
  writer.BeginObject();
  WriteState(writer, state);
  if (reasons) {
    writer.Key("null_reasons");
    writer.Raw(live.reasons());
  }
  WriteRows(writer, "changed", live, changes.rows);
  writer.Key("removed");
  writer.BeginArray();
  for (const std::size_t slot : changes.removed) writer.String(live.KeyOf(slot));
  writer.EndArray();
  writer.EndObject();
  return Event("changes", id, writer.view());
}

std::string StatusEvent(const LiveState& state) {
  Writer writer;
  writer.BeginObject();
  writer.Key("stale");
  writer.Bool(state.stale);
  writer.Key("expired");
  writer.Bool(state.expired);
  writer.Key("code");
  if (state.code.empty()) {
    writer.Null();
  } else {
    writer.String(state.code);
  }
  WriteTime(writer, state);
  writer.EndObject();
  return Event("status", {}, writer.view());
}

std::string_view Prelude() {
  return "retry: 2000\n\n";
}

std::string_view Heartbeat() {
  return ": heartbeat\n\n";
}

std::string EndEvent(std::size_t which) {
  constexpr std::size_t kTimes = 16;
  constexpr std::size_t kFirst = 1000;
  constexpr std::size_t kStep = 250;
  return "retry: " + std::to_string(kFirst + which % kTimes * kStep) + '\n' +
         Event("end", {}, R"({"reason":"draining"})");
}

std::string LagEvent() {
  return "retry: 5000\n" + Event("lag", {}, R"({"reason":"the client did not keep up"})");
}

}  // namespace gpumon::handlers
