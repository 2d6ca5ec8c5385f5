#include "internal/gpu/cached_source.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {
namespace {

std::size_t IndexOf(models::Part part) {
  return static_cast<std::size_t>(part);
}

double UnixSeconds(WallTime time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}

double Seconds(SteadyTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double SecondsSince(WallTime at, const Clock& clock) {
  return std::max(0.0, UnixSeconds(clock.Wall()) - UnixSeconds(at));
}

}  // namespace

CachedSource::CachedSource(Collector& collector, const Clock& clock, CacheOptions options,
                           std::function<void()> refreshed)
    : collector_(collector), clock_(clock), options_(options), refreshed_(std::move(refreshed)) {}

void CachedSource::Get(const Want& want, Deadline deadline, GotSnapshot done) {
  if (want.at) {
    GetPast(want, deadline, std::move(done));
  } else {
    GetPresent(want, std::move(done));
  }
}

std::optional<Result<Got>> CachedSource::Stale(const Entry& entry, const Want& want,
                                               SteadyTime now) const {
  if (!entry.error) return std::nullopt;
  if (want.allow_stale && entry.snapshot && now - entry.taken <= options_.max_stale) {
    return Got{entry.snapshot, true, *entry.error, Seconds(now - entry.taken)};
  }
  Status error = *entry.error;
  // What is left of the time that Prometheus asked for.
  const int gone = static_cast<int>(Seconds(now - entry.failed_at));
  if (error.retry_after_s > 0) error.retry_after_s = std::max(1, error.retry_after_s - gone);
  return Result<Got>(Error(std::move(error)));
}

std::optional<Got> CachedSource::Late(const Entry& entry, const Want& want, SteadyTime now) const {
  auto patience = std::max<SteadyTime::duration>(options_.patience, 2 * entry.refresh_took);
  // Right after a failed one nobody waits for the next. Where nobody asked meanwhile Prometheus may
  // long be back.
  const bool lately = entry.refresh_started <= entry.retry_at + options_.retry_after;
  if (entry.error && lately) patience = {};
  if (!entry.refreshing || now - entry.refresh_started < patience || !want.allow_stale ||
      !entry.snapshot || now - entry.taken > options_.max_stale) {
    return std::nullopt;
  }
  const Status why =
      entry.error.value_or(Status{Code::kUpstreamTimeout, "Prometheus has not answered yet"});
  return Got{entry.snapshot, true, why, Seconds(now - entry.taken)};
}

std::optional<Result<Got>> CachedSource::Answer(const Entry& entry, const Want& want,
                                                SteadyTime now) const {
  const bool comes = entry.refreshing && entry.ahead && want.allow_stale;
  const Millis grace = comes ? options_.ttl / 4 : Millis(0);
  if (!entry.error && entry.snapshot && now < entry.fresh_until + grace) {
    return Got{entry.snapshot, false, {}, Seconds(now - entry.taken)};
  }
  // Until retry_at the error stands: a dead Prometheus is not asked by every viewer.
  if (entry.error && now < entry.retry_at) return Stale(entry, want, now);
  if (auto late = Late(entry, want, now)) return Result<Got>(std::move(*late));
  return std::nullopt;
}

void CachedSource::GetPresent(const Want& want, GotSnapshot done) {
  const SteadyTime now = clock_.Steady();
  std::optional<Result<Got>> answer;
  bool start = false;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[IndexOf(want.part)];
    answer = Answer(entry, want, now);
    if (!answer) {
      start = !entry.refreshing;
      entry.refreshing = true;
      if (start) entry.refresh_started = now;
      if (auto late = Late(entry, want, now)) answer = Result<Got>(std::move(*late));
    }
    entry.viewers.Look(now, entry.number + (answer ? 0 : 1));
    if (!answer) entry.waiters.push_back(Waiter{want, std::move(done)});
  }
  // Moved only where there is no answer. NOLINTNEXTLINE(bugprone-use-after-move)
  if (answer) done(std::move(*answer));
  if (start) Refresh(want.part, now);
}

