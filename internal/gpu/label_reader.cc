#include "internal/gpu/label_reader.h"

#include <utility>

namespace gpumon::gpu {

LabelReader::LabelReader(const schema::Exporter& exporter, std::size_t texts, bool with_pid) {
  const auto add = [&](const schema::Aliases& aliases, std::uint8_t target) {
    for (const std::string_view name : aliases) roles_.push_back({name, target});
  };
  add(exporter.node, static_cast<std::uint8_t>(models::Text::kNode));
  add(exporter.gpu, static_cast<std::uint8_t>(models::Text::kGpuId));
  if (with_pid) add(exporter.pid, kPid);
  for (const schema::LabelRow& row : exporter.texts) {
    if (static_cast<std::size_t>(row.text) < texts) {
      add(row.aliases, static_cast<std::uint8_t>(row.text));
    }
  }
  shapes_.reserve(kShapes);
}

Identity LabelReader::Read(prom::LabelSet labels) {
  Identity identity;
  for (const Source& source : ShapeOf(labels).sources) {
    std::string_view& text = source.target == kPid ? identity.pid : identity.texts[source.target];
    if (text.empty()) text = labels[source.label].value;
  }
  return identity;
}

auto LabelReader::ShapeOf(prom::LabelSet labels) -> const Shape& {
  const auto fits = [&](const Shape& shape) {
    if (shape.names.size() != labels.size()) return false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!SameText(shape.names[i], labels[i].name)) return false;
    }
    return true;
  };
  if (newest_ < shapes_.size() && fits(shapes_[newest_])) return shapes_[newest_];
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (i != newest_ && fits(shapes_[i])) return shapes_[newest_ = i];
  }
  if (shapes_.size() < kShapes) {
    newest_ = shapes_.size();
    shapes_.push_back(Learn(labels));
  } else {
    newest_ = std::exchange(next_, (next_ + 1) % kShapes);
    shapes_[newest_] = Learn(labels);
  }
  return shapes_[newest_];
}

auto LabelReader::Learn(prom::LabelSet labels) const -> Shape {
  Shape shape;
  shape.names.reserve(labels.size());
  for (const prom::Label& label : labels) shape.names.emplace_back(label.name);
  for (const Role& role : roles_) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].name == role.name) {
        shape.sources.push_back({role.target, static_cast<std::uint32_t>(i)});
      }
    }
  }
  return shape;
}

}  // namespace gpumon::gpu
