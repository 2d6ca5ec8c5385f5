// Answers of another system, shared by everybody who asks: coalesced, kept for a while, served
// stale when they must be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::handlers {

struct SharingOptions {
  Millis ttl{2000};          // 0: only questions that are under way are shared
  Millis max_stale{30'000};  // 0: nothing stale is served
  Millis timeout{9000};      // of one question
  Millis retry_after{1000};  // after a failure, where the ttl is not shorter
  // Different questions that are remembered or under way; more are kOverloaded while none of them
  // can be forgotten.
  std::size_t most = 64;
};

template <class T>
struct Shared {
  std::shared_ptr<const T> value;
  WallTime taken{};
  double age_seconds = 0;
  bool stale = false;  // nothing newer could be had; `why` says how that failed
  Status why = {};
};

// Whether a failure says something of the other system's state, rather than of the question.
inline bool IsUpstreamFailure(const Status& status) {
  return status.code != Code::kNotFound && status.code != Code::kInvalidParameter &&
         status.code != Code::kBadRequest;
}

// Thread-safe. A question under way outlives this object, but not `clock`.
template <class T>
class SharedAnswers {
 public:
  using Answer = Result<Shared<T>>;
  using Got = std::function<void(Answer)>;
  using Ask = std::function<void(const std::string& question, Deadline deadline,
                                 std::function<void(Result<T>)> got)>;

  // `ask` calls back once, from any thread.
  SharedAnswers(const Clock& clock, SharingOptions options, Ask ask)
      : state_(std::make_shared<State>(clock, options, std::move(ask))) {}

  // `got` is called once: from inside, or from where `ask` calls back.
  void Get(const std::string& question, bool allow_stale, Got got) {
    state_->Get(state_, question, allow_stale, std::move(got));
  }

 private:
  struct Entry {
    std::shared_ptr<const T> value;
    WallTime taken{};
    SteadyTime taken_at;
    SteadyTime fresh_until;
    std::optional<Status> error;  // of the newest question
    SteadyTime used_at;
    bool asking = false;
    std::vector<std::pair<bool, Got>> waiters;  // may have it stale
  };

  struct State {
    State(const Clock& c, SharingOptions o, Ask a) : clock(c), options(o), ask(std::move(a)) {}

    void Get(const std::shared_ptr<State>& self, const std::string& question, bool allow_stale,
             Got got);
    void End(const std::string& question, WallTime taken, SteadyTime taken_at, Result<T> result);
    Answer AnswerOf(const Entry& entry, bool allow_stale, SteadyTime now) const;
    // False when everything is under way.
    bool MakeRoom() REQUIRES(mutex);

    const Clock& clock;
    const SharingOptions options;
    const Ask ask;
    Mutex mutex;
    std::map<std::string, Entry> entries GUARDED_BY(mutex);
  };

  const std::shared_ptr<State> state_;
};

template <class T>
bool SharedAnswers<T>::State::MakeRoom() {
  if (entries.size() < options.most) return true;
  auto oldest = entries.end();
  for (auto it = entries.begin(); it != entries.end(); ++it) {
    if (it->second.asking) continue;
    if (oldest == entries.end() || it->second.used_at < oldest->second.used_at) oldest = it;
  }
  if (oldest == entries.end()) return false;
  entries.erase(oldest);
  return true;
}

template <class T>
auto SharedAnswers<T>::State::AnswerOf(const Entry& entry, bool allow_stale, SteadyTime now) const
    -> Answer {
  const auto age = now - entry.taken_at;
  const double seconds = std::chrono::duration<double>(age).count();
  if (!entry.error) return Shared<T>{entry.value, entry.taken, seconds, false, {}};
  const bool stale =
      allow_stale && entry.value && IsUpstreamFailure(*entry.error) && age <= options.max_stale;
  if (!stale) return Error(*entry.error);
  return Shared<T>{entry.value, entry.taken, seconds, true, *entry.error};
}

template <class T>
void SharedAnswers<T>::State::Get(const std::shared_ptr<State>& self, const std::string& question,
                                  bool allow_stale, Got got) {
  const SteadyTime now = clock.Steady();
  std::optional<Answer> answer;
  {
    const MutexLock lock(mutex);
    auto found = entries.find(question);
    if (found == entries.end() && !MakeRoom()) {
      answer = Error(Status{Code::kOverloaded,
                            "too many different questions are under way to the HakuRiver host; "
                            "try again later",
                            "", 1});
    } else {
      Entry& entry = found == entries.end() ? entries[question] : found->second;
      entry.used_at = now;
      if (!entry.asking && now < entry.fresh_until) {
        answer = AnswerOf(entry, allow_stale, now);
      } else {
        entry.waiters.emplace_back(allow_stale, std::move(got));
        if (std::exchange(entry.asking, true)) return;
      }
    }
  }
  // Moved only where there is no answer. NOLINTNEXTLINE(bugprone-use-after-move)
  if (answer) return got(*std::move(answer));
  ask(question, Deadline::After(clock, options.timeout),
      [self, question, taken = clock.Wall(), now](Result<T> result) {
        self->End(question, taken, now, std::move(result));
      });
}

template <class T>
void SharedAnswers<T>::State::End(const std::string& question, WallTime taken, SteadyTime taken_at,
                                  Result<T> result) {
  const SteadyTime now = clock.Steady();
  std::vector<std::pair<Got, Answer>> answers;
  {
    const MutexLock lock(mutex);
    Entry& entry = entries[question];
    entry.asking = false;
    if (result) {
      entry.value = std::make_shared<const T>(*std::move(result));
      entry.taken = taken;
      entry.taken_at = taken_at;
      entry.error.reset();
      entry.fresh_until = now + options.ttl;
    } else {
      entry.error = std::move(result.error());
      entry.fresh_until = now + std::min(options.ttl, options.retry_after);
    }
    for (auto& [allow_stale, got] : std::exchange(entry.waiters, {})) {
      answers.emplace_back(std::move(got), AnswerOf(entry, allow_stale, now));
    }
  }
  for (auto& [got, answer] : answers) got(std::move(answer));
}

}  // namespace gpumon::handlers
