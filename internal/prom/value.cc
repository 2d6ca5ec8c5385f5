#include "internal/prom/value.h"

namespace gpumon::prom {

std::string_view Get(LabelSet labels, std::string_view name) {
  for (const Label& label : labels) {
    // Most names of one length differ in their first character.
    if (label.name.size() == name.size() && !name.empty() && label.name[0] == name[0] &&
        label.name == name) {
      return label.value;
    }
  }
  return {};
}

}  // namespace gpumon::prom
