// What the series of a target name for others of it that do not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "internal/gpu/label_reader.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Of each target the node, where its schema says that all its series are of one
// (Exporter::node_of_target); and the GPU whose UUID says nothing, as the exporter's info has its
// id, where there is only one such. One thread at a time.
class TargetNames {
 public:
  explicit TargetNames(const schema::Exporter& exporter);

  // Before anything of `vector` is read.
  void Learn(const prom::InstantVector& vector, LabelReader& reader);

  bool has_nodes() const { return !nodes_.empty(); }
  // By Contest::TargetOf; "" where it names none, or several. Valid as long as this.
  std::string_view NodeOf(std::size_t target) const { return Of(nodes_, target); }
  bool has_gpus() const { return !gpus_.empty(); }
  std::string_view GpuIdOf(std::size_t target) const { return Of(gpus_, target); }

 private:
  using Names = std::unordered_map<std::size_t, std::string>;  // "": several

  static std::string_view Of(const Names& names, std::size_t target) {
    const auto found = names.find(target);
    return found == names.end() ? std::string_view() : found->second;
  }
  static void Hear(Names& names, prom::LabelSet labels, std::string_view name);

  const schema::Exporter& exporter_;
  const bool learns_gpus_;
  Names nodes_;
  Names gpus_;
};

}  // namespace gpumon::gpu
