// Asks a Prometheus-compatible server.
#pragma once

#include <functional>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/prom/value.h"

namespace gpumon::prom {

struct InstantQuery {
  std::string promql;
  double time = 0;  // Unix seconds; every query of one set carries the same
};

struct RangeQuery {
  std::string promql;
  double start = 0;  // Unix seconds, inclusive
  double end = 0;    // Unix seconds, inclusive
  double step = 0;   // seconds, > 0
};

// Called exactly once, on a worker thread, never from inside the call that started the query.
//
// Errors: the kUpstream* codes, as docs/API.md lists them; kDraining when the client is stopping.
using Done = std::function<void(Result<QueryResult>)>;

// Implementations are thread-safe. An empty vector is a success: nothing matched.
class Client {
 public:
  virtual ~Client() = default;
  virtual void Query(InstantQuery query, Deadline deadline, Done done) = 0;
  virtual void QueryRange(RangeQuery query, Deadline deadline, Done done) = 0;
  // Nothing is sent from now on: whoever asks, or waits to, is told so.
  virtual void Stop() {}
};

}  // namespace gpumon::prom
