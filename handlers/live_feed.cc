#include "handlers/live_feed.h"

#include <algorithm>
#include <charconv>
#include <future>
#include <random>
#include <sstream>
#include <utility>

namespace gpumon::handlers {
namespace {

using models::Part;

// Each choice of fields is encoded on its own at every refresh; filters are cheap.
constexpr std::size_t kMostChoicesOfFields = 16;
constexpr std::size_t kMostKeptGroups = 16;
constexpr Millis kBeat{1'000};
constexpr int kRetryAfter = 5;

std::string NewEpoch() {
  std::ostringstream text;
  text << std::hex << std::random_device{}() << std::random_device{}();
  return text.str();
}

// The same for the same filters and fields.
std::string KeyOf(const ListQuery& query) {
  std::ostringstream key;
  key.precision(17);
  const auto list = [&](char kind, std::size_t which, const std::vector<std::string>& patterns) {
    key << kind << which;
    for (const std::string& pattern : patterns) key << '\0' << pattern.size() << ':' << pattern;
    key << '\n';
  };
  for (const auto& filter : query.texts) {
    list('t', static_cast<std::size_t>(filter.which), filter.patterns);
  }
  list('u', 0, query.users);
  for (const auto& range : query.ranges) {
    key << 'r' << range.field << ' ' << range.min.has_value() << range.min.value_or(0) << ' '
        << range.max.has_value() << range.max.value_or(0) << '\n';
  }
  for (const auto field : query.fields) key << 'f' << field << '\n';
  return key.str();
}

http::Response StreamHead(const Call& call) {
  http::Response head;
  head.headers = {{"Content-Type", std::string(call.route().content_type)},
                  {"Cache-Control", "no-cache, no-transform"},
                  {"X-Accel-Buffering", "no"}};
  return head;
}

}  // namespace

LiveFeed::LiveFeed(gpu::Source& source, const Clock& clock, Executor& executor,
                   telemetry::Metrics& metrics, LiveOptions options)
    : source_(source),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      epoch_(NewEpoch()),
      strand_(executor) {}

void LiveFeed::Join(const CallPtr& call, ListQuery query) {
  if (call->request().method == "HEAD") {
    call->StartStream(StreamHead(*call));
    return;
  }
  const Status draining{Code::kDraining, "the server is stopping", {}, kRetryAfter};
  if (ended_) return call->SendError(draining);
  const std::shared_ptr<void> place(nullptr, [this](void*) { --clients_; });
  if (++clients_ > options_.max_clients) {
    metrics_.CountShed("stream_clients");
    return call->SendError({Code::kOverloaded,
                            "as many clients follow the stream as may (STREAM_MAX_CLIENTS)",
                            {},
                            kRetryAfter});
  }
  const bool posted =
      strand_.Post([this, call, query = std::move(query), place] { Admit(call, query, place); });
  if (!posted) call->SendError(draining);
}

void LiveFeed::Admit(const CallPtr& call, ListQuery query, std::shared_ptr<void> place) {
  if (ended_) return call->SendError({Code::kDraining, "the server is stopping", {}, kRetryAfter});
  const auto group = GroupFor(std::move(query));
  if (!group) return call->SendError(group.error());
  auto stream = call->StartStream(StreamHead(*call));
  if (!stream) return;
  Client client{.stream = std::move(stream),
                .place = std::move(place),
                .written = {},
                .knows = KnownOf(**group, call->request())};
  static const http::Body kPrelude = http::MakeBody(std::string(Prelude()));
  if (!Write(client, kPrelude, {})) return;
  (*group)->clients.push_back(std::move(client));
  Poll();
}

Result<LiveFeed::Group*> LiveFeed::GroupFor(ListQuery query) {
  const std::string key = KeyOf(query);
  auto& place = groups_[key];
  if (place) return place.get();
  auto& live = rows_[query.fields];
  if (!live && rows_.size() > kMostChoicesOfFields) {
    rows_.erase(query.fields);
    groups_.erase(key);
    metrics_.CountShed("stream_fields");
    return Error(Status{Code::kOverloaded,
                        "the stream is followed with too many different choices of `fields`; leave "
                        "it out, or try later",
                        {},
                        kRetryAfter});
  }
  if (!live) live = std::make_shared<LiveRows>(query.fields);
  place = std::make_unique<Group>();
  place->number = ++groups_made_;
  place->live = live;
  place->query = std::move(query);
  place->empty_since = clock_.Steady();
  at_work_ = true;
  return place.get();
}

std::string LiveFeed::IdOf(const Group& group) const {
  return epoch_ + '-' + std::to_string(group.number) + '-' + std::to_string(group.seq);
}

// What an earlier stream of the same selection has told this client.
std::optional<std::uint64_t> LiveFeed::KnownOf(const Group& group,
                                               const http::Request& request) const {
  const std::string* id = http::Find(request.headers, "Last-Event-ID");
  const std::string ours = epoch_ + '-' + std::to_string(group.number) + '-';
  if (id == nullptr || !id->starts_with(ours)) return std::nullopt;
  std::uint64_t seq = 0;
  const char* const end = id->data() + id->size();
  const auto [stop, error] = std::from_chars(id->data() + ours.size(), end, seq);
  if (error != std::errc() || stop != end || seq == 0 || seq > group.seq) return std::nullopt;
  return seq;
}

void LiveFeed::Poll() {
  if (asking_) return;
  asking_ = true;
  asked_at_ = clock_.Steady();
  next_poll_ = asked_at_ + options_.poll;
  const bool users = std::any_of(groups_.begin(), groups_.end(), [](const auto& entry) {
    return !entry.second->query.users.empty() && !entry.second->clients.empty();
  });
  const auto asked = std::make_shared<Asked>();
  asked->missing = users ? 2 : 1;
  const auto came = [this, asked] {
    if (--asked->missing > 0) return;
    strand_.Post([this, asked] {
      asking_ = false;
      Take(*asked);
    });
  };
  const Deadline deadline = Deadline::After(clock_, options_.request_timeout);
  source_.Get({.part = Part::kGpus, .at = {}}, deadline, [asked, came](Result<gpu::Got> got) {
    asked->gpus = std::move(got);
    came();
  });
  if (!users) return;
  source_.Get({.part = Part::kProcesses, .at = {}}, deadline, [asked, came](Result<gpu::Got> got) {
    asked->processes = std::move(got);
    came();
  });
}

void LiveFeed::Take(const Asked& asked) {
  if (asked.gpus) NoteSnapshots(asked);
  std::optional<wire::Table> table;
  std::vector<std::string> keys;
  for (const auto& [key, group] : groups_) {
    if (group->clients.empty()) continue;
    const LiveState state = StateOf(*group, asked);
    if (!state.expired && IsOutdated(*group)) {
      if (!table) keys = RowKeys(table.emplace(*gpus_));
      Select(*group, *table, keys);
    }
    Publish(*group, state);
  }
  Forget();
}

void LiveFeed::NoteSnapshots(const Asked& asked) {
  const bool processes = asked.processes && *asked.processes;
  const bool new_gpus = gpus_ != asked.gpus->snapshot;
  const bool new_processes = processes && processes_ != (*asked.processes)->snapshot;
  if (!new_gpus && !new_processes) return;
  Compact();
  ++seq_;
  if (new_gpus) {
    gpus_ = asked.gpus->snapshot;
    gpus_seq_ = seq_;
    took_ = clock_.Steady() - asked_at_;
  }
  if (new_processes) {
    processes_ = (*asked.processes)->snapshot;
    processes_seq_ = seq_;
  }
}

// Between two updates all who follow know of everything.
void LiveFeed::Compact() {
  for (const auto& [fields, live] : rows_) {
    const std::vector<std::size_t> moved = live->Compact();
    if (moved.empty()) continue;
    for (const auto& [key, group] : groups_) {
      if (group->live != live) continue;
      group->selection.Move(moved);
      group->floor = seq_;
    }
  }
}

bool LiveFeed::IsOutdated(const Group& group) const {
  return group.selected < gpus_seq_ ||
         (!group.query.users.empty() && group.selected < processes_seq_);
}

void LiveFeed::Select(Group& group, const wire::Table& table,
                      const std::vector<std::string>& keys) {
  LiveRows& live = *group.live;
  if (live.seq() != gpus_seq_) live.Update(table, keys, gpus_seq_);
  if (!group.query.users.empty()) UseGpusOf(table.snapshot(), *processes_, group.query);
  group.selection.Update(live, handlers::Select(table, group.query).rows, seq_);
  group.selected = seq_;
  group.snapshot.reset();
}

void LiveFeed::Tick() {
  if (!at_work_ || tick_posted_.exchange(true)) return;
  strand_.Post([this] {
    tick_posted_ = false;
    const SteadyTime now = clock_.Steady();
    if (clients_ > 0 && now >= next_poll_) Poll();
    TellLate();
    if (now < next_beat_) return;
    next_beat_ = now + kBeat;
    Beat();
  });
}

void LiveFeed::Beat() {
  static const http::Body kHeartbeat = http::MakeBody(std::string(Heartbeat()));
  const SteadyTime now = clock_.Steady();
  for (const auto& [key, group] : groups_) {
    std::erase_if(group->clients, [&](Client& client) {
      if (!client.stream->Alive()) return true;
      return now - client.written >= options_.heartbeat && !Write(client, kHeartbeat, {});
    });
  }
  Forget();
}

// What nobody follows stays for a while: who was cut off comes back.
void LiveFeed::Forget() {
  const SteadyTime now = clock_.Steady();
  std::size_t empty = 0;
  for (const auto& [key, group] : groups_) {
    if (!group->clients.empty()) group->empty_since = now;
    if (group->clients.empty()) ++empty;
  }
  const bool nobody = empty == groups_.size();
  std::erase_if(groups_, [&](const auto& entry) {
    const Group& group = *entry.second;
    if (!group.clients.empty()) return false;
    if (now - group.empty_since < options_.keep && empty <= kMostKeptGroups) return false;
    --empty;
    return true;
  });
  std::erase_if(rows_, [](const auto& entry) { return entry.second.use_count() == 1; });
  at_work_ = !groups_.empty();
  if (!nobody) return;
  // The next client asks anew.
  gpus_.reset();
  processes_.reset();
  for (const auto& [fields, live] : rows_) live->DropTexts();
  for (const auto& [key, group] : groups_) group->snapshot.reset();
}

void LiveFeed::EndAll() {
  std::size_t which = 0;
  for (const auto& [key, group] : groups_) {
    for (Client& client : group->clients) {
      client.stream->End(http::MakeBody(EndEvent(which++)));
      metrics_.CountStreamEvent("end");
    }
    group->clients.clear();
  }
}

void LiveFeed::End(Millis patience) {
  ended_ = true;
  const auto done = std::make_shared<std::promise<void>>();
  const auto ended = done->get_future();
  const bool posted = strand_.Post([this, done] {
    EndAll();
    done->set_value();
  });
  if (posted) ended.wait_for(patience);
}

}  // namespace gpumon::handlers
