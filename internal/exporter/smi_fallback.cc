#include "internal/exporter/smi_fallback.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/nvml/nvidia_smi.h"

namespace gpumon::exporter {
namespace {

using nvml::SmiColumns;

constexpr Millis kEndLimit{500};
// Between collections, before two of them tell; and as far as it makes older values be shown.
constexpr Millis kFirstGap{30'000};
constexpr Millis kMostGap{60'000};

// What nothing shows is not asked for.
SmiColumns Shown() {
  SmiColumns shown;
  for (std::size_t i = 0; i < nvml::kSmiColumns.size(); ++i) {
    const auto number = nvml::kSmiColumns[i].number;
    shown[i] = number != &nvml::Gpu::graphics_clock && number != &nvml::Gpu::graphics_clock_max;
  }
  return shown;
}

std::string NamesOf(const SmiColumns& columns) {
  std::string names;
  for (std::size_t i = 0; i < nvml::kSmiColumns.size(); ++i) {
    if (columns[i]) names.append(names.empty() ? "" : ",").append(nvml::kSmiColumns[i].name);
  }
  return names;
}

struct Told {
  SteadyTime at{};  // when it was asked for
  std::map<std::string, nvml::Gpu> gpus;
};

}  // namespace

struct SmiFallback::Question {
  SteadyTime at{};
  bool whole = false;  // for all that is lacking, not only for what it is known to tell
  Lacks lacks;
  SmiColumns columns;
};

// Both threads have it, so that one left behind finds what it needs.
struct SmiFallback::Shared {
  Shared(SmiOptions given, std::shared_ptr<const Clock> time)
      : options(std::move(given)), clock(std::move(time)) {}

  void Run() {
    for (;;) {
      Question next;
      {
        MutexLock lock(mutex);
        while (!ending && !question) wake.Wait(mutex);
        if (ending) break;
        next = *std::exchange(question, std::nullopt);
      }
      Ask(next);
    }
    MutexLock lock(mutex);
    ended = true;
    gone.NotifyAll();
  }

  void Ask(const Question& next) {
    // All time is up once all shall end: a program that runs is killed then.
    struct UntilEnd final : Clock {
      explicit UntilEnd(Shared& of) : shared(of) {}
      SteadyTime Steady() const override {
        MutexLock lock(shared.mutex);
        return shared.clock->Steady() + (shared.ending ? std::chrono::hours(1) : Millis(0));
      }
      WallTime Wall() const override { return shared.clock->Wall(); }
      Shared& shared;
    };
    const UntilEnd until_end(*this);
    std::vector<std::string> steps;
    auto answer = nvml::AskNvidiaSmi(options.program, next.columns, until_end,
                                     Deadline(clock->Steady() + options.limit), steps);
    MutexLock lock(mutex);
    asking = false;
    if (ending) return;
    if (answer) {
      Take(next, *std::move(answer));
    } else {
      Fail(next, answer.error());
    }
  }

  void Take(const Question& next, std::vector<nvml::Gpu> gpus) REQUIRES(mutex) {
    auto now = std::make_shared<Told>();
    now->at = next.at;
    SmiColumns of_use;
    for (nvml::Gpu& gpu : gpus) {
      const auto lacks = next.lacks.find(gpu.uuid.ValueOr(""));
      if (lacks == next.lacks.end()) continue;
      of_use |= lacks->second & nvml::ToldBy(gpu);
      now->gpus.emplace(lacks->first, std::move(gpu));
    }
    told = std::move(now);
    const bool is_news = (of_use & ~said).any() || trouble;
    if (next.whole) {
      useful = of_use;
      whole_due = next.at + options.seldom;
    } else if ((useful & next.columns & ~of_use).any()) {
      // It does not tell any more what it told before: soon, not each time.
      useful &= of_use | ~next.columns;
      whole_due = std::min(whole_due, next.at + options.after_failure);
    }
    if (is_news) log::Info("nvidia-smi tells what NVML lacks", {{"columns", NamesOf(of_use)}});
    said |= of_use;
    trouble.reset();
  }

  void Fail(const Question& next, const Status& why) REQUIRES(mutex) {
    told.reset();
    useful.reset();
    const bool is_absent = why.code == Code::kNotFound;
    whole_due = next.at + (is_absent ? options.seldom : options.after_failure);
    if (trouble == why.code) return;
    // Most machines lack something, and many have no such program.
    log::Write(is_absent ? log::Level::kInfo : log::Level::kWarning,
               "nvidia-smi does not tell what NVML lacks", {{"message", why.message}});
    trouble = why.code;
  }

  const SmiOptions options;
  const std::shared_ptr<const Clock> clock;
  Mutex mutex;
  CondVar wake;  // of the thread that asks
  CondVar gone;
  bool ending GUARDED_BY(mutex) = false;
  bool ended GUARDED_BY(mutex) = false;
  bool asking GUARDED_BY(mutex) = false;  // or about to
  std::optional<Question> question GUARDED_BY(mutex);
  std::shared_ptr<const Told> told GUARDED_BY(mutex);  // or nothing
  SmiColumns useful GUARDED_BY(mutex);                 // NVML lacks them, and they were told
  SteadyTime whole_due GUARDED_BY(mutex){};            // when all that is lacking is asked for
  SmiColumns said GUARDED_BY(mutex);                   // in the log
  std::optional<Code> trouble GUARDED_BY(mutex);       // as it was logged last
};

SmiFallback::SmiFallback(SmiOptions options, std::shared_ptr<const Clock> clock)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(clock))), gap_(kFirstGap) {}

SmiFallback::~SmiFallback() {
  if (!has_thread_) return;
  const auto until = std::chrono::steady_clock::now() + kEndLimit;
  MutexLock lock(shared_->mutex);
  shared_->ending = true;
  shared_->wake.NotifyOne();
  while (!shared_->ended && shared_->gone.WaitUntil(shared_->mutex, until)) {
  }
}

bool SmiFallback::IsAsking() const {
  MutexLock lock(shared_->mutex);
  return shared_->asking;
}

SmiColumns SmiFallback::Fill(nvml::Gpu& gpu) {
  if (shared_->options.program.empty() || !gpu.uuid || nvml::IsLost(gpu)) return {};
  const SmiColumns lacks = nvml::LackedBy(gpu) & Shown();
  if (lacks.none()) return {};
  lacks_[*gpu.uuid] = lacks;
  std::shared_ptr<const Told> told;
  {
    MutexLock lock(shared_->mutex);
    told = shared_->told;
  }
  if (!told) return {};
  // Of the collection before, or, where that was missed, of the one before it.
  const Millis most_age = 2 * gap_ + shared_->options.pause;
  if (shared_->clock->Steady() - told->at > most_age) return {};
  const auto same = told->gpus.find(*gpu.uuid);
  return same == told->gpus.end() ? SmiColumns() : nvml::FillLacking(same->second, gpu);
}

// Nothing when there is nothing to ask for.
std::optional<SmiFallback::Question> SmiFallback::Next(SteadyTime now, Lacks lacks,
                                                       bool whole_is_due,
                                                       const SmiColumns& useful) {
  if (whole_is_due) asked_.clear();
  bool is_new = false;
  SmiColumns all;
  for (const auto& [uuid, columns] : lacks) {
    is_new = is_new || (columns & ~asked_[uuid]).any();
    all |= columns;
  }
  Question next;
  next.at = now;
  next.whole = is_new;
  next.columns = is_new ? all : all & useful;
  if (next.columns.none()) return std::nullopt;
  if (is_new) {
    for (const auto& [uuid, columns] : lacks) asked_[uuid] |= columns;
  }
  next.lacks = std::move(lacks);
  return next;
}

void SmiFallback::EndCollection() {
  Lacks lacks = std::exchange(lacks_, {});
  if (lacks.empty()) return;
  const SteadyTime now = shared_->clock->Steady();
  if (began_ && now - *began_ < shared_->options.pause) return;
  if (began_) gap_ = std::min(std::chrono::duration_cast<Millis>(now - *began_), kMostGap);
  began_ = now;
  MutexLock lock(shared_->mutex);
  if (shared_->asking) return;  // since the collection before
  shared_->question = Next(now, std::move(lacks), now >= shared_->whole_due, shared_->useful);
  if (!shared_->question) return;
  shared_->asking = true;
  shared_->wake.NotifyOne();
  if (std::exchange(has_thread_, true)) return;
  std::thread([shared = shared_] { shared->Run(); }).detach();
}

}  // namespace gpumon::exporter
