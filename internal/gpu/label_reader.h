// What a series' labels say about the row it belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/field.h"
#include "models/null_reason.h"

namespace gpumon::gpu {

// By models::Text; an empty text is absent. Views into the labels.
struct Identity {
  std::array<std::string_view, models::kProcessTexts> texts{};
  std::string_view pid;
  models::NullReason pod_untold = models::NullReason::kNone;  // models::Row

  std::string_view text(models::Text t) const { return texts[static_cast<std::size_t>(t)]; }
};

// Of each text the first alias wins that a series has and that is not empty. Names that many
// machines have (`localhost`) are no node's, nor is an `instance` that is an address. One thread at
// a time.
class LabelReader {
 public:
  // Reads the texts before slot `texts`; the pid when `with_pid`, and then by the labels of the
  // exporter's processes.
  LabelReader(const schema::Exporter& exporter, std::size_t texts, bool with_pid);

  Identity Read(prom::LabelSet labels);

  // True when `labels` name a GPU by its id or UUID and (where one is read) a pid, every text by
  // one alias only, and every text in them is the one in `texts` (by models::Text, of a row known
  // before). `pid` gets the pid's. False is no answer: then Read.
  bool Repeats(prom::LabelSet labels, std::span<const std::string_view> texts,
               std::string_view& pid);

 private:
  static constexpr std::uint8_t kPid = models::kProcessTexts;
  // Series come in few shapes: which label names, in which places. What a shape means is worked
  // out once.
  static constexpr std::size_t kShapes = 8;
  struct Role {
    std::string name;
    std::uint8_t target;
  };
  struct Source {
    std::uint8_t target;
    std::uint32_t label;  // position
    bool is_instance = false;
  };
  // The bytes of a text of at most 24 bytes, together with its size; of a longer one some.
  struct Digest {
    explicit Digest(std::string_view text);
    bool operator==(const Digest&) const = default;

    std::uint64_t begin = 0;
    std::uint64_t middle = 0;
    std::uint64_t end = 0;
  };
  struct Name {
    std::size_t size;
    Digest digest;
    std::string text;
  };
  struct Shape {
    std::vector<Name> names;
    std::vector<Source> sources;       // best alias of a target first
    std::vector<std::uint8_t> absent;  // of what tells rows apart
    bool plain = false;                // names a GPU, and a pid; no text has two sources
  };

  static bool Fits(const Shape& shape, prom::LabelSet labels);
  const Shape& ShapeOf(prom::LabelSet labels);
  Shape Learn(prom::LabelSet labels) const;

  const bool with_pid_;
  std::vector<Role> roles_;  // best alias of a target first
  std::vector<Shape> shapes_;
  std::size_t newest_ = 0;  // the shape used last
  std::size_t next_ = 0;    // the shape to give up next
};

// a == b. For the many short label texts a call of memcmp costs more than their comparison.
inline bool SameText(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (a.data() == b.data()) return true;
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  const auto differing = [&](auto word, std::size_t at) {
    auto other = word;
    std::memcpy(&word, a.data() + at, sizeof word);
    std::memcpy(&other, b.data() + at, sizeof other);
    return static_cast<std::uint64_t>(word ^ other);
  };
  if (size >= 8) {
    return (differing(std::uint64_t{}, 0) | differing(std::uint64_t{}, size - 8)) == 0;
  }
  if (size >= 4) {
    return (differing(std::uint32_t{}, 0) | differing(std::uint32_t{}, size - 4)) == 0;
  }
  // The first, the middle and the last of at most three are all of them.
  return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

}  // namespace gpumon::gpu
