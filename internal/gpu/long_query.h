// A query that may be too long for who is asked.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/prom/client.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// `promql`, cut where `or` joins its terms into queries of no more than `most` bytes; a longer term
// is a query of its own.
std::vector<std::string> PiecesOf(const std::string& promql, std::size_t most);

// Prometheus takes any length. Who rejects the whole (VictoriaMetrics does by default) is asked in
// pieces at once, and from the first time on that this helped in pieces alone. A series that two
// pieces give comes twice.
//
// Thread-safe; `client` must outlive it, and it what it has under way.
class LongQuery {
 public:
  // What VictoriaMetrics takes by default.
  static constexpr std::size_t kMostBytes = 16'384;

  // Called once, on a worker thread: errors as prom::Done has them, those of any piece;
  // kUpstreamInvalid where no vector came.
  using Answer = std::function<void(Result<prom::InstantVector>)>;

  explicit LongQuery(prom::Client& client) : client_(client) {}
  void Ask(const prom::InstantQuery& query, Deadline deadline, Answer done);

 private:
  void AskPieces(const prom::InstantQuery& query, Deadline deadline, Answer done);

  prom::Client& client_;
  std::atomic<bool> in_pieces_ = false;
};

}  // namespace gpumon::gpu
