#include "internal/gpu/label_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

TEST(LabelReaderTest, TextsAreTheSameWhenAllTheirBytesAre) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string a(size, 'x');
    EXPECT_TRUE(SameText(a, std::string(size, 'x')));
    EXPECT_FALSE(SameText(a, a + 'x'));
    for (std::size_t i = 0; i < size; ++i) {
      std::string b = a;
      b[i] = 'y';
      EXPECT_FALSE(SameText(a, b)) << size << ' ' << i;
    }
  }
}

TEST(LabelReaderTest, ReadsNoPidForGpus) {
  LabelReader gpus(NvidiaGpu(), models::kGpuTexts, false);
  LabelReader processes(NvidiaGpu(), models::kProcessTexts, true);
  const prom::Label labels[] = {{"command", "c"}, {"gpu", "0"}, {"node", "a"}, {"pid", "7"}};
  EXPECT_EQ(gpus.Read(labels).pid, "");
  EXPECT_EQ(gpus.Read(labels).text(models::Text::kCommand), "");
  EXPECT_EQ(processes.Read(labels).pid, "7");
  EXPECT_EQ(processes.Read(labels).text(models::Text::kCommand), "c");
}

// A reader that took one name for another would give the wrong label's value.
TEST(LabelReaderTest, TellsNamesOfAnyLengthApart) {
  for (std::size_t size = 1; size < 60; ++size) {
    LabelReader reader(NvidiaGpu(), models::kGpuTexts, false);
    const std::string other(size, 'x');
    for (std::size_t i = 0; i < size; ++i) {
      std::string changed = other;
      changed[i] = 'y';
      // With `other` learnt, `changed` in its place is another shape.
      const prom::Label first[] = {{other, "1"}, {"node", "a"}};
      const prom::Label second[] = {{changed, "1"}, {"node", "b"}};
      EXPECT_EQ(reader.Read(first).text(models::Text::kNode), "a");
      EXPECT_EQ(reader.Read(second).text(models::Text::kNode), "b");
    }
  }
  LabelReader reader(NvidiaGpu(), models::kGpuTexts, false);
  for (const std::string_view name :
       {"exported_node", "exported_mode", "hostname", "hostmame", "node", "nope", "gpu", "gpx",
        "exported_hostname", "exported_hosxname", "kubernetes_node", "kubernetxs_node"}) {
    const prom::Label labels[] = {{name, "value"}};
    const Identity identity = reader.Read(labels);
    const auto& names = NvidiaGpu().labels.texts.at(0).second;
    const bool is_node = std::find(names.begin(), names.end(), name) != names.end();
    EXPECT_EQ(identity.text(models::Text::kNode), is_node ? "value" : "") << name;
    EXPECT_EQ(identity.text(models::Text::kGpuId), name == "gpu" ? "value" : "") << name;
  }
}

TEST(LabelReaderTest, WhatStandsForNothingIsNoText) {
  LabelReader reader(*schema::Registry::BuiltIn().Find("dcgm"), models::kGpuTexts, false);
  const auto uuid_of = [&](std::string_view value) {
    const std::vector<prom::Label> labels = {{"UUID", value}, {"gpu", "0"}, {"modelName", "[N/A]"}};
    const Identity identity = reader.Read(labels);
    EXPECT_EQ(identity.text(models::Text::kGpuName), "");
    EXPECT_EQ(identity.text(models::Text::kGpuId), "0");
    return std::string(identity.text(models::Text::kUuid));
  };
  for (const char* const none : {"N/A", "[Not Supported]", "<<<NULL>>>", "Unknown Error",
                                 "GPU-00000000-0000-0000-0000-000000000000"}) {
    EXPECT_EQ(uuid_of(none), "") << none;
  }
  for (const char* const some : {"GPU-0", "N/A-1", "Nothing", "<x>"}) {
    EXPECT_EQ(uuid_of(some), some);
  }
}

TEST(LabelReaderTest, ReadsNothingFromNothing) {
  LabelReader reader(NvidiaGpu(), models::kGpuTexts, false);
  EXPECT_EQ(reader.Read({}).text(models::Text::kGpuId), "");
}

}  // namespace
}  // namespace gpumon::gpu
