#include "internal/gpu/label_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "internal/gpu/addresses.h"

namespace gpumon::gpu {
namespace {

constexpr auto kNode = static_cast<std::uint8_t>(models::Text::kNode);
constexpr auto kUuid = static_cast<std::uint8_t>(models::Text::kUuid);
constexpr auto kCommand = static_cast<std::uint8_t>(models::Text::kCommand);

// What drivers, nvidia-smi and DCGM write where they know nothing.
bool SaysNothing(std::string_view value, std::uint8_t target) {
  constexpr std::array<std::string_view, 9> kNothing = {
      "N/A",         "[N/A]",      "Not Supported",   "[Not Supported]", "Not Found",
      "[Not Found]", "<<<NULL>>>", "[Unknown Error]", "Unknown Error"};
  constexpr std::string_view kFirst = "N[<U";
  if (target == kCommand || value.empty()) return false;
  if (kFirst.find(value.front()) != std::string_view::npos &&
      std::find(kNothing.begin(), kNothing.end(), value) != kNothing.end()) {
    return true;
  }
  return target == kUuid && value.ends_with("00000000-0000-0000-0000-000000000000");
}

// `10.0.0.7:9400`, `gpu-a01:9400`, `10.0.0.7`: where a target is scraped.
bool IsAddress(std::string_view instance) {
  return instance.find(':') != std::string_view::npos ||
         std::all_of(instance.begin(), instance.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

LabelReader::LabelReader(const schema::Exporter& exporter, std::size_t texts, bool with_pid)
    : with_pid_(with_pid) {
  const auto add = [&](const schema::Aliases& aliases, std::uint8_t target) {
    for (const std::string& name : aliases) roles_.push_back({name, target});
  };
  const auto& of_processes = exporter.process_labels.texts;
  if (with_pid) {
    add(exporter.process_labels.pid, kPid);
    for (const auto& [text, aliases] : of_processes) add(aliases, static_cast<std::uint8_t>(text));
  }
  for (const auto& [text, aliases] : exporter.labels.texts) {
    const bool replaced =
        with_pid && std::any_of(of_processes.begin(), of_processes.end(),
                                [&, which = text](const auto& row) { return row.first == which; });
    if (static_cast<std::size_t>(text) < texts && !replaced) {
      add(aliases, static_cast<std::uint8_t>(text));
    }
  }
  shapes_.reserve(kShapes);
}

Identity LabelReader::Read(prom::LabelSet labels) {
  Identity identity;
  for (const Source& source : ShapeOf(labels).sources) {
    std::string_view& text = source.target == kPid ? identity.pid : identity.texts[source.target];
    if (!text.empty()) continue;
    const std::string_view value = labels[source.label].value;
    const bool is_none = source.target == kNode &&
                         (Addresses::IsLoopback(value) || (source.is_instance && IsAddress(value)));
    if (!is_none && !SaysNothing(value, source.target)) text = value;
  }
  return identity;
}

bool LabelReader::Repeats(prom::LabelSet labels, std::span<const std::string_view> texts,
                          std::string_view& pid) {
  const Shape& shape = ShapeOf(labels);
  if (!shape.plain) return false;
  for (const std::uint8_t target : shape.absent) {
    if (!texts[target].empty()) return false;
  }
  for (const Source& source : shape.sources) {
    const std::string_view value = labels[source.label].value;
    if (source.target == kPid) {
      pid = value;
    } else if (!SameText(value, texts[source.target])) {
      return false;
    }
  }
  return true;
}

inline LabelReader::Digest::Digest(std::string_view text) {
  const std::size_t size = text.size();
  const auto load = [&](auto& word, std::size_t at) {
    std::memcpy(&word, text.data() + at, sizeof word);
  };
  if (size >= sizeof begin) {
    load(begin, 0);
    load(end, size - sizeof end);
    if (size > 2 * sizeof begin) load(middle, sizeof begin);
  } else if (size >= sizeof(std::uint32_t)) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    load(low, 0);
    load(high, size - sizeof high);
    begin = low;
    end = high;
  } else if (size > 0) {
    begin = static_cast<unsigned char>(text.front());
    middle = static_cast<unsigned char>(text[size / 2]);
    end = static_cast<unsigned char>(text.back());
  }
}

bool LabelReader::Fits(const Shape& shape, prom::LabelSet labels) {
  constexpr std::size_t kWholeInDigest = 24;
  if (shape.names.size() != labels.size()) return false;
  const Name* name = shape.names.data();
  for (const prom::Label& label : labels) {
    if (label.name.size() != name->size || Digest(label.name) != name->digest) return false;
    if (name->size > kWholeInDigest && label.name != name->text) return false;
    ++name;
  }
  return true;
}

auto LabelReader::ShapeOf(prom::LabelSet labels) -> const Shape& {
  if (newest_ < shapes_.size() && Fits(shapes_[newest_], labels)) return shapes_[newest_];
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (i != newest_ && Fits(shapes_[i], labels)) return shapes_[newest_ = i];
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
  for (const prom::Label& label : labels) {
    shape.names.push_back({label.name.size(), Digest(label.name), std::string(label.name)});
  }
  for (const Role& role : roles_) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].name == role.name) {
        shape.sources.push_back(
            {role.target, static_cast<std::uint32_t>(i), role.name == "instance"});
      }
    }
  }
  std::array<int, kPid + 1> sources_of{};
  for (const Source& source : shape.sources) ++sources_of[source.target];
  const auto sources = [&](models::Text text) {
    return sources_of[static_cast<std::size_t>(text)];
  };
  for (const models::Text text :
       {models::Text::kNode, models::Text::kUuid, models::Text::kMigGpuInstance,
        models::Text::kMigComputeInstance}) {
    if (sources(text) == 0) shape.absent.push_back(static_cast<std::uint8_t>(text));
  }
  shape.plain = sources(models::Text::kGpuId) + sources(models::Text::kUuid) > 0 &&
                sources_of[kPid] == (with_pid_ ? 1 : 0) &&
                std::all_of(sources_of.begin(), sources_of.end(), [](int n) { return n <= 1; });
  return shape;
}

}  // namespace gpumon::gpu
