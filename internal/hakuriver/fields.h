// Fields as HakuRiver hosts of all generations write them. Used inside internal/hakuriver alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "internal/hakuriver/models.h"
#include "internal/json/document.h"

namespace gpumon::hakuriver {

// "" for null, "N/A" and what is neither text, number nor bool.
std::string TextOf(const json::Value& value);
// An id, whole to the last of 63 bits; "" when it is none.
std::string IdOf(const json::Value& value);
// A finite number, or a text that is one.
std::optional<double> NumberOf(const json::Value& value);
// The same, but for what is negative: -1 stands for unknown.
std::optional<double> AmountOf(const json::Value& value);
std::optional<std::int64_t> IntegerOf(const json::Value& value);
std::optional<std::int64_t> CountOf(const json::Value& value);  // not negative
std::vector<std::int64_t> CountsOf(const json::Value& value);
std::optional<bool> BoolOf(const json::Value& value);
// Unknown when it is no date, or one of the year 1: how some write that there is none.
Time TimeOf(const json::Value& value);

}  // namespace gpumon::hakuriver
