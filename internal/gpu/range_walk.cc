#include "internal/gpu/range_walk.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_replay.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {
namespace {

// A window of more rows than a few MiB of each query's answer is not asked for, so parts of it are
// small; their number depends on nothing but the instants and the step.
constexpr std::size_t kPieces = 8;
constexpr std::size_t kLeastPiece = 32;  // instants; and no less than is asked for around it
// Of the largest answer. Where GPUs, pods or processes come and go so often that a piece has far
// more series than rows, the next ones are shorter.
constexpr double kLargePieceBytes = 6.0 * 1024 * 1024;
// Where scrapes are so close that what is around a piece is larger than it: as much of its own.
constexpr double kMostPieceBytes = 16.0 * 1024 * 1024;
// Of processes in a window whose they are is told, not what they run.
constexpr CommandStyle kCommands = CommandStyle::kHidden;

Status TookTooLong() {
  return {Code::kUpstreamTimeout,
          "the time for this request ended while the window was read; ask for a shorter window, a "
          "larger step or fewer nodes"};
}

}  // namespace

RangeWalk::RangeWalk(const With& with, RangeWant want, Deadline deadline, EachInstant each,
                     RangeDone done)
    : with_(with),
      want_(std::move(want)),
      deadline_(deadline),
      started_(with.clock.Steady()),
      each_(std::move(each)),
      done_(std::move(done)) {}

void RangeWalk::Start(std::vector<Subject> subjects) {
  subjects_ = std::move(subjects);
  for (const Subject& subject : subjects_) exporters_.push_back(subject.exporter);
  spans_ = want_.spans;
  if (spans_.empty()) spans_.push_back({0, want_.steps});
  std::size_t instants = 0;
  for (const RangeSpan& span : spans_) instants += span.count;
  usual_count_ = std::max(
      {kLeastPiece, (instants + kPieces - 1) / kPieces, static_cast<std::size_t>(2 * Around())});
  queries_ = PlansOf(spans_.front())->queries.size();
  // One turn for all pieces: of each all queries are under way at once.
  with_.budget.Acquire(queries_, QueryBudget::Of::kPast, deadline_,
                       [self = shared_from_this()](std::optional<QueryBudget::Turn> turn) {
                         if (!turn) return self->End(gpumon::Error(PastInstantsTakeTooLong()));
                         {
                           const MutexLock lock(self->mutex_);
                           self->turn_ = turn;
                           self->next_count_ = self->usual_count_;
                         }
                         self->AskNext();
                       });
}

// As many queries for each span.
std::shared_ptr<const RangeWalk::Plans> RangeWalk::PlansOf(const RangeSpan& span) const {
  auto plans = std::make_shared<Plans>();
  auto& queries = plans->queries;
  for (const RangePart& part : want_.parts) {
    std::vector<std::size_t>& its = plans->parts.emplace_back();
    auto plan = PlanRange(subjects_, part, want_.step, want_.nodes, span.instances);
    for (PlannedQuery& query : plan) {
      const auto known = std::find(queries.begin(), queries.end(), query);
      its.push_back(static_cast<std::size_t>(known - queries.begin()));
      if (known == queries.end()) queries.push_back(std::move(query));
    }
  }
  return plans;
}

void RangeWalk::AskNext() {
  const auto piece = std::make_shared<Piece>();
  {
    const MutexLock lock(mutex_);
    if (span_ == spans_.size()) return;
    const RangeSpan& span = spans_[span_];
    if (!plans_) plans_ = PlansOf(span);
    piece->plans = plans_;
    piece->first = span.first + asked_;
    const std::size_t left = span.count - asked_;
    piece->count = std::min(next_count_, left);
    // While the last piece is joined nothing is asked for: a small one ends sooner.
    if (piece->count == left && left > 2 * kLeastPiece) piece->count = left * 2 / 3;
    asked_ += piece->count;
    if (asked_ == span.count) {
      ++span_;
      asked_ = 0;
      plans_.reset();
    }
    piece->is_last = span_ == spans_.size();
  }
  Ask(piece);
}

void RangeWalk::Ask(const PiecePtr& piece) {
  piece->left = queries_;
  const std::vector<PlannedQuery>& queries = piece->plans->queries;
  piece->answers.resize(queries.size());
  if (queries_ == 0) return Came(piece);
  const SteadyTime asked = with_.clock.Steady();
  const double around = Around() * want_.step;
  const double start = want_.At(piece->first) - around;
  const double end = want_.At(piece->first + piece->count - 1) + around;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    with_.client.QueryRange(
        {queries[i].promql, start, end, want_.step}, deadline_,
        [self = shared_from_this(), piece, i, asked](Result<prom::QueryResult> answer) {
          self->Answered(piece, i, std::move(answer), asked);
        });
  }
}

