#include "cmd/gpuctl/cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "cmd/gpuctl/answer_json.h"
#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

using json::Value;

std::string Scalar(const Value& value) {
  switch (value.type()) {
    case Value::Type::kNull:
      return std::string(kAbsentCell);
    case Value::Type::kBool:
      return *value.AsBool() ? "yes" : "no";
    case Value::Type::kNumber:
      return *value.AsNumberText();
    case Value::Type::kString:
      return *value.AsString();
    case Value::Type::kArray:
    case Value::Type::kObject:
      break;
  }
  json::Writer writer;
  CopyJson(value, writer);
  return writer.Take();
}

std::string PodOf(const Value& holder) {
  return Scalar(holder["namespace"]) + '/' + Scalar(holder["pod"]);
}

std::string Joined(const Value& list, std::string (*text)(const Value&)) {
  std::string all;
  for (const Value& one : list.elements()) all += (all.empty() ? "" : ",") + text(one);
  return all.empty() ? "none" : all;
}

std::string NumberText(const Value& value, CellKind kind) {
  constexpr double kBytesPerGiB = 1024.0 * 1024.0 * 1024.0;
  const auto number = value.AsDouble();
  if (!number) return Scalar(value);
  if (kind == CellKind::kWhole) return DecimalText(*number, 0);
  if (kind == CellKind::kTenths) return DecimalText(*number, 1);
  if (kind == CellKind::kGiB) return DecimalText(*number / kBytesPerGiB, 1);
  return DurationText(*number);
}

std::string AgeText(const Value& value, WallTime as_of) {
  const auto time = value.AsString() == nullptr ? std::nullopt : ParseTime(*value.AsString());
  if (!time) return Scalar(value);
  return DurationText(std::chrono::duration<double>(as_of - *time).count());
}

std::string MigText(const Value& value) {
  if (!value.is_object()) return Scalar(value);
  return Scalar(value["uuid"].is_null() ? value["profile"] : value["uuid"]);
}

std::string Text(const Value& value, CellKind kind, WallTime as_of) {
  switch (kind) {
    case CellKind::kText:
      return value.is_array() ? Joined(value, Scalar) : Scalar(value);
    case CellKind::kWhole:
    case CellKind::kTenths:
    case CellKind::kGiB:
    case CellKind::kDuration:
      return NumberText(value, kind);
    case CellKind::kAge:
      return AgeText(value, as_of);
    case CellKind::kPods:
      return value.is_array() ? Joined(value, PodOf) : Scalar(value);
    case CellKind::kMig:
      return MigText(value);
  }
  return Scalar(value);
}

}  // namespace

bool IsNumber(CellKind kind) {
  return kind != CellKind::kText && kind != CellKind::kPods && kind != CellKind::kMig;
}

std::string CellText(const Value& value, CellKind kind, WallTime as_of) {
  return checks::Shown(Text(value, kind, as_of));
}

std::string DurationText(double seconds) {
  struct Unit {
    double until;  // seconds
    double size;
    std::string_view name;
  };
  constexpr std::array kUnits = {Unit{120, 1, "s"}, Unit{7200, 60, "m"}, Unit{172'800, 3600, "h"},
                                 Unit{HUGE_VAL, 86'400, "d"}};
  seconds = std::max(0.0, seconds);
  const auto* const unit = std::find_if(kUnits.begin(), kUnits.end() - 1,
                                        [&](const Unit& one) { return seconds < one.until; });
  return DecimalText(std::floor(seconds / unit->size), 0) + std::string(unit->name);
}

std::string DecimalText(double value, int decimals) {
  std::array<char, 352> text{};  // the longest double, and one decimal
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  const std::string_view all(text.data(), static_cast<std::size_t>(std::max(0, length)));
  // What rounds to zero from below is no negative number to a reader.
  const bool zero = all.find_first_not_of("-0.") == std::string_view::npos;
  return std::string(zero && all.starts_with('-') ? all.substr(1) : all);
}

std::string Fit(std::string_view text, std::size_t width) {
  if (checks::DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  std::size_t taken = 0;
  while (!text.empty()) {
    const std::string_view character = FrontCharacters(text, 1);
    taken += checks::DisplayWidth(character);
    if (taken > width - 1) break;
    out += character;
    text.remove_prefix(character.size());
  }
  return out + "…";
}

std::string Filled(std::string_view text, std::size_t width, bool right) {
  const std::string fit = Fit(text, width);
  const std::size_t taken = checks::DisplayWidth(fit);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  return right ? blanks + fit : fit + blanks;
}

}  // namespace gpumon::ctl