// It serves others too: its time is the upstream's, not that of the request that began it.
void CachedSource::Refresh(models::Part part, SteadyTime now) {
  collector_.Collect(
      part, std::nullopt, Deadline::After(clock_, options_.upstream_timeout),
      [this, part, now](Collection result) { Refreshed(part, now, std::move(result)); });
}

bool CachedSource::IsDue(const Entry& entry, SteadyTime now) const {
  const std::optional<SteadyTime> expected = entry.viewers.Expected();
  if (!expected || entry.refreshing || entry.error || !entry.snapshot ||
      options_.ttl == Millis(0) || entry.viewers.seen() != entry.number) {
    return false;
  }
  const auto lead = std::min<SteadyTime::duration>(entry.refresh_took, options_.ttl / 2);
  return now >= std::max(entry.fresh_until, *expected) - lead;
}

void CachedSource::RefreshAhead() {
  const SteadyTime now = clock_.Steady();
  std::vector<models::Part> due;
  {
    MutexLock lock(mutex_);
    for (const models::Part part : models::kParts) {
      Entry& entry = entries_[IndexOf(part)];
      if (!IsDue(entry, now)) continue;
      entry.refreshing = entry.ahead = true;
      entry.refresh_started = now;
      due.push_back(part);
    }
  }
  for (const models::Part part : due) Refresh(part, now);
}

void CachedSource::Tick() {
  AnswerLate();
  RefreshAhead();
}

void CachedSource::Refreshed(models::Part part, SteadyTime started, Collection result) {
  const SteadyTime now = clock_.Steady();
  std::vector<std::pair<GotSnapshot, Result<Got>>> answers;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[IndexOf(part)];
    if (part == models::Part::kGpus) attempted_ = true;
    past_.remove_if([&](const PastEntry& e) { return e.snapshot && e.until <= now; });
    entry.refreshing = entry.ahead = false;
    if (result) {
      const bool brief = (*result)->partial || (*result)->upstream_warned;
      entry.snapshot = std::move(*result);
      entry.taken = started;
      ++entry.number;
      // Who waited in vain until a deadline, the look's or that of all, did not learn how long a
      // refresh takes.
      const bool in_vain =
          entry.snapshot->partial && 2 * (now - started) >= options_.upstream_timeout;
      if (!in_vain) entry.refresh_took = now - started;
      const Millis ttl = options_.ttl;
      entry.fresh_until = now + (brief ? std::min(ttl, options_.retry_after) : ttl);
      entry.error.reset();
    } else {
      entry.error = std::move(result.error());
      entry.failed_at = now;
      const Millis asked = std::chrono::seconds(entry.error->retry_after_s);
      entry.retry_at =
          now + std::max(options_.retry_after, std::min(asked, options_.max_retry_after));
    }
    answers.reserve(entry.waiters.size());
    for (auto& waiter : entry.waiters) {
      // Whoever waited gets this refresh's outcome, even with a TTL of zero.
      auto answer = entry.error
                        ? *Stale(entry, waiter.want, now)
                        : Result<Got>(Got{entry.snapshot, false, {}, Seconds(now - started)});
      answers.emplace_back(std::move(waiter.done), std::move(answer));
    }
    entry.waiters.clear();
  }
  for (auto& [done, answer] : answers) done(std::move(answer));
  if (refreshed_) refreshed_();
}

void CachedSource::AnswerLate() {
  const SteadyTime now = clock_.Steady();
  std::vector<std::pair<GotSnapshot, Got>> answers;
  {
    MutexLock lock(mutex_);
    for (Entry& entry : entries_) {
      std::vector<Waiter> patient;
      for (Waiter& waiter : entry.waiters) {
        if (auto late = Late(entry, waiter.want, now)) {
          answers.emplace_back(std::move(waiter.done), std::move(*late));
        } else {
          patient.push_back(std::move(waiter));
        }
      }
      entry.waiters = std::move(patient);
    }
  }
  for (auto& [done, answer] : answers) done(std::move(answer));
}

