#include "internal/prom/answer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::prom {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxNotices = 10;
constexpr std::size_t kMaxNoticeBytes = 256;
// So many elements tell how large the rest will be.
constexpr std::uint32_t kSampleElements = 32;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool ReadDouble(std::string_view text, double& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

// The three words are Prometheus's own; from_chars would take many more.
bool ReadSampleValue(std::string_view text, double& value) {
  if (text.empty()) return false;
  if (IsDigit(text[0]) || (text[0] == '-' && text.size() > 1 && IsDigit(text[1]))) {
    return ReadDouble(text, value);
  }
  if (text == "NaN") {
    value = kNaN;
  } else if (text == "+Inf") {
    value = std::numeric_limits<double>::infinity();
  } else if (text == "-Inf") {
    value = -std::numeric_limits<double>::infinity();
  } else {
    return false;
  }
  return true;
}

void AddNotice(std::vector<std::string>& notices, std::string_view text) {
  if (notices.size() < kMaxNotices) notices.push_back(Sanitised(text));
}

}  // namespace

std::string Sanitised(std::string_view text) {
  // Cut before repairing: a hostile text costs no more than a good one.
  const std::string valid = ToValidUtf8(text.substr(0, 2 * kMaxNoticeBytes));
  return ReplaceHidden(Front(valid, kMaxNoticeBytes), " ");
}

Answer::Name Answer::NameOf(At at, std::string_view name) {
  struct Row {
    At at;
    std::string_view text;
    Name name;
  };
  static constexpr std::array kRows = {
      Row{At::kElement, "metric", Name::kMetric},
      Row{At::kElement, "value", Name::kValue},
      Row{At::kElement, "values", Name::kValues},
      Row{At::kTop, "status", Name::kStatus},
      Row{At::kTop, "errorType", Name::kErrorType},
      Row{At::kTop, "error", Name::kError},
      Row{At::kTop, "data", Name::kData},
      Row{At::kTop, "warnings", Name::kWarnings},
      Row{At::kTop, "infos", Name::kInfos},
      Row{At::kTop, "isPartial", Name::kIsPartial},
      Row{At::kData, "resultType", Name::kResultType},
      Row{At::kData, "result", Name::kResult},
  };
  for (const Row& row : kRows) {
    if (row.at == at && row.text == name) return row.name;
  }
  return Name::kOther;
}

bool Answer::Number(std::string_view text) {
  // No double needs as many digits.
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) return Refuse("a number that is longer than numbers are");
  return Plain(Kind::kNumber, text);
}

bool Answer::Key(std::string_view name) {
  if (at() == At::kMetric) {
    label_name_ = name;
    return true;
  }
  name_ = NameOf(at(), name);
  if (name_ == Name::kOther) return true;
  std::uint32_t& seen = at() == At::kElement ? seen_here_ : seen_;
  const std::uint32_t bit = 1U << static_cast<unsigned>(name_);
  if ((seen & bit) != 0) return Refuse("the same key twice");
  seen |= bit;
  return true;
}

bool Answer::BeginObject() {
  switch (at()) {
    case At::kOutside:
      return Push(At::kTop);
    case At::kTop:
      if (name_ != Name::kData) return Push(At::kSkipped);
      has_data = true;
      return Push(At::kData);
    case At::kResult:
      BeginElement();
      return Push(At::kElement);
    case At::kElement:
      if (name_ == Name::kMetric) return Push(At::kMetric);
      if (name_ == Name::kValue) element_.has_value = true;
      return Push(At::kSkipped);
    case At::kMetric:
      return Refuse("a label value that is not text");
    case At::kPoint:
      point_.count = 3;  // never sound again
      return Push(At::kSkipped);
    case At::kPoints:
      ++bad_points;
      return Push(At::kSkipped);
    default:
      return Push(At::kSkipped);
  }
}

bool Answer::BeginArray() {
  switch (at()) {
    case At::kOutside:
      return Refuse("an array where an object was due");
    case At::kTop:
      if (name_ == Name::kWarnings) return Push(At::kWarnings);
      return Push(name_ == Name::kInfos ? At::kInfos : At::kSkipped);
    case At::kData:
      if (name_ != Name::kResult) return Push(At::kSkipped);
      has_result = true;
      return Push(At::kResult);
    case At::kResult:
      return Refuse("an array where a series was due");
    case At::kElement:
      if (name_ == Name::kValue) {
        element_.has_value = true;
        BeginPoint();
        return Push(At::kPoint);
      }
      if (name_ != Name::kValues) return Push(At::kSkipped);
      element_.has_values = true;
      return Push(At::kPoints);
    case At::kMetric:
      return Refuse("a label value that is not text");
    case At::kPoint:
      point_.count = 3;  // never sound again
      return Push(At::kSkipped);
    case At::kPoints:
      BeginPoint();
      return Push(At::kPoint);
    default:
      return Push(At::kSkipped);
  }
}

