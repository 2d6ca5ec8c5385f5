// The events of one answer's JSON, gathered into Prometheus's values. Used by Decode alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/json/reader.h"
#include "internal/prom/value.h"

namespace gpumon::prom {

// Whole once the reading ended without an error. Nothing is known about the order of keys, so
// samples of both kinds are gathered and whoever reads `result_type` takes the one it names.
// Views point into the text that is read.
class Answer final : public json::Handler {
 public:
  static constexpr std::size_t kMaxDepth = 32;

  explicit Answer(std::string_view body) : body_(body) {}

  bool Null() override { return Plain(Kind::kNull, {}); }
  bool Bool(bool value) override { return Plain(value ? Kind::kTrue : Kind::kFalse, {}); }
  bool Number(std::string_view text) override;
  bool String(std::string_view text) override { return Plain(Kind::kString, text); }
  bool Key(std::string_view name) override;
  bool BeginObject() override;
  bool EndObject() override;
  bool BeginArray() override;
  bool EndArray() override;
  // Series and samples that are written as Prometheus writes them, to the character.
  std::size_t TakeElements(std::string_view rest) override;

  // [time, text], where it is read: a sample, or the whole result of a scalar or a string.
  struct OpenPoint {
    Point point;
    std::string_view text;
    std::uint32_t count = 0;  // elements so far
    bool time_ok = false;
    bool value_ok = false;
    bool sound() const { return count == 2 && time_ok && value_ok; }
  };

  std::string_view status;
  std::string_view error_type;
  std::string_view error;
  std::string_view result_type;
  bool has_data = false;
  bool has_result = false;
  bool partial = false;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  std::vector<InstantVector::Sample> samples;
  std::vector<RangeVector::Series> series;
  std::vector<Point> points;
  std::vector<Label> labels;
  OpenPoint outer;  // plain values directly inside `result`
  std::uint32_t elements = 0;
  std::uint32_t bad_values = 0;  // of samples: NaN there
  std::uint32_t bad_points = 0;  // of series: left out
  // What is not an answer of Prometheus, when an event was refused.
  const char* refusal = nullptr;

 private:
  enum class Kind : std::uint8_t { kNull, kTrue, kFalse, kNumber, kString };
  enum class At : std::uint8_t {
    kOutside,
    kTop,
    kWarnings,
    kInfos,
    kData,
    kResult,
    kElement,
    kMetric,
    kPoint,
    kPoints,
    kSkipped
  };
  enum class Name : std::uint8_t {
    kOther,
    kStatus,
    kErrorType,
    kError,
    kData,
    kWarnings,
    kInfos,
    kIsPartial,
    kResultType,
    kResult,
    kMetric,
    kValue,
    kValues
  };
  struct Element {
    std::size_t first_label = 0;
    std::size_t first_point = 0;
    OpenPoint value;
    bool has_value = false;
    bool has_values = false;
  };

  At at() const { return stack_[depth_]; }
  bool Push(At next) {
    stack_[++depth_] = next;
    return true;
  }
  bool Refuse(const char* why) {
    refusal = why;
    return false;
  }
  static Name NameOf(At at, std::string_view name);
  bool Plain(Kind kind, std::string_view text);
  bool Top(Kind kind, std::string_view text);
  bool AddLabel(Kind kind, std::string_view text);
  Label Before() const;
  // Each takes one thing off the front of `text`; false, and nothing to rely on, where it is not
  // written as Prometheus writes it.
  bool TakeSample(std::string_view& text);
  bool TakeLabels(std::string_view& text);
  bool TakePoint(std::string_view& text, OpenPoint& open);
  std::string_view TakeText(std::string_view& text, std::string_view known);
  std::size_t TakeSamples(std::string_view rest);
  std::size_t TakePoints(std::string_view rest);
  void AddToPoint(OpenPoint& open, Kind kind, std::string_view text);
  void BeginPoint();
  void EndPoint();
  void BeginElement();
  bool EndElement();
  void ReserveForTheRest();

  const std::string_view body_;
  std::array<At, kMaxDepth + 1> stack_{At::kOutside};
  std::size_t depth_ = 0;
  std::uint32_t seen_ = 0;       // keys of the top, data and result's own objects, by Name
  std::uint32_t seen_here_ = 0;  // keys of the open element
  Name name_ = Name::kOther;     // the key whose value comes next
  std::string_view label_name_;
  const char* label_text_ = nullptr;  // where the last label's value was read
  std::size_t before_ = 0;            // first label of the element before
  Element element_;
  OpenPoint point_;
  std::string_view last_time_text_;
  double last_time_ = 0;
};

// Valid UTF-8 without what HiddenCharacterLength knows, 256 bytes at most.
std::string Sanitised(std::string_view text);

}  // namespace gpumon::prom