void RangeWalk::Answered(const PiecePtr& piece, std::size_t query, Result<prom::QueryResult> answer,
                         SteadyTime asked) {
  answer = WholeRange(std::move(answer));
  with_.observer.QueryDone(piece->plans->queries[query].name,
                           answer ? std::string_view("ok") : answer.error().wire_name(),
                           std::chrono::duration<double>(with_.clock.Steady() - asked).count(),
                           answer ? answer->bytes : 0);
  std::optional<Status> failed;
  if (!answer) failed = answer.error();
  bool last = false;
  {
    const MutexLock lock(mutex_);
    if (answer) {
      piece->answers[query] = std::get<prom::RangeVector>(std::move(answer->value));
      piece->largest = std::max(piece->largest, answer->bytes);
    }
    piece->failed |= failed.has_value();
    last = --piece->left == 0 && !piece->failed;
  }
  if (failed) return End(gpumon::Error(*std::move(failed)));
  if (last) Came(piece);
}

// Instants on either side of a piece that are asked for too: what ends and begins there tells which
// series another one replaced.
double RangeWalk::Around() const {
  return std::ceil(kLookBack / want_.step);
}

std::size_t RangeWalk::CountAfter(const Piece& piece) const {
  const double beside = 2 * Around();
  const double by_byte = (static_cast<double>(piece.count) + beside) /
                         static_cast<double>(std::max<std::size_t>(piece.largest, 1));
  const double fits =
      std::max(kLargePieceBytes * by_byte, std::min(2 * beside, kMostPieceBytes * by_byte));
  return static_cast<std::size_t>(
      std::clamp(fits - beside, 1.0, static_cast<double>(usual_count_)));
}

// Whoever brings a piece joins it, and those that come meanwhile.
void RangeWalk::Came(const PiecePtr& piece) {
  {
    const MutexLock lock(mutex_);
    came_.push_back(piece);
    if (joining_) return;
    joining_ = true;
  }
  while (true) {
    PiecePtr next;
    {
      const MutexLock lock(mutex_);
      if (came_.empty() || !done_) {
        joining_ = false;
        return;
      }
      next = std::move(came_.front());
      came_.pop_front();
      next_count_ = CountAfter(*next);
    }
    AskNext();
    auto end = Replay(*next);
    next.reset();
    // What the piece was made of is free now: an answer is to be made.
    if (end) return End(*std::move(end));
  }
}

std::optional<Result<RangeEnd>> RangeWalk::Replay(Piece& piece) {
  const std::vector<PlannedQuery>& queries = piece.plans->queries;
  const auto series = SeriesOf(queries, std::move(piece.answers), want_.step, exporters_);
  std::vector<RangeReplay> parts;
  for (std::size_t part = 0; part < want_.parts.size(); ++part) {
    std::vector<RangeReplay::Answer> its;
    for (const std::size_t i : piece.plans->parts[part]) {
      its.push_back({&queries[i], series[i].get()});
    }
    parts.emplace_back(want_.parts[part].part, subjects_, exporters_, std::move(its), evidence_,
                       kCommands, want_.any_as_of);
  }
  std::vector<models::SnapshotPtr> snapshots(parts.size());
  for (std::size_t i = piece.first; i < piece.first + piece.count; ++i) {
    if (deadline_.Passed(with_.clock)) {
      return gpumon::Error(TookTooLong());
    }
    for (std::size_t part = 0; part < parts.size(); ++part) {
      snapshots[part].reset();
      snapshots[part] = parts[part].At(want_.At(i));
    }
    Note(snapshots);
    if (!each_(i, snapshots)) {
      return gpumon::Error(Code::kDraining, "nobody waits for this window any more");
    }
  }
  if (!piece.is_last) return std::nullopt;
  return Noted();
}

// What several parts say of one instant is said once.
void RangeWalk::Note(std::span<const models::SnapshotPtr> parts) {
  std::set<std::string_view> said;
  for (const models::SnapshotPtr& part : parts) {
    sources_.insert(part->sources.begin(), part->sources.end());
    said.insert(part->warnings.begin(), part->warnings.end());
  }
  for (const std::string_view warning : said) ++warnings_[std::string(warning)];
}

RangeEnd RangeWalk::Noted() const {
  RangeEnd end;
  end.exporters = std::make_shared<const std::vector<Subject>>(subjects_);
  end.sources.assign(sources_.begin(), sources_.end());
  std::size_t shown = 0;
  for (const RangeSpan& span : spans_) shown += span.count;
  for (const auto& [text, instants] : warnings_) {
    end.warnings.push_back(text + " (at " + std::to_string(instants) + " of " +
                           std::to_string(shown) + " instants)");
  }
  return end;
}

void RangeWalk::End(Result<RangeEnd> result) {
  RangeDone done;
  std::optional<QueryBudget::Turn> turn;
  {
    const MutexLock lock(mutex_);
    done = std::move(done_);
    done_ = nullptr;
    turn = turn_;
    turn_.reset();
    came_.clear();
  }
  if (turn) with_.budget.Release(*turn);
  if (done) done(std::move(result));
}

}  // namespace gpumon::gpu
