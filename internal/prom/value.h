// Prometheus's own values, in its own words (promql/value.go).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gpumon::prom {

struct Label {
  std::string_view name;
  std::string_view value;
};
// As the server sent it: for Prometheus sorted by name. `__name__` is one of them.
using LabelSet = std::span<const Label>;

// The value of `name`, or an empty view: Prometheus treats absent and empty alike.
std::string_view Get(LabelSet labels, std::string_view name);

struct Point {
  double at = 0;     // Unix seconds
  double value = 0;  // may be NaN or infinite
};

// What a decoded answer's label texts point into. Shared by all views taken from it.
using Backing = std::shared_ptr<const std::string>;

// resultType "vector": one sample per series, all at the evaluation time.
// Views stay valid as long as the InstantVector (or a copy of its `backing`) lives.
class InstantVector {
 public:
  struct Sample {
    std::uint32_t first_label = 0;
    std::uint32_t label_count = 0;
    Point point;
  };

  std::size_t size() const { return samples.size(); }
  LabelSet labels(std::size_t i) const {
    return {labels_pool.data() + samples[i].first_label, samples[i].label_count};
  }
  const Point& point(std::size_t i) const { return samples[i].point; }

  std::vector<Sample> samples;
  std::vector<Label> labels_pool;
  Backing backing;
};

// The samples of all of them, one vector's behind another's. It shares their backings.
InstantVector Joined(std::span<const InstantVector> vectors);

// resultType "matrix": a range vector.
class RangeVector {
 public:
  struct Series {
    std::uint32_t first_label = 0;
    std::uint32_t label_count = 0;
    std::size_t first_point = 0;
    std::size_t point_count = 0;
  };

  std::size_t size() const { return series.size(); }
  LabelSet labels(std::size_t i) const {
    return {labels_pool.data() + series[i].first_label, series[i].label_count};
  }
  std::span<const Point> points(std::size_t i) const {
    return {points_pool.data() + series[i].first_point, series[i].point_count};
  }

  std::vector<Series> series;
  std::vector<Point> points_pool;
  std::vector<Label> labels_pool;
  Backing backing;
};

struct Scalar {
  Point point;
};
struct String {
  double at = 0;
  std::string value;
};

// A whole answer of /api/v1/query or /api/v1/query_range.
struct QueryResult {
  std::variant<InstantVector, RangeVector, Scalar, String> value;
  // At most 10, each at most 256 bytes of valid UTF-8 without hidden characters.
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  bool partial = false;  // isPartial (VictoriaMetrics, Thanos)
  // Samples whose value was no number: NaN in a vector, left out of a matrix.
  std::uint32_t bad_samples = 0;
  // The server's clock at the answer (its Date header), Unix seconds.
  std::optional<double> server_time;
  std::size_t bytes = 0;  // size of the answer's body
};

}  // namespace gpumon::prom
