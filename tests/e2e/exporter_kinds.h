// Exporters as the tests know them: what they call things and how they count.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpumon::e2e {

// A metric as its exporter writes it, the field it measures there, and its unit.
struct Family {
  const char* name;
  const char* field;      // "info": names a GPU and measures nothing
  double unit;            // field = sample * unit
  const char* more = "";  // labels beside those of the GPU
  bool adds_up = false;   // its series are parts of one value
};
enum class Maker { kNvidia, kAmd, kIntel };
// One exporter; a label that it has not is "".
struct Kind {
  Maker maker;
  const char* node;
  const char* id;
  const char* uuid;
  const char* id_prefix;         // of the ids
  const char* uuid_prefix;       // of the UUIDs
  const char* more;              // labels that all its series have
  const char* never;             // a label that none of them has, where names are another's too
  std::vector<Family> families;  // the first is one that its presence is known by
};

// At least one for each schema of the program.
const std::vector<Kind>& Kinds();

// What is believable of a field.
std::pair<double, double> RangeOf(std::string_view field);

struct Gpu {
  int node;
  int index;
  auto operator<=>(const Gpu&) const = default;
};
std::string NodeOf(const Gpu& gpu);
// The GPU that a UUID, or a node and an id, name; a negative one where they name none.
Gpu GpuOfUuid(std::string uuid);
Gpu GpuOfPlace(const std::string& node, const std::string& id);
// The labels of `gpu`'s series of `family`.
std::string LabelsOf(const Kind& kind, const Family& family, const Gpu& gpu);

}  // namespace gpumon::e2e
