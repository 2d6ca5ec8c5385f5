// A reader of the Prometheus text format 0.0.4 that refuses what scrapers or people may stumble
// over: for tests of what the exporter writes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::exporter {

struct Series {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
  std::string key;  // name and labels as written

  // The label's value, "" when there is none.
  std::string Label(const std::string& label) const {
    const auto it = labels.find(label);
    return it == labels.end() ? std::string() : it->second;
  }
};

struct StrictPage {
  std::map<std::string, std::string> types;  // by family, "gauge" or "counter"
  std::vector<Series> series;                // in order
  std::string problem;                       // "" = the page is fine; else the first offence

  std::vector<const Series*> Family(std::string_view name) const;
  // The values of a family by "node/gpu".
  std::map<std::string, double> ByGpu(std::string_view name) const;
};

// Every family has one HELP, then one TYPE, then its samples, all together; no series comes
// twice; values are finite; counters end in _total and are not negative.
StrictPage ReadStrictly(std::string_view text);

}  // namespace gpumon::exporter