bool Answer::EndObject() {
  const At closed = stack_[depth_--];
  return closed != At::kElement || EndElement();
}

bool Answer::EndArray() {
  const At closed = stack_[depth_--];
  if (closed == At::kPoint) EndPoint();
  return true;
}

bool Answer::Plain(Kind kind, std::string_view text) {
  switch (at()) {
    case At::kOutside:
      return Refuse("not an object");
    case At::kTop:
      return Top(kind, text);
    case At::kWarnings:
      if (kind == Kind::kString) AddNotice(warnings, text);
      return true;
    case At::kInfos:
      if (kind == Kind::kString) AddNotice(infos, text);
      return true;
    case At::kData:
      if (name_ == Name::kResultType && kind == Kind::kString) result_type = text;
      return true;
    case At::kResult:
      AddToPoint(outer, kind, text);
      return true;
    case At::kElement:
      if (name_ == Name::kValue) element_.has_value = true;
      return true;
    case At::kMetric:
      return AddLabel(kind, text);
    case At::kPoint:
      AddToPoint(point_, kind, text);
      return true;
    case At::kPoints:
      ++bad_points;
      return true;
    case At::kSkipped:
      return true;
  }
  return true;
}

bool Answer::Top(Kind kind, std::string_view text) {
  if (name_ == Name::kIsPartial) partial = kind == Kind::kTrue;
  if (kind != Kind::kString) return true;
  if (name_ == Name::kStatus) status = text;
  if (name_ == Name::kErrorType) error_type = text;
  if (name_ == Name::kError) error = text;
  return true;
}

bool Answer::AddLabel(Kind kind, std::string_view text) {
  if (kind != Kind::kString) return Refuse("a label value that is not text");
  label_text_ = text.data();
  const Label known = Before();
  labels.push_back({known.name == label_name_ ? known.name : label_name_,
                    known.value == text ? known.value : text});
  return true;
}

// The label in this place of the element before. Neighbours have the same names, and many of the
// same values, in the same places: one copy of each stays in the processor's cache.
Label Answer::Before() const {
  const std::size_t before = before_ + (labels.size() - element_.first_label);
  return before < element_.first_label ? labels[before] : Label();
}

void Answer::AddToPoint(OpenPoint& open, Kind kind, std::string_view text) {
  ++open.count;
  if (open.count == 1 && kind == Kind::kNumber) {
    // The samples of one vector share their time: one conversion does for all.
    if (text != last_time_text_) {
      if (!ReadDouble(text, last_time_)) return;
      last_time_text_ = text;
    }
    open.point.at = last_time_;
    open.time_ok = true;
  } else if (open.count == 2 && kind == Kind::kString) {
    open.text = text;
    open.value_ok = ReadSampleValue(text, open.point.value);
  }
}

void Answer::BeginPoint() {
  point_ = OpenPoint();
}

void Answer::EndPoint() {
  if (at() == At::kElement) {
    element_.value = point_;
  } else if (point_.sound()) {
    points.push_back(point_.point);
  } else {
    ++bad_points;
  }
}

void Answer::BeginElement() {
  seen_here_ = 0;
  before_ = element_.first_label;
  element_ = Element();
  element_.first_label = labels.size();
  element_.first_point = points.size();
}

bool Answer::EndElement() {
  if (element_.has_value && element_.has_values) return Refuse("value and values in one series");
  ++elements;
  const auto first_label = static_cast<std::uint32_t>(element_.first_label);
  const auto label_count = static_cast<std::uint32_t>(labels.size() - element_.first_label);
  if (element_.has_values) {
    series.push_back(
        {first_label, label_count, element_.first_point, points.size() - element_.first_point});
  } else if (element_.value.sound()) {
    samples.push_back({first_label, label_count, element_.value.point});
  } else {
    // The series is there, its value cannot be known: not the same as no series.
    ++bad_values;
    samples.push_back({first_label, label_count, {element_.value.point.at, kNaN}});
  }
  if (elements == kSampleElements) ReserveForTheRest();
  return true;
}

void Answer::ReserveForTheRest() {
  if (labels.empty()) return;
  const auto read = static_cast<double>(label_text_ - body_.data());
  const double factor = 1.1 * static_cast<double>(body_.size()) / std::max(read, 1.0);
  const auto reserve = [factor](auto& vector) {
    vector.reserve(static_cast<std::size_t>(factor * static_cast<double>(vector.size())));
  };
  reserve(labels);
  reserve(samples);
  reserve(series);
  reserve(points);
}

}  // namespace gpumon::prom
