#include "internal/store/line_head.h"

#include <charconv>

#include "internal/store/stored_time.h"

namespace gpumon::store {

bool HeadHandler::Number(std::string_view text) {
  if (depth_ == 1 && place_ == Place::kScore) {
    has_score_ = std::from_chars(text.data(), text.data() + text.size(), score_).ec == std::errc();
  }
  return Value();
}

bool HeadHandler::String(std::string_view text) {
  if (depth_ == 1) {
    if (place_ == Place::kTask) task_ = text;
    if (place_ == Place::kInstance) instance_ = text;
    if (place_ == Place::kTime) time_ = text;
  } else if (depth_ == 3 && place_ == Place::kEvents && level_) {
    has_error_event_ |= text == "error";
  }
  return Value();
}

bool HeadHandler::Key(std::string_view name) {
  if (depth_ == 3) level_ = name == "level";
  if (depth_ != 1) return true;
  struct Row {
    std::string_view name;
    Place place;
  };
  constexpr std::array kRows = {
      Row{"task_id", Place::kTask},     Row{"instance_id", Place::kInstance},
      Row{"timestamp", Place::kTime},   Row{"health_score", Place::kScore},
      Row{"gpu_metrics", Place::kGpus}, Row{"events", Place::kEvents},
  };
  place_ = Place::kElsewhere;
  for (const Row& row : kRows) {
    if (row.name == name) place_ = row.place;
  }
  return true;
}

bool HeadHandler::BeginObject() {
  if (depth_ == 0) is_object_ = true;
  if (depth_ == 2 && place_ == Place::kGpus) ++gpus_;
  ++depth_;
  return true;
}

bool HeadHandler::EndObject() {
  --depth_;
  return Value();
}

bool HeadHandler::BeginArray() {
  ++depth_;
  return true;
}

bool HeadHandler::EndArray() {
  --depth_;
  return Value();
}

bool HeadHandler::Fill(LineHead& head) const {
  const auto time = ParseStoredTime(time_);
  if (!is_object_ || task_.empty() || !time) return false;
  head.time = *time;
  head.task_id = task_;
  head.instance_id = instance_;
  head.has_score = has_score_;
  head.score = score_;
  head.gpus = gpus_;
  head.has_error_event = has_error_event_;
  return true;
}

}  // namespace gpumon::store
