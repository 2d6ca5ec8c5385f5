// What a series' labels say about the row it belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/schema.h"
#include "models/field.h"

namespace gpumon::gpu {

// By models::Text; an empty text is absent. Views into the labels.
struct Identity {
  std::array<std::string_view, models::kProcessTexts> texts{};
  std::string_view pid;

  std::string_view text(models::Text t) const { return texts[static_cast<std::size_t>(t)]; }
};

// Of each text the first alias wins that a series has and that is not empty. One thread at a time.
class LabelReader {
 public:
  // Reads the texts before slot `texts`; the pid when `with_pid`.
  LabelReader(const schema::Exporter& exporter, std::size_t texts, bool with_pid);

  Identity Read(prom::LabelSet labels);

 private:
  static constexpr std::uint8_t kPid = models::kProcessTexts;
  // Series come in few shapes: which label names, in which places. What a shape means is worked
  // out once.
  static constexpr std::size_t kShapes = 8;
  struct Role {
    std::string_view name;
    std::uint8_t target;
  };
  struct Source {
    std::uint8_t target;
    std::uint32_t label;  // position
  };
  struct Shape {
    std::vector<std::string> names;
    std::vector<Source> sources;  // best alias of a target first
  };

  const Shape& ShapeOf(prom::LabelSet labels);
  Shape Learn(prom::LabelSet labels) const;

  std::vector<Role> roles_;  // best alias of a target first
  std::vector<Shape> shapes_;
  std::size_t newest_ = 0;  // the shape used last
  std::size_t next_ = 0;    // the shape to give up next
};

// a == b. Label texts are so short that a call of memcmp costs more than their comparison.
inline bool SameText(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const auto differ = [&](auto word, std::size_t at) {
    auto other = word;
    std::memcpy(&word, a.data() + at, sizeof word);
    std::memcpy(&other, b.data() + at, sizeof other);
    return word != other;
  };
  if (size >= sizeof(std::uint64_t)) {
    const std::size_t last = size - sizeof(std::uint64_t);
    for (std::size_t i = 0; i < last; i += sizeof(std::uint64_t)) {
      if (differ(std::uint64_t{}, i)) return false;
    }
    return !differ(std::uint64_t{}, last);
  }
  if (size >= sizeof(std::uint32_t)) {
    return !differ(std::uint32_t{}, 0) && !differ(std::uint32_t{}, size - sizeof(std::uint32_t));
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace gpumon::gpu
