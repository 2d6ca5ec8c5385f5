// What would give the rows of a field that nothing gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "internal/json/writer.h"
#include "internal/schema/registry.h"
#include "internal/wire/table.h"
#include "models/fields.h"

namespace gpumon::wire {

// One thread at a time. What it is given must outlive it.
class WouldFill {
 public:
  WouldFill(json::Writer& writer, const schema::Registry& registry, const Table& table)
      : writer_(writer), registry_(registry), table_(table) {}

  // Writes a list of {exporter, metric, how}: first whose scrape target is to be brought back, then
  // metrics of exporters that show such rows, then of those on other nodes, then of those that may
  // be installed for devices of these vendors. For a text `metric` is one that carries its label.
  // `field` is the place in the table; of what is neither measured nor a text nothing is known.
  void Write(std::size_t field);

 private:
  // Rows with a gap, of whole GPUs (and of processes) or of MIG instances.
  struct Rows {
    bool any = false;
    std::uint32_t exporters = 0;  // that show one of them, as models::Row::exporters
    // Of these, those that show a row of which no neighbour on its node has the field.
    std::uint32_t lacking = 0;
    bool any_vendor = false;
    std::set<std::string_view> vendors;
  };
  struct Gaps {
    bool down = false;  // some are of a target that is down
    Rows of_gpus;
    Rows of_instances;
  };

  Gaps Find(std::size_t field) const;
  void Note(std::size_t row, models::NullReason reason, std::uint32_t have, Gaps& gaps) const;
  // Some rows show that metric of that exporter, or another source's value instead.
  bool IsPublished(const schema::Exporter& exporter, std::string_view metric) const;
  bool IsHere(const schema::Exporter& exporter) const;
  // Those whose labels the metric's may be.
  Rows Fitting(const schema::Exporter& exporter, const schema::Metric& metric,
               const Gaps& gaps) const;
  void AddOfVendor(const Rows& rows, const schema::Exporter& exporter, Rows& fitting) const;

  enum class Place { kOnRows, kElsewhere, kNowhere };
  void Suggest(const schema::Exporter& exporter, std::size_t slot, Place place, const Gaps& gaps);
  // Of an exporter, for those who look at these rows.
  Place PlaceOf(const schema::Exporter& exporter, const Rows& rows) const;
  static std::string HowToRun(const schema::Exporter& exporter, Place place);
  std::string HowTo(const schema::Exporter& exporter, const schema::Metric& metric,
                    const Rows& rows) const;
  void SuggestReturn(const models::LostField& lost);
  // The label by which it tells that text; empty when it has none.
  std::string_view LabelOf(const schema::Exporter& exporter, models::Text text) const;
  // A metric of it whose series have its texts; empty where it has none of this part.
  std::string_view CarrierOf(const schema::Exporter& exporter) const;
  void SuggestText(const schema::Exporter& exporter, models::Text text, Place place,
                   const Gaps& gaps);
  void WriteSuggestion(const schema::Exporter& exporter, std::string_view metric,
                       std::string_view how);
  bool of_processes() const { return table_.snapshot().part == models::Part::kProcesses; }

  json::Writer& writer_;
  const schema::Registry& registry_;
  const Table& table_;
  std::size_t left_ = 0;  // suggestions
};

}  // namespace gpumon::wire
