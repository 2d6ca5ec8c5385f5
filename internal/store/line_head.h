// The few things of a line that choose and sum up, without a document in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/json/reader.h"
#include "internal/store/reader.h"

namespace gpumon::store {

// Takes them as they come. One line at a time: Reset before each. Used inside internal/store.
class HeadHandler final : public json::Handler {
 public:
  void Reset() { *this = HeadHandler(); }

  bool Null() override { return Value(); }
  bool Bool(bool) override { return Value(); }
  bool Number(std::string_view text) override;
  bool String(std::string_view text) override;
  bool Key(std::string_view name) override;
  bool BeginObject() override;
  bool EndObject() override;
  bool BeginArray() override;
  bool EndArray() override;

  // False when the line is no snapshot: no object, no task_id, no time.
  bool Fill(LineHead& head) const;

 private:
  enum class Place { kElsewhere, kTask, kInstance, kTime, kScore, kGpus, kEvents };
  bool Value() {
    if (depth_ == 1) place_ = Place::kElsewhere;
    return true;
  }

  int depth_ = 0;
  Place place_ = Place::kElsewhere;  // what the next value of the outer object is
  bool level_ = false;               // the next value is an event's level
  bool is_object_ = false;
  std::string task_;
  std::string instance_;
  std::string time_;
  bool has_score_ = false;
  double score_ = 0;
  std::int64_t gpus_ = 0;
  bool has_error_event_ = false;
};

}  // namespace gpumon::store
