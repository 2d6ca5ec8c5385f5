#include "internal/exporter/past.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ostream>

#include "internal/exporter/families.h"

namespace gpumon::exporter {
namespace {

// What a week of short jobs costs Prometheus is its series, and most of these are of the cluster.
enum class Left : std::uint8_t {
  kAll,
  kZeros,    // of a state that is one of several, all but the one that holds
  kNotIdle,  // of the time of CPUs, all but the idle time, beside the first CPU's
};
struct LeftOut {
  std::string_view family;
  Left left;
};
constexpr std::array kLeftOut = {
    LeftOut{"kube_job_info", Left::kAll},
    LeftOut{"kube_job_spec_completions", Left::kAll},
    LeftOut{"kube_job_spec_parallelism", Left::kAll},
    LeftOut{"kube_pod_container_info", Left::kAll},
    LeftOut{"kube_pod_container_resource_limits", Left::kAll},
    LeftOut{"kube_pod_status_reason", Left::kAll},
    LeftOut{"kube_pod_status_phase", Left::kZeros},
    LeftOut{"node_cpu_seconds_total", Left::kNotIdle},
};

bool IsLeftOut(std::string_view family, std::string_view line) {
  const auto* const row = std::find_if(kLeftOut.begin(), kLeftOut.end(),
                                       [&](const LeftOut& r) { return r.family == family; });
  if (row == kLeftOut.end()) return false;
  switch (row->left) {
    case Left::kAll:
      return true;
    case Left::kZeros:
      return line.ends_with(" 0");
    case Left::kNotIdle:
      // All modes of one CPU say how much of the time there are samples of.
      return line.find(R"(mode="idle")") == std::string_view::npos &&
             line.find(R"(cpu="0")") == std::string_view::npos;
  }
  return false;
}

// Turns pages of the text format 0.0.4 into samples of one target at one instant.
class Instant {
 public:
  Instant(const PastOptions& options, std::string& out) : out_(out) {
    AppendLabel(target_, "job", options.job);
    AppendLabel(target_, "instance", options.instance);
  }

  // Samples of families that `wanted` takes. `page` is as an Exposition wrote it.
  template <class Wanted>
  void Add(std::string_view page, std::int64_t at, Wanted wanted) {
    const std::string time = ' ' + std::to_string(at) + '\n';
    while (!page.empty()) {
      const std::size_t end = page.find('\n');
      const std::string_view line = page.substr(0, end);
      page.remove_prefix(end + 1);
      if (line.starts_with('#')) continue;
      const std::string_view family = line.substr(0, line.find_first_of("{ "));
      if (wanted(family) && !IsLeftOut(family, line)) AddLine(family, line, time);
    }
  }
  void AddUp(std::int64_t at) { AddLine("up", "up 1", ' ' + std::to_string(at) + '\n'); }

 private:
  void AddLine(std::string_view family, std::string_view line, std::string_view time) {
    line.remove_prefix(family.size());
    out_.append(family).append(1, '{').append(target_);
    const bool labels = line.starts_with('{');
    out_ += labels ? ',' : '}';
    out_.append(labels ? line.substr(1) : line).append(time);
  }

  std::string& out_;
  std::string target_;  // its label block
};

bool IsCounterOfNodes(std::string_view family) {
  return family.starts_with("node_") && family.ends_with("_total");
}

WallTime TimeOf(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

}  // namespace

bool WritePast(const Fleet& fleet, Surroundings surroundings, std::string_view version,
               const PastOptions& options, std::ostream& out) {
  const DemoCollector collector(fleet, surroundings, std::string(version));
  const std::int64_t start = options.end - options.length;
  std::string page;
  std::string samples;
  Instant instant(options, samples);
  for (std::int64_t left = (options.length - 1) / options.step; left >= 0; --left) {
    const std::int64_t at = options.end - left * options.step;
    const std::int64_t between = at - options.step / 2;
    samples.clear();
    if (surroundings == Surroundings::kAll && between > start) {
      page.clear();
      const FleetState state = fleet.At(TimeOf(between));
      Exposition text(page);
      WriteNodeFamilies(state, text);
      instant.Add(page, between, IsCounterOfNodes);
    }
    page.clear();
    if (!collector.Collect(TimeOf(at), page)) return false;
    instant.Add(page, at, [](std::string_view) { return true; });
    instant.AddUp(at);
    if (!out.write(samples.data(), static_cast<std::streamsize>(samples.size()))) return false;
  }
  return static_cast<bool>(out << "# EOF\n" << std::flush);
}

}  // namespace gpumon::exporter
