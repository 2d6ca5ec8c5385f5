// What the server counts of itself, in the Prometheus text format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"

namespace gpumon::telemetry {

// Values that others keep; asked for at every scrape.
struct Readings {
  std::uint64_t connections = 0;        // open now
  std::uint64_t in_flight = 0;          // requests being answered now
  std::uint64_t refused = 0;            // requests the transport refused, since start; never falls
  std::uint64_t log_lines_dropped = 0;  // since start; never falls
  std::uint64_t stream_clients = 0;     // that follow the stream now
  struct Part {
    std::string name;           // "gpus", "processes"
    std::optional<double> age;  // seconds; nothing before the first snapshot
    std::size_t rows = 0;
  };
  std::vector<Part> parts = {};
};

// Thread-safe. Every name begins with gpu_monitoring_, but for the standard process_* ones.
// Label values are bounded whatever callers pass: a family keeps a fixed number of label sets and
// counts the rest under "other". Durations that are negative or not finite count as 0.
class Metrics {
 public:
  // `clock` must outlive it.
  Metrics(const Clock& clock, std::string_view version);
  ~Metrics();

  // One answered HTTP request. `route` is the route's pattern, never a path that a client sent;
  // "" (no route) counts as "none". Methods that are not HTTP's own count as "other".
  void CountRequest(std::string_view route, std::string_view method, int status, double seconds);
  // A request refused because of load; `reason` is a word of ours: "stream_clients".
  void CountShed(std::string_view reason);

  // One PromQL query. `query` is its name in our plan; `result` is "ok" or the error's wire name.
  void CountQuery(std::string_view query, std::string_view result, double seconds,
                  std::size_t response_bytes);
  // One refresh of a part of the snapshot.
  void CountRefresh(std::string_view part, std::string_view result, double seconds);
  // Samples that no row shows, or shows as null, by reason.
  void CountDropped(std::string_view reason, std::uint64_t samples);
  void CountStaleServed();  // an answer made from a stale snapshot
  // One event for one client of the stream, by its name: "snapshot", "lag".
  void CountStreamEvent(std::string_view event);

  // Sets where Text gets its readings; until then they are left out. The function must stay
  // callable, from any thread, until it is replaced by an empty one.
  void SetReadings(std::function<Readings()> readings);

  // All of it: text/plain; version=0.0.4.
  std::string Text();

 private:
  class Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace gpumon::telemetry
