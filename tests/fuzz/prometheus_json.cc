// The body of an answer of /api/v1/query or /api/v1/query_range.
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "internal/base/text.h"
#include "internal/prom/decode.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

void RequireLabels(prom::LabelSet labels) {
  for (const prom::Label& label : labels) {
    Require(IsValidUtf8(label.name) && IsValidUtf8(label.value), "labels are valid UTF-8");
  }
}

void RequireValue(const prom::InstantVector& vector) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    RequireLabels(vector.labels(i));
    Require(std::isfinite(vector.point(i).at), "a sample has a time");
  }
}

void RequireValue(const prom::RangeVector& matrix) {
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    RequireLabels(matrix.labels(i));
    for (const prom::Point& point : matrix.points(i)) {
      Require(std::isfinite(point.at), "a point has a time");
    }
  }
}

void RequireValue(const prom::Scalar& scalar) {
  Require(std::isfinite(scalar.point.at), "a scalar has a time");
}

void RequireValue(const prom::String& string) {
  Require(IsValidUtf8(string.value), "a string is valid UTF-8");
}

// Where white space ends the quick way through an answer, RapidJSON alone says what is good.
void RequireSameForm(std::string_view input, bool good) {
  std::string spaced(input);
  for (const std::string_view front : {R"("result":[)", R"("values":[)"}) {
    for (std::size_t at = spaced.find(front); at != std::string::npos;
         at = spaced.find(front, at)) {
      at += front.size();
      spaced.insert(at, 1, ' ');
    }
  }
  if (spaced.size() == input.size()) return;
  Require(prom::Decode(std::move(spaced)).has_value() == good, "white space changes nothing");
}

}  // namespace

void PrometheusJson(std::string_view input) {
  const auto result = prom::Decode(std::string(input));
  RequireSameForm(input, result.has_value());
  if (!result) {
    RequireMessage(result.error().message);
    return;
  }
  const std::size_t last = input.find_last_not_of(" \t\r\n");
  Require(last != std::string_view::npos && input[last] == '}', "a success is a whole object");
  std::visit([](const auto& value) { RequireValue(value); }, result->value);
  for (const auto* notices : {&result->warnings, &result->infos}) {
    Require(notices->size() <= 10, "at most 10 notices");
    for (const std::string& notice : *notices) {
      Require(notice.size() <= 256 && IsValidUtf8(notice) && !HasHiddenCharacter(notice),
              "a notice is short and can be shown");
    }
  }
}

}  // namespace gpumon::fuzz
