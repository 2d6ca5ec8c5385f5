#include "internal/exporter/holders.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/process/wait.h"

namespace gpumon::exporter {
namespace {

constexpr const char* kUid = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0";

nvml::Gpu GpuOf(unsigned index, const std::string& uuid) {
  nvml::Gpu gpu;
  gpu.index = index;
  gpu.uuid = uuid;
  return gpu;
}

models::DeviceHolder Of(const std::string& pod, const std::string& device,
                        const std::string& resource = "nvidia.com/gpu",
                        const std::string& container = "c") {
  return {"ns", pod, container, resource, {device}};
}

// The pods, in the order of the list.
std::string PodsOf(const std::vector<Holder>& holders) {
  std::string pods;
  for (const Holder& holder : holders) pods += holder.pod + ' ';
  return pods;
}

SeenProcess InPod(const std::string& uid) {
  SeenProcess process;
  process.host.found = true;
  process.host.container.pod_uid = uid;
  return process;
}

TEST(HoldersTest, DevicePluginsNameAGpuInManyWays) {
  const nvml::Gpu gpu = GpuOf(1, "GPU-aB");
  for (const auto& [device, resource, has] :
       std::initializer_list<std::tuple<const char*, const char*, bool>>{
           {"GPU-aB", "nvidia.com/gpu", true},
           {"GPU-ab", "example.com/fast-gpu", true},
           {"GPU-ab::3", "nvidia.com/gpu.shared", true},
           {"1", "nvidia.com/gpu", true},
           {"1::0", "nvidia.com/gpu", true},
           {"nvidia1", "nvidia.com/gpu", true},
           {"nvidia1/vgpu0", "nvidia.com/gpu", true},
           {"1", "rdma/hca", false},
           {"11", "nvidia.com/gpu", false},
           {"GPU-abc", "nvidia.com/gpu", false},
           {"", "nvidia.com/gpu", false}}) {
    const Holders holders({Of("p", device, resource)}, {});
    EXPECT_EQ(holders.OfGpu(gpu).size(), has ? 1U : 0U) << device << ' ' << resource;
  }
}

TEST(HoldersTest, AnInstanceHasHoldersOfItsOwn) {
  nvml::Gpu gpu = GpuOf(0, "GPU-a");
  nvml::MigInstance instance;
  instance.index = 2;
  instance.uuid = std::string("MIG-x");
  instance.gpu_instance = 7;
  gpu.mig_instances = {instance};
  const Holders holders({Of("by-uuid", "MIG-x"), Of("by-index", "0:2"), Of("gke", "nvidia0/gi7"),
                         Of("other", "MIG-y"), Of("other", "0:1"), Of("other", "nvidia0/gi1")},
                        {});
  EXPECT_EQ(PodsOf(holders.OfInstance(gpu, instance)), "by-uuid by-index gke ");
  EXPECT_EQ(PodsOf(holders.OfGpu(gpu)), "");
  SeenProcess process = InPod(kUid);
  process.process.gpu_instance = 7;
  const Holders one({Of("by-uuid", "MIG-x"), Of("whole", "GPU-a")}, {});
  EXPECT_EQ(one.OfProcess(gpu, process).pod, "by-uuid");
  process.process.gpu_instance = 3;
  EXPECT_EQ(one.OfProcess(gpu, process).pod, "") << "no such instance";
}

TEST(HoldersTest, AProcessBelongsToThePodThatAloneHasItsGpu) {
  const nvml::Gpu gpu = GpuOf(0, "GPU-a");
  const Holders one({Of("p", "GPU-a")}, {});
  EXPECT_EQ(one.OfProcess(gpu, InPod(kUid)), (Holder{"ns", "p", "c"}));
  EXPECT_EQ(one.OfProcess(gpu, InPod("")).pod, "") << "a program of the host itself";
  EXPECT_EQ(one.OfProcess(gpu, SeenProcess()).pod, "p") << "nothing is known of it";
  EXPECT_EQ(one.OfProcess(GpuOf(1, "GPU-b"), InPod(kUid)).pod, "");
  const Holders two({Of("p", "GPU-a::0"), Of("q", "GPU-a::1")}, {});
  EXPECT_EQ(two.OfProcess(gpu, InPod(kUid)).pod, "") << "either";
}

TEST(HoldersTest, WhereSeveralShareAGpuTheFoldersOfLogsTell) {
  const process::ScratchDirectory logs;
  for (const std::string& name :
       {std::string("ns_q_") + kUid, std::string("ns_r.s_static"), std::string("nothing"),
        std::string("_a_b"), std::string("a_b_"), std::string("a_b")}) {
    std::filesystem::create_directories(logs.File(name));
  }
  const PodNames names = ReadPodNames(logs.path());
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names.at("static").pod, "r.s");
  EXPECT_TRUE(ReadPodNames(logs.File("none")).empty());

  const nvml::Gpu gpu = GpuOf(0, "GPU-a");
  const Holders two({Of("p", "GPU-a::0"), Of("q", "GPU-a::1", "nvidia.com/gpu", "main")}, names);
  EXPECT_EQ(two.OfProcess(gpu, InPod(kUid)), (Holder{"ns", "q", "main"}));
  EXPECT_EQ(two.OfProcess(gpu, InPod("static")), (Holder{"ns", "r.s", ""})) << "it has no device";
  const Holders both(
      {Of("q", "GPU-a::0", "nvidia.com/gpu", "a"), Of("q", "GPU-a::1", "nvidia.com/gpu", "b")},
      names);
  EXPECT_EQ(both.OfProcess(gpu, InPod(kUid)), (Holder{"ns", "q", ""})) << "a or b";
  EXPECT_EQ(Holders({}, names).OfProcess(gpu, InPod(kUid)).pod, "q") << "without a kubelet too";
}

}  // namespace
}  // namespace gpumon::exporter
