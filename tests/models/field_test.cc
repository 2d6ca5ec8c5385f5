#include "models/fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace gpumon::models {
namespace {

template <class Fields>
const FieldSpec* Find(const Fields& fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

template <class Fields>
void ExpectSound(const Fields& fields, std::size_t readings, std::size_t texts) {
  std::set<std::string_view> names;
  std::set<std::size_t> shown_readings;
  std::set<std::size_t> shown_texts;
  for (const FieldSpec& field : fields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_FALSE(field.name.empty());
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_TRUE(std::all_of(field.name.begin(), field.name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || c == '_';
    })) << field.name;
    EXPECT_GT(field.scale, 0) << field.name;
    if (field.from == From::kReading || field.from == From::kInteger ||
        field.from == From::kThrottle) {
      EXPECT_LT(field.slot, readings) << field.name;
      EXPECT_EQ(field.unit.empty(), field.from != From::kReading) << field.name;
      shown_readings.insert(field.slot);
    } else if (field.from == From::kText) {
      EXPECT_LT(field.slot, texts) << field.name;
      EXPECT_TRUE(shown_texts.insert(field.slot).second) << field.name;
    }
  }
  EXPECT_EQ(shown_readings.size(), readings) << "every reading is shown by a field";
}

TEST(FieldTest, TheGpuTableIsSound) {
  ExpectSound(kGpuFields, kQuantities, kGpuTexts);
}

TEST(FieldTest, TheProcessTableIsSound) {
  ExpectSound(kProcessFields, kProcessQuantities, kProcessTexts);
}

TEST(FieldTest, TheRequirementsKeysAlwaysStandInARow) {
  for (const std::string_view name :
       {"node_name", "gpu_index", "gpu_name", "utilization", "memory_used", "memory_total",
        "memory_free", "memory_utilization", "temperature", "timestamp"}) {
    const FieldSpec* field = Find(kGpuFields, name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_TRUE(field->always) << name;
  }
  for (const std::string_view name : {"node_name", "gpu_index", "pid", "process_name", "user",
                                      "command", "gpu_memory", "cpu", "memory", "timestamp"}) {
    const FieldSpec* field = Find(kProcessFields, name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_TRUE(field->always) << name;
  }
}

TEST(FieldTest, UnitsAreTheRequirementsAndBytesAreExact) {
  const FieldSpec* used = Find(kGpuFields, "memory_used");
  const FieldSpec* bytes = Find(kGpuFields, "memory_used_bytes");
  const FieldSpec* process = Find(kProcessFields, "gpu_memory");
  ASSERT_TRUE(used != nullptr && bytes != nullptr && process != nullptr);
  EXPECT_EQ(used->unit, "GiB");
  EXPECT_EQ(used->scale * 1024 * 1024 * 1024, 1);
  EXPECT_EQ(bytes->slot, used->slot);
  EXPECT_EQ(bytes->scale, 1);
  EXPECT_EQ(process->unit, "MiB");
  EXPECT_EQ(process->scale * 1024 * 1024, 1);
}

TEST(FieldTest, WhatBothTablesNameMeansTheSame) {
  for (const FieldSpec& gpu : kGpuFields) {
    const FieldSpec* process = Find(kProcessFields, gpu.name);
    if (process == nullptr) continue;
    EXPECT_EQ(process->from, gpu.from) << gpu.name;
    EXPECT_EQ(process->unit, gpu.unit) << gpu.name;
  }
}

}  // namespace
}  // namespace gpumon::models
