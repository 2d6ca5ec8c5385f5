// One refresh shared by everybody: coalesced, cached for a TTL, served stale when it must be.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/source.h"
#include "internal/gpu/viewers.h"

namespace gpumon::gpu {

struct CacheOptions {
  Millis ttl{2000};               // 0: every request that does not meet a refresh starts one
  Millis max_stale{30'000};       // a snapshot older than this (or the TTL) is never served
  Millis upstream_timeout{9000};  // of one refresh
  // After an error or an upstream warning the next refresh may start this soon; later when the
  // upstream asks for more patience, but never later than max_retry_after.
  Millis retry_after{1000};
  Millis max_retry_after{10'000};
  // Who may have stale data waits no longer than this, or than twice what the last refresh took
  // that waited for no query in vain, for the one under way; right after a failed one not at all.
  Millis patience{1000};
  // `at=` refreshes under way or waiting at once; more are kOverloaded, and before that those that
  // the collector cannot expect to end in time.
  std::size_t max_past_refreshes = 8;
  std::size_t past_snapshots = 4;  // `at=` answers kept, each for the TTL
};

// Thread-safe. Never asks Prometheus twice for the same thing at the same time: whoever comes
// while a refresh is under way waits for that one. A refresh of the present serves everybody, so
// it has `upstream_timeout`, whatever the deadline of the request that started it; one of a past
// instant ends with the first request for it.
//
// Where somebody comes again and again the next refresh begins before he does, so that it has
// arrived when the TTL ends, or when he is due if that is later. Once nobody came for it, no more
// begin. While one like that is under way the snapshot before it is fresh for a quarter of the TTL
// longer.
class CachedSource final : public Source {
 public:
  // `collector`, `clock` must outlive it and every refresh under way. `refreshed` (may be empty)
  // is called after each refresh of the present, when all who waited have been answered: memory of
  // the refresh can be given back.
  CachedSource(Collector& collector, const Clock& clock, CacheOptions options,
               std::function<void()> refreshed = {});

  void Get(const Want& want, Deadline deadline, GotSnapshot done) override;

  // Gives those whose patience is over what there is, and begins refreshes that are due. Call it
  // now and then.
  void Tick();
  // True once a first refresh of the GPU part has ended, well or badly.
  bool Attempted() const;
  // Frees `at=` answers whose time is over; they would else stay until the next one is asked for.
  void DropExpired();
  // Seconds since the part's snapshot was taken; nothing before the first.
  std::optional<double> Age(models::Part part) const;
  std::size_t Rows(models::Part part) const;

 private:
  using Collection = Result<SnapshotPtr>;
  struct Waiter {
    Want want;
    GotSnapshot done;
  };
  struct Entry {
    SnapshotPtr snapshot;
    std::uint64_t number = 0;  // of the snapshot, from 1 on
    SteadyTime taken;          // when the refresh that gave it started
    SteadyTime fresh_until;
    std::optional<Status> error;  // of the newest refresh
    SteadyTime failed_at;
    SteadyTime retry_at;
    bool refreshing = false;
    bool ahead = false;                   // ... before anybody asked for it
    SteadyTime refresh_started;           // while refreshing
    SteadyTime::duration refresh_took{};  // of the newest that was answered
    std::vector<Waiter> waiters;
    Viewers viewers;
  };
  struct PastEntry {
    models::Part part;
    WallTime at;
    SnapshotPtr snapshot;  // null while it is asked for
    SteadyTime until;
    std::vector<GotSnapshot> waiters;
  };

  void AnswerLate() EXCLUDES(mutex_);
  void RefreshAhead() EXCLUDES(mutex_);
  bool IsDue(const Entry& entry, SteadyTime now) const REQUIRES(mutex_);
  // Asks the collector; `now` is when it begins.
  void Refresh(models::Part part, SteadyTime now);
  void GetPresent(const Want& want, GotSnapshot done);
  void GetPast(const Want& want, Deadline deadline, GotSnapshot done);
  void Refreshed(models::Part part, SteadyTime started, Collection result);
  void PastCollected(models::Part part, WallTime at, Collection result);
  // What `want` gets from `entry` now; nothing: it has to wait for a refresh.
  std::optional<Result<Got>> Answer(const Entry& entry, const Want& want, SteadyTime now) const
      REQUIRES(mutex_);
  // The snapshot that there is, when it may be served and the refresh under way takes too long.
  std::optional<Got> Late(const Entry& entry, const Want& want, SteadyTime now) const
      REQUIRES(mutex_);
  std::optional<Result<Got>> Stale(const Entry& entry, const Want& want, SteadyTime now) const
      REQUIRES(mutex_);

  Collector& collector_;
  const Clock& clock_;
  const CacheOptions options_;
  const std::function<void()> refreshed_;

  mutable Mutex mutex_;
  std::array<Entry, models::kParts.size()> entries_ GUARDED_BY(mutex_);
  bool attempted_ GUARDED_BY(mutex_) = false;
  std::list<PastEntry> past_ GUARDED_BY(mutex_);  // newest first
};

}  // namespace gpumon::gpu
