#include "internal/grpc/pod_resources.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/kubelet/kubelet.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::grpc {
namespace {

using fake_kubelet::Encode;
using fake_kubelet::Kubelet;
using fake_kubelet::Manner;
using process::ScratchDirectory;

const std::vector<models::DeviceHolder> kTwo = {
    {"ml-team", "bert-0", "trainer", "nvidia.com/gpu", {"GPU-a", "GPU-b"}},
    {"lab", "nb-amy", "nb", "nvidia.com/mig-1g.10gb", {"MIG-c"}}};

Deadline In(Millis limit) {
  return Deadline::After(SystemClock(), process::Scaled(limit));
}

TEST(PodResourcesTest, WhatTheKubeletListsIsRead) {
  const ScratchDirectory folder;
  const Kubelet kubelet(folder.File("s"), Encode(kTwo));
  const PodResources resources(folder.File("s"));
  const auto holders = resources.List(In(Millis(20'000)));
  ASSERT_TRUE(holders) << holders.error().message;
  ASSERT_EQ(holders->size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*holders)[i].name_space, kTwo[i].name_space);
    EXPECT_EQ((*holders)[i].pod, kTwo[i].pod);
    EXPECT_EQ((*holders)[i].container, kTwo[i].container);
    EXPECT_EQ((*holders)[i].resource, kTwo[i].resource);
    EXPECT_EQ((*holders)[i].devices, kTwo[i].devices);
  }
}

TEST(PodResourcesTest, WithoutASocketThereIsNoKubelet) {
  const ScratchDirectory folder;
  const PodResources resources(folder.File("s"));
  EXPECT_EQ(resources.List(In(Millis(20'000))).error().code, Code::kNotFound);
  // It may come, go and come back.
  for (int i = 0; i < 2; ++i) {
    {
      const Kubelet kubelet(folder.File("s"), Encode(kTwo));
      EXPECT_TRUE(process::WaitUntil([&] { return bool(resources.List(In(Millis(1000)))); },
                                     Millis(20'000)));
    }
    EXPECT_FALSE(resources.List(In(Millis(20'000))));
  }
}

TEST(PodResourcesTest, AKubeletThatDoesNotAnswerHoldsNobodyUp) {
  const ScratchDirectory folder;
  const Kubelet silent(folder.File("silent"), "", Manner::kIsSilent);
  EXPECT_EQ(PodResources(folder.File("silent")).List(In(Millis(50))).error().code,
            Code::kUpstreamTimeout);
  const Kubelet refusing(folder.File("refusing"), "", Manner::kRefuses);
  const auto refused = PodResources(folder.File("refusing")).List(In(Millis(20'000)));
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("not for you"), std::string::npos);
  folder.Write("file", "");
  EXPECT_FALSE(PodResources(folder.File("file")).List(In(Millis(20'000))));
  const Kubelet broken(folder.File("broken"), "\x0a\xff\xff");
  EXPECT_EQ(PodResources(folder.File("broken")).List(In(Millis(20'000))).error().code,
            Code::kUpstreamInvalid);
}

TEST(PodResourcesTest, EveryCutAnswerIsRefusedOrWholeToThatPoint) {
  const std::string whole = Encode(kTwo);
  ASSERT_EQ(ReadPodResources(whole)->size(), 2U);
  const std::size_t first = Encode({kTwo[0]}).size();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = ReadPodResources(std::string_view(whole).substr(0, size));
    EXPECT_EQ(bool(read), size == 0 || size == first) << size;
  }
  // Any byte may be any other: it is read or refused, never more than that.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x07', '\x7f', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = byte;
      const auto read = ReadPodResources(bytes);
      EXPECT_LE(read ? read->size() : 0, whole.size());
    }
  }
  EXPECT_TRUE(ReadPodResources("")->empty());
  EXPECT_FALSE(ReadPodResources("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"));
}

}  // namespace
}  // namespace gpumon::grpc
