// Asks for a range, piece by piece, and shows its instants in order.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/range.h"

namespace gpumon::gpu {

// One call of Collector::Walk; kept alive by what it has under way. A piece is an eighth of the
// range's instants, but 32 of them and ten minutes at least, so that the number of queries does not
// depend on what there is; it is shorter only where answers are larger than 6 MiB. The next one is
// asked for while one is joined, so no more than two are held at once.
class RangeWalk : public std::enable_shared_from_this<RangeWalk> {
 public:
  // What it works with; all of it must outlive the walk.
  struct With {
    prom::Client& client;
    const Clock& clock;
    RefreshObserver& observer;
    QueryBudget& budget;
  };

  RangeWalk(const With& with, RangeWant want, Deadline deadline, EachInstant each, RangeDone done);

  // `subjects` in the order of their priority. Once.
  void Start(std::vector<Subject> subjects);
  // Nobody could tell who is there. Instead of Start.
  void Fail(Status status) { End(gpumon::Error(std::move(status))); }

 private:
  // Each query once, and by part those that it is made of.
  struct Plans {
    std::vector<PlannedQuery> queries;
    std::vector<std::vector<std::size_t>> parts;
  };
  // Some instants of one span, asked for together.
  struct Piece {
    std::size_t first = 0;  // instant
    std::size_t count = 0;
    bool is_last = false;
    std::shared_ptr<const Plans> plans;
    std::vector<prom::RangeVector> answers;  // by query
    std::size_t left = 0;
    std::size_t largest = 0;  // bytes of an answer
    bool failed = false;
  };
  using PiecePtr = std::shared_ptr<Piece>;

  std::shared_ptr<const Plans> PlansOf(const RangeSpan& span) const;
  void AskNext();
  void Ask(const PiecePtr& piece);
  void Answered(const PiecePtr& piece, std::size_t query, Result<prom::QueryResult> answer,
                SteadyTime asked);
  // Instants of the next piece, as this one came.
  double Around() const;
  std::size_t CountAfter(const Piece& piece) const;
  void Came(const PiecePtr& piece);
  // How the walk ends, once it does.
  std::optional<Result<RangeEnd>> Replay(Piece& piece);
  void Note(std::span<const models::SnapshotPtr> parts);
  void End(Result<RangeEnd> result);
  RangeEnd Noted() const;

  const With with_;
  const RangeWant want_;
  const Deadline deadline_;
  const SteadyTime started_;
  const EachInstant each_;
  std::vector<Subject> subjects_;                   // constant after Start
  std::vector<const schema::Exporter*> exporters_;  // likewise
  std::vector<RangeSpan> spans_;                    // likewise; never empty
  std::size_t usual_count_ = 0;                     // likewise; instants of a piece
  std::size_t queries_ = 0;                         // likewise; of a piece
  UnitEvidence evidence_;
  std::set<std::string> sources_;                // of who joins
  std::map<std::string, std::size_t> warnings_;  // likewise: how many instants had it

  Mutex mutex_;
  RangeDone done_ GUARDED_BY(mutex_);  // empty: it has ended
  std::optional<QueryBudget::Turn> turn_ GUARDED_BY(mutex_);
  std::size_t span_ GUARDED_BY(mutex_) = 0;                // that is asked for
  std::size_t asked_ GUARDED_BY(mutex_) = 0;               // instants of it
  std::shared_ptr<const Plans> plans_ GUARDED_BY(mutex_);  // its own; null: not made yet
  std::size_t next_count_ GUARDED_BY(mutex_) = 0;          // instants of the next piece
  std::deque<PiecePtr> came_ GUARDED_BY(mutex_);
  bool joining_ GUARDED_BY(mutex_) = false;
};

}  // namespace gpumon::gpu
