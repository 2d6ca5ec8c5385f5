// What the stand-ins have in common: a row for each of their paths, and how they write JSON.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/exporter/fleet.h"
#include "internal/json/writer.h"

namespace gpumon::demo {

// One request, as far as a stand-in cares.
struct Question {
  WallTime now{};
  std::vector<std::string> params;                         // `{name}` segments of the path
  std::vector<std::pair<std::string, std::string>> query;  // decoded

  // The first parameter of that name, or "".
  std::string_view Find(std::string_view name) const {
    for (const auto& [key, value] : query) {
      if (key == name) return value;
    }
    return {};
  }
};

struct Answer {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";
};

struct Row {
  std::string method;
  std::string path;
  // One thread at a time.
  std::function<Answer(const Question&)> answer;
};

// How many instants of a fleet one answer looks at: of a large one fewer than `wanted`.
inline int Looks(const exporter::Fleet& fleet, int wanted) {
  constexpr int kMostGpus = 20'000;
  const int gpus = fleet.options().nodes * fleet.options().gpus_per_node;
  return std::clamp(kMostGpus / gpus, 1, wanted);
}

// `"key":value`; null for an optional without value.
template <class Value>
void Put(json::Writer& out, std::string_view key, const Value& value) {
  out.Key(key);
  if constexpr (std::is_same_v<Value, bool>) {
    out.Bool(value);
  } else if constexpr (std::is_integral_v<Value>) {
    out.Integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::is_floating_point_v<Value>) {
    out.Number(value);
  } else if constexpr (std::is_same_v<Value, std::nullopt_t>) {
    out.Null();
  } else {
    out.String(value);
  }
}
template <class Value>
void Put(json::Writer& out, std::string_view key, const std::optional<Value>& value) {
  if (value) {
    Put(out, key, *value);
  } else {
    Put(out, key, std::nullopt);
  }
}

// Every object says that it is made up.
inline void PutMark(json::Writer& out) {
  Put(out, "demo", true);
}

}  // namespace gpumon::demo
