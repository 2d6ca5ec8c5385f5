// Everybody who follows GET /api/v1/gpu/stream, and what they are sent.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/api.h"
#include "handlers/list_query.h"
#include "handlers/live_events.h"
#include "handlers/live_rows.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/strand.h"
#include "internal/gpu/source.h"
#include "internal/http/server.h"
#include "internal/telemetry/metrics.h"

namespace gpumon::handlers {

struct LiveOptions {
  std::size_t max_clients = 1000;
  Millis poll{100};          // the source is asked so often while somebody follows
  Millis heartbeat{15'000};  // a client hears something at least so often
  Millis keep{60'000};       // what is known of a selection that nobody follows, for who comes back
  Millis request_timeout{10'000};
  // Of events on their way. Beyond it those of filters and chosen fields wait, or are `lag`: each
  // is shared by few, and clients choose how many there are.
  std::size_t most_bytes = 64U << 20U;
};

// While there are clients it asks the source for the GPUs, which has them refreshed each CACHE_TTL;
// else for nothing. Clients with the same filters and fields are a group: it is compared, encoded
// and kept once, and all its clients share the bytes. Thread-safe: all that is not about joining
// happens on a strand of `executor`, which must have stopped before this is destroyed.
class LiveFeed {
 public:
  // The others must outlive it.
  LiveFeed(gpu::Source& source, const Clock& clock, Executor& executor, telemetry::Metrics& metrics,
           LiveOptions options);

  // Answers `call` with a stream of the rows that pass `query`. kOverloaded when there are too many
  // clients, or too many different choices of fields; kDraining after End.
  void Join(const CallPtr& call, ListQuery query);
  // Call a few times a second.
  void Tick();
  // Ends every stream with an `end` event, and takes no more. Waits for that, at most `patience`.
  void End(Millis patience);
  std::size_t clients() const { return clients_; }

 private:
  struct Client {
    std::shared_ptr<http::Stream> stream;
    std::shared_ptr<void> place;         // among the clients that may be
    SteadyTime written;                  // when it last was sent something
    bool waits = true;                   // for its first rows
    std::optional<std::uint64_t> knows;  // everything up to there: of an earlier stream
    bool told = false;                   // while it waits: that there is nothing
  };
  struct Group {
    std::string key;
    std::uint64_t number = 0;
    ListQuery query;
    std::shared_ptr<LiveRows> live;
    LiveSelection selection;
    std::uint64_t selected = 0;  // when the selection was last made; 0: never
    std::uint64_t seq = 0;       // what its clients know
    std::uint64_t floor = 0;     // since when it is known what was removed
    LiveState state;
    http::Body snapshot;  // of the present, when somebody wanted it
    std::vector<Client> clients;
    SteadyTime empty_since;
  };
  // What came of one question to the source.
  struct Asked {
    Result<gpu::Got> gpus = Error(Code::kInternal, "not asked");
    std::optional<Result<gpu::Got>> processes;
    std::atomic<int> missing{1};
  };

  // On the strand.
  void Admit(const CallPtr& call, ListQuery query, std::shared_ptr<void> place);
  Result<Group*> GroupFor(ListQuery query);
  void Poll();
  void Take(const Asked& asked);
  void NoteSnapshots(const Asked& asked);
  void Compact();
  bool IsOutdated(const Group& group) const;
  void Select(Group& group, const wire::Table& table, const std::vector<std::string>& keys);
  LiveState StateOf(const Group& group, const Asked& asked) const;
  void Publish(Group& group, const LiveState& state);
  void PushChanges(Group& group, const LiveState& state, bool new_notes);
  void ServeWaiting(Group& group);
  http::Body FirstEvent(Group& group, const Client& client);
  // To all who do not wait for their first rows.
  void Push(Group& group, const http::Body& event, std::string_view name);
  bool HasRoom(const Group& group) const;
  // An event's bytes, counted for as long as somebody has them.
  http::Body Event(std::string text) const;
  void LetGo(Client& client);  // with a `lag` event
  // False when the client is gone or, let go, behind.
  bool Write(Client& client, const http::Body& event, std::string_view name);
  // The source has not answered for so long that what was sent is old.
  void TellLate();
  void Beat();
  void Forget();
  void EndAll();
  std::string IdOf(const Group& group) const;
  std::optional<std::uint64_t> KnownOf(const Group& group, const http::Request& request) const;

  gpu::Source& source_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  const LiveOptions options_;
  const std::string epoch_;  // of this process: ids of others mean nothing here
  Strand strand_;
  const std::shared_ptr<std::atomic<std::size_t>> bytes_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<std::size_t> clients_{0};
  std::atomic<bool> ended_{false};
  std::atomic<bool> at_work_{false};  // there are groups
  std::atomic<bool> tick_posted_{false};

  // The strand's alone.
  std::map<std::string, std::unique_ptr<Group>> groups_;
  std::map<std::vector<std::uint16_t>, std::shared_ptr<LiveRows>> rows_;
  std::uint64_t seq_ = 0;
  std::uint64_t gpus_seq_ = 0;  // of gpus_
  std::uint64_t processes_seq_ = 0;
  std::uint64_t groups_made_ = 0;
  gpu::SnapshotPtr gpus_;
  gpu::SnapshotPtr processes_;
  bool asking_ = false;
  SteadyTime asked_at_;
  SteadyTime::duration took_{};  // the answer that brought the newest GPUs
  SteadyTime next_poll_;
  SteadyTime next_beat_;
};

}  // namespace gpumon::handlers
