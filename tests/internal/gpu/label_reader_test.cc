#include "internal/gpu/label_reader.h"

#include <gtest/gtest.h>

#include <string>

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
  LabelReader gpus(schema::NvidiaGpu(), models::kGpuTexts, false);
  LabelReader processes(schema::NvidiaGpu(), models::kProcessTexts, true);
  const prom::Label labels[] = {{"command", "c"}, {"gpu", "0"}, {"node", "a"}, {"pid", "7"}};
  EXPECT_EQ(gpus.Read(labels).pid, "");
  EXPECT_EQ(gpus.Read(labels).text(models::Text::kCommand), "");
  EXPECT_EQ(processes.Read(labels).pid, "7");
  EXPECT_EQ(processes.Read(labels).text(models::Text::kCommand), "c");
}

TEST(LabelReaderTest, ReadsNothingFromNothing) {
  LabelReader reader(schema::NvidiaGpu(), models::kGpuTexts, false);
  EXPECT_EQ(reader.Read({}).text(models::Text::kGpuId), "");
}

}  // namespace
}  // namespace gpumon::gpu
