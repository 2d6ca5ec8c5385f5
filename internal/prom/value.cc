#include "internal/prom/value.h"

namespace gpumon::prom {

std::string_view Get(LabelSet labels, std::string_view name) {
  for (const Label& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

}  // namespace gpumon::prom
