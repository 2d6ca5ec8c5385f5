// Writes the Prometheus text format 0.0.4 straight into one growing buffer: a scrape of a large
// fleet is hundreds of megabytes, so there is no object per series.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpumon::exporter {

enum class MetricType : std::uint8_t { kGauge, kCounter };

// One metric: what `# HELP` and `# TYPE` say. Names and help live as long as the program.
struct Family {
  std::string_view name;
  MetricType type = MetricType::kGauge;
  std::string_view help;
};

// Appends `name="value"` to a label block, with a comma in front when the block is not empty.
// Backslash, quote and line feed of the value are escaped; the name is taken as it is.
void AppendLabel(std::string& block, std::string_view name, std::string_view value);
void AppendLabel(std::string& block, std::string_view name, std::int64_t value);

// Not thread-safe. A family begun twice is the caller's error: scrapers refuse it.
class Exposition {
 public:
  // `out` must outlive this object; text is appended.
  explicit Exposition(std::string& out) : out_(out) {}

  // Samples that follow belong to `family`.
  void Begin(const Family& family);
  // `labels` and `more` are label blocks (see AppendLabel), either may be empty. Whole numbers
  // are written without an exponent, others in the shortest form that reads back the same.
  void Sample(std::string_view labels, double value) { Sample(labels, {}, value); }
  void Sample(std::string_view labels, std::string_view more, double value);

 private:
  std::string& out_;
  std::string_view name_;
};

}  // namespace gpumon::exporter
