#include "internal/gpu/long_query.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "internal/base/mutex.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

Result<prom::InstantVector> VectorOf(Result<prom::QueryResult> answer) {
  if (!answer) return Error(std::move(answer.error()));
  auto* const vector = std::get_if<prom::InstantVector>(&answer->value);
  if (vector == nullptr) {
    return Error(Code::kUpstreamInvalid, "a query for an instant was answered with no vector");
  }
  return std::move(*vector);
}

// The answers to pieces of one query as they come.
class Pieces {
 public:
  Pieces(std::size_t count, LongQuery::Answer done)
      : vectors_(count), left_(count), done_(std::move(done)) {}

  void Take(std::size_t piece, Result<prom::InstantVector> vector) {
    std::vector<prom::InstantVector> all;
    std::optional<Status> failed;
    {
      const MutexLock lock(mutex_);
      if (vector) {
        vectors_[piece] = *std::move(vector);
      } else if (!failed_) {
        failed_ = std::move(vector.error());
      }
      if (--left_ > 0) return;
      all = std::move(vectors_);
      failed = std::move(failed_);
    }
    if (failed) return done_(Error(*std::move(failed)));
    done_(prom::Joined(all));
  }

 private:
  Mutex mutex_;
  std::vector<prom::InstantVector> vectors_ GUARDED_BY(mutex_);
  std::optional<Status> failed_ GUARDED_BY(mutex_);  // the first
  std::size_t left_ GUARDED_BY(mutex_);
  const LongQuery::Answer done_;
};

}  // namespace

std::vector<std::string> PiecesOf(const std::string& promql, std::size_t most) {
  constexpr std::string_view kOr = " or ";
  std::vector<std::string> pieces;
  for (const std::string_view term : prom::TermsOf(promql)) {
    if (pieces.empty() || pieces.back().size() + kOr.size() + term.size() > most) {
      pieces.emplace_back(term);
    } else {
      pieces.back().append(kOr).append(term);
    }
  }
  return pieces;
}

void LongQuery::Ask(const prom::InstantQuery& query, Deadline deadline, Answer done) {
  if (in_pieces_) return AskPieces(query, deadline, std::move(done));
  client_.Query(query, deadline,
                [this, query, deadline, done = std::move(done)](Result<prom::QueryResult> answer) {
                  const bool rejected =
                      !answer && answer.error().code == Code::kUpstreamRejectedQuery;
                  if (!rejected || query.promql.size() <= kMostBytes)
                    return done(VectorOf(std::move(answer)));
                  AskPieces(query, deadline, [this, done](Result<prom::InstantVector> all) {
                    if (all) in_pieces_ = true;
                    done(std::move(all));
                  });
                });
}

void LongQuery::AskPieces(const prom::InstantQuery& query, Deadline deadline, Answer done) {
  std::vector<std::string> pieces = PiecesOf(query.promql, kMostBytes);
  const auto answers = std::make_shared<Pieces>(pieces.size(), std::move(done));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    client_.Query({std::move(pieces[i]), query.time}, deadline,
                  [answers, i](Result<prom::QueryResult> answer) {
                    answers->Take(i, VectorOf(std::move(answer)));
                  });
  }
}

}  // namespace gpumon::gpu
