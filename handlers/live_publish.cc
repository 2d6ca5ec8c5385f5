// The writing half of LiveFeed.
#include <algorithm>
#include <map>
#include <utility>

#include "handlers/live_feed.h"

namespace gpumon::handlers {
namespace {

constexpr Millis kPatience{3'000};

}  // namespace

LiveState LiveFeed::StateOf(const Group& group, const Asked& asked) const {
  LiveState state;
  if (gpus_) state.as_of = gpus_->as_of;
  const auto failed = [&](const Status& why) {
    state.stale = state.expired = true;
    state.code = why.wire_name();
    return state;
  };
  const auto take = [&](const gpu::Got& got, const std::string& whose) {
    state.partial |= got.snapshot->partial;
    for (const auto& warning : got.snapshot->warnings) state.warnings.push_back(whose + warning);
    if (!got.stale || state.stale) return;
    state.stale = true;
    state.code = got.why.wire_name();
  };
  if (!asked.gpus) return failed(asked.gpus.error());
  take(*asked.gpus, {});
  state.sources = asked.gpus->snapshot->sources;
  if (group.query.users.empty()) return state;
  if (!asked.processes || !*asked.processes) {
    // Not asked yet: the group is newer than the question.
    return failed(asked.processes ? asked.processes->error() : Status{Code::kUpstreamPartial, ""});
  }
  take(**asked.processes, "processes: ");
  return state;
}

void LiveFeed::PushChanges(Group& group, const LiveState& state, bool new_notes) {
  const std::uint64_t known = std::exchange(group.seq, std::max(group.seq, group.selected));
  const bool heard = std::any_of(group.clients.begin(), group.clients.end(),
                                 [](const Client& client) { return !client.waits; });
  if (!heard) return;
  if (!HasRoom(group)) {
    std::erase_if(group.clients, [&](Client& client) {
      if (!client.waits) LetGo(client);
      return !client.waits;
    });
    return;
  }
  const auto changes = group.selection.Since(*group.live, known);
  const bool reasons = group.live->ReasonsChangedAt() > known;
  if (changes.empty() && !reasons && !new_notes) return;
  Push(group, Event(ChangesEvent(IdOf(group), state, *group.live, changes, reasons)), "changes");
}

void LiveFeed::Publish(Group& group, const LiveState& state) {
  const bool new_status = !group.state.SameStatus(state);
  if (!state.expired) {
    const bool new_notes = !group.state.SameNotes(state);
    if (group.selected > group.seq || new_notes) PushChanges(group, state, new_notes);
    if (new_notes || new_status) group.snapshot.reset();
  }
  group.state = state;
  // Behind the rows: what it says of them is then true.
  if (new_status) Push(group, http::MakeBody(StatusEvent(state)), "status");
  ServeWaiting(group);
}

http::Body LiveFeed::FirstEvent(Group& group, const Client& client) {
  const LiveRows& live = *group.live;
  if (client.knows && *client.knows >= group.floor) {
    return Event(ChangesEvent(IdOf(group), group.state, live,
                              group.selection.Since(live, *client.knows),
                              live.ReasonsChangedAt() > *client.knows));
  }
  if (!group.snapshot) {
    group.snapshot = Event(SnapshotEvent(IdOf(group), group.state, live, group.selection.rows()));
  }
  return group.snapshot;
}

void LiveFeed::ServeWaiting(Group& group) {
  http::Body status;
  // Many come back at once with the same id, when a proxy was restarted.
  std::map<std::uint64_t, http::Body> resumed;
  std::erase_if(group.clients, [&](Client& client) {
    if (!client.waits) return false;
    const bool unwell = group.state.stale || client.told;
    if (unwell && !status) status = http::MakeBody(StatusEvent(group.state));
    if (group.state.expired) {
      if (std::exchange(client.told, true)) return false;
      return !Write(client, status, "status");
    }
    if (!HasRoom(group)) return false;
    client.waits = false;
    http::Body& known = resumed[client.knows.value_or(0)];
    if (!known) known = FirstEvent(group, client);
    const bool whole = known == group.snapshot;
    if (!Write(client, known, whole ? "snapshot" : "changes")) return true;
    return unwell && !Write(client, status, "status");
  });
  // Of the list that all may share the next one to come is likely soon.
  if (!group.query.IsWhole()) group.snapshot.reset();
}

void LiveFeed::TellLate() {
  const auto patience = std::max<SteadyTime::duration>(kPatience, 2 * took_);
  if (!asking_ || clock_.Steady() - asked_at_ < patience) return;
  for (const auto& [key, group] : groups_) {
    if (group->clients.empty() || group->selected == 0 || group->state.stale) continue;
    group->state.stale = true;
    group->state.code = Status{Code::kUpstreamTimeout, {}}.wire_name();
    group->snapshot.reset();
    Push(*group, http::MakeBody(StatusEvent(group->state)), "status");
  }
}

bool LiveFeed::HasRoom(const Group& group) const {
  return group.query.IsWhole() || *bytes_ < options_.most_bytes;
}

http::Body LiveFeed::Event(std::string text) const {
  *bytes_ += text.size();
  return {new std::string(std::move(text)), [bytes = bytes_](const std::string* event) {
            *bytes -= event->size();
            delete event;
          }};
}

void LiveFeed::LetGo(Client& client) {
  static const http::Body kLag = http::MakeBody(LagEvent());
  client.stream->End(kLag);
  metrics_.CountStreamEvent("lag");
}

bool LiveFeed::Write(Client& client, const http::Body& event, std::string_view name) {
  switch (client.stream->Write(event)) {
    case http::Stream::Written::kQueued:
      client.written = clock_.Steady();
      if (!name.empty()) metrics_.CountStreamEvent(name);
      return true;
    case http::Stream::Written::kBehind:
      LetGo(client);
      return false;
    case http::Stream::Written::kGone:
      break;
  }
  return false;
}

void LiveFeed::Push(Group& group, const http::Body& event, std::string_view name) {
  std::erase_if(group.clients,
                [&](Client& client) { return !client.waits && !Write(client, event, name); });
}

}  // namespace gpumon::handlers
