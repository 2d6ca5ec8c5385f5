// What the templates of the tables mean for one exporter.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/fleet/health_rules.h"
#include "internal/rules/source.h"

namespace gpumon::rules {

inline constexpr std::string_view kPrefix = "gpu_monitoring:";  // of recorded series

// What @raw:NAME@ measures.
struct RawRow {
  std::string_view name;
  Reading reading;
};
std::span<const RawRow> RawRows();

// A template is PromQL with words between @:
//   @raw:NAME@      what the exporter's own series say of it (RawNames)
//   @xid:CLASS@     the recorded series of the last XIDs of that class (fleet::XidClass)
//   @new_xid:CLASS@ those that were not there a quarter of an hour ago
//   @bit:VALUE@     0 or 1: a bit of the mask of throttle reasons
//   @whole:HOW,NAME@  a recorded series of whole GPUs: HOW makes them of MIG instances
//   @gpu@, @which@  how a text calls the GPU of an alert, in brief and in full
//   @rule:NAME@     a number of the health rules
//   @key@           labels that name a GPU or MIG instance
//   @NAME@          the recorded series gpu_monitoring:NAME of this exporter; @NAME,MATCHERS@
class Terms {
 public:
  // Both must outlive it.
  Terms(const schema::Exporter& exporter, const fleet::HealthRules& health)
      : exporter_(exporter), source_(exporter), health_(health) {}

  struct Filled {
    std::string text;
    std::vector<std::string> lacking;  // what the exporter does not have: words for people
  };
  Filled Fill(std::string_view text) const;
  // From now on @name@ is there, or is not, and what is lacking for it.
  void Record(std::string_view name, std::vector<std::string> lacking = {}) {
    recorded_.emplace(name, std::move(lacking));
  }

 private:
  std::string Phrase(std::string_view text, std::vector<std::string>& lacking) const;
  // "" with a word in `lacking` where there is nothing.
  std::string Meaning(std::string_view word, std::vector<std::string>& lacking) const;
  std::string Recorded(std::string_view name, const std::string& matchers,
                       std::vector<std::string>& lacking) const;
  std::string Raw(std::string_view name, std::vector<std::string>& lacking) const;

  const schema::Exporter& exporter_;
  Source source_;
  const fleet::HealthRules& health_;
  std::map<std::string, std::vector<std::string>, std::less<>> recorded_;
};

}  // namespace gpumon::rules
