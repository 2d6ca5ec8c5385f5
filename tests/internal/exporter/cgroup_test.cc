#include "internal/exporter/cgroup.h"

#include <gtest/gtest.h>

namespace gpumon::exporter {
namespace {

constexpr const char* kUid = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0";
constexpr const char* kId = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

std::string With(std::string text) {
  for (const auto& [mark, value] :
       {std::pair{"UID", std::string(kUid)}, std::pair{"ID64", std::string(kId)},
        std::pair{"U_D", std::string("0B1c2d3e_4f50_6172_8394_a5b6c7d8e9f0")}}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
      text.replace(at, std::string_view(mark).size(), value);
    }
  }
  return text;
}

TEST(CgroupTest, EveryKubeletsPathsNameThePodAndTheContainer) {
  for (const char* const text :
       {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/"
        "cri-containerd-ID64.scope\n",
        "0::/kubepods.slice/kubepods-podU_D.slice/crio-ID64.scope\n",
        "0::/kubepods/besteffort/podUID/ID64\n",
        "0::/../../kubepods-besteffort-podU_D.slice/docker-ID64.scope\n",
        "12:cpuset:/\n11:memory:/kubepods/burstable/podUID/ID64\n1:name=systemd:/kubepods\n",
        "4:memory:/system.slice/containerd.service/kubepods-burstable-podU_D.slice:"
        "cri-containerd:ID64\n",
        // A cluster within a container.
        "0::/docker/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff/kubelet/"
        "kubepods/podUID/ID64\n",
        "0::/kubepods/burstable/podUID/ID64/init.scope\n"}) {
    const ContainerIds ids = ReadCgroups(With(text));
    EXPECT_EQ(ids.pod_uid, kUid) << text;
    EXPECT_EQ(ids.container, kId) << text;
  }
}

TEST(CgroupTest, AStaticPodsUidHasNoDashes) {
  const ContainerIds ids =
      ReadCgroups(With("0::/kubepods/burstable/pod00112233445566778899aabbccddeeff/ID64\n"));
  EXPECT_EQ(ids.pod_uid, "00112233445566778899aabbccddeeff");
  EXPECT_EQ(ids.container, kId);
}

TEST(CgroupTest, WhatIsNoPodHasNone) {
  for (const char* const text :
       {"", "\n", ":", "0::/", "0::/user.slice/user-1000.slice/session-3.scope\n",
        "0::/machine.slice/libpod-ID64.scope\n", "0::/podium/pod\n", "0::/docker/ID64\n",
        "0::/pod0b1c2d3e-4f50-6172-8394\n", "0::/kubepods.slice/kubepods-pod.slice\n"}) {
    EXPECT_EQ(ReadCgroups(With(text)).pod_uid, "") << text;
  }
  EXPECT_EQ(ReadCgroups(With("0::/docker/ID64\n")).container, kId);
}

}  // namespace
}  // namespace gpumon::exporter
