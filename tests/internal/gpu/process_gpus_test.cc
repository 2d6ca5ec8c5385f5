#include "internal/gpu/process_gpus.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gpumon::gpu {
namespace {

using models::GpuProcess;
using models::Text;

GpuProcess Row(const char* node, const char* gpu_id, const char* uuid, const char* name) {
  GpuProcess row;
  row.set_text(Text::kNode, node);
  row.set_text(Text::kGpuId, gpu_id);
  row.set_text(Text::kUuid, uuid);
  row.set_text(Text::kGpuName, name);
  return row;
}
std::string Named(std::vector<GpuProcess> rows) {
  NameGpus(rows);
  std::string text;
  for (const GpuProcess& row : rows) {
    text.append(row.text(Text::kUuid)).append("/").append(row.text(Text::kGpuName)).append(" ");
  }
  return text;
}

TEST(ProcessGpusTest, AProcessHasTheUuidThatOthersOfItsGpuHave) {
  EXPECT_EQ(Named({Row("a", "0", "", ""), Row("a", "0", "GPU-1", "H100"), Row("a", "1", "", ""),
                   Row("b", "0", "", "")}),
            "GPU-1/H100 GPU-1/H100 / / ");
  EXPECT_EQ(Named({Row("a", "0", "GPU-1", "H100"), Row("a", "0", "", "NVIDIA H100")}),
            "GPU-1/H100 GPU-1/NVIDIA H100 ");
}

TEST(ProcessGpusTest, NoneWhereTheyNameSeveralOrAnInstanceAlone) {
  EXPECT_EQ(Named({Row("a", "0", "GPU-1", ""), Row("a", "0", "GPU-2", ""), Row("a", "0", "", "")}),
            "GPU-1/ GPU-2/ / ");
  EXPECT_EQ(Named({Row("a", "0", "MIG-1", ""), Row("a", "0", "", "")}), "MIG-1/ / ");
}

TEST(ProcessGpusTest, WithoutANodeOrAnIdNothingIsKnown) {
  EXPECT_EQ(Named({Row("", "0", "GPU-1", ""), Row("", "0", "", "")}), "GPU-1/ / ");
  EXPECT_EQ(Named({Row("a", "", "GPU-1", ""), Row("a", "", "", "")}), "GPU-1/ / ");
}

}  // namespace
}  // namespace gpumon::gpu