void CachedSource::GetPast(const Want& want, Deadline deadline, GotSnapshot done) {
  const SteadyTime now = clock_.Steady();
  std::optional<Result<Got>> answer;
  {
    MutexLock lock(mutex_);
    past_.remove_if([&](const PastEntry& e) { return e.snapshot && e.until <= now; });
    const auto found = std::find_if(past_.begin(), past_.end(), [&](const PastEntry& e) {
      return e.part == want.part && e.at == *want.at;
    });
    if (found != past_.end() && !found->snapshot) {
      found->waiters.push_back(std::move(done));
      return;
    }
    const auto under_way = static_cast<std::size_t>(std::count_if(
        past_.begin(), past_.end(), [](const PastEntry& e) { return e.snapshot == nullptr; }));
    if (found != past_.end()) {
      answer = Got{found->snapshot, false, {}, SecondsSince(*want.at, clock_)};
    } else if (under_way >= options_.max_past_refreshes) {
      answer = Result<Got>(Error(TooManyPastInstants()));
    } else {
      past_.push_front(PastEntry{want.part, *want.at, nullptr, now, {}});
      past_.front().waiters.push_back(std::move(done));
    }
  }
  if (answer) {
    // Moved only where there is no answer. NOLINTNEXTLINE(bugprone-use-after-move)
    done(std::move(*answer));
    return;
  }
  const Deadline upstream = Deadline::After(clock_, options_.upstream_timeout).Earlier(deadline);
  collector_.Collect(want.part, UnixSeconds(*want.at), upstream,
                     [this, part = want.part, at = *want.at](Collection result) {
                       PastCollected(part, at, std::move(result));
                     });
}

void CachedSource::PastCollected(models::Part part, WallTime at, Collection result) {
  std::vector<GotSnapshot> waiters;
  {
    MutexLock lock(mutex_);
    const auto entry = std::find_if(past_.begin(), past_.end(), [&](const PastEntry& e) {
      return e.part == part && e.at == at && !e.snapshot;
    });
    if (entry == past_.end()) return;
    waiters = std::move(entry->waiters);
    if (result && !(*result)->partial) {
      entry->snapshot = *result;
      entry->until = clock_.Steady() + options_.ttl;
    } else {
      past_.erase(entry);
    }
    // The oldest finished ones make room.
    std::size_t kept = 0;
    past_.remove_if(
        [&](const PastEntry& e) { return e.snapshot && ++kept > options_.past_snapshots; });
  }
  if (refreshed_) refreshed_();
  for (auto& done : waiters) {
    done(result ? Result<Got>(Got{*result, false, {}, SecondsSince(at, clock_)})
                : Result<Got>(Error(result.error())));
  }
}

void CachedSource::DropExpired() {
  std::list<PastEntry> expired;  // destroyed after the lock
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  for (auto entry = past_.begin(); entry != past_.end();) {
    const auto next = std::next(entry);
    if (entry->snapshot && entry->until <= now) expired.splice(expired.end(), past_, entry);
    entry = next;
  }
}

bool CachedSource::Attempted() const {
  MutexLock lock(mutex_);
  return attempted_;
}

std::optional<double> CachedSource::Age(models::Part part) const {
  MutexLock lock(mutex_);
  const Entry& entry = entries_[IndexOf(part)];
  if (!entry.snapshot) return std::nullopt;
  return std::chrono::duration<double>(clock_.Steady() - entry.taken).count();
}

std::size_t CachedSource::Rows(models::Part part) const {
  MutexLock lock(mutex_);
  const Entry& entry = entries_[IndexOf(part)];
  return entry.snapshot ? entry.snapshot->rows() : 0;
}

}  // namespace gpumon::gpu
