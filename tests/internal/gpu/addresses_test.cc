#include "internal/gpu/addresses.h"

#include <gtest/gtest.h>

#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

TEST(AddressesTest, APortIsNoPartOfAnAddress) {
  EXPECT_EQ(Addresses::HostOf("10.0.0.7:9400"), "10.0.0.7");
  EXPECT_EQ(Addresses::HostOf("10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(Addresses::HostOf("[fd00::7]:9400"), "fd00::7");
  EXPECT_EQ(Addresses::HostOf("fd00::7"), "fd00::7");
  EXPECT_EQ(Addresses::HostOf("[fd00::7"), "[fd00::7");
  EXPECT_EQ(Addresses::HostOf(""), "");
}

TEST(AddressesTest, NodesAreFoundByTheirOwnAndTheirPodsAddresses) {
  Addresses addresses;
  EXPECT_TRUE(addresses.empty());
  addresses.Add(prom::MakeInstantVector(
      {{{{"internal_ip", "10.0.0.7"}, {"node", "n7"}}, 1},
       {{{"host_ip", "10.0.0.7"}, {"node", "n7"}, {"pod", "x"}, {"pod_ip", "10.244.0.1"}}, 1},
       {{{"internal_ip", "fd00::7"}, {"node", "n7"}}, 1},
       {{{"exported_node", "n8"}, {"node", "where-ksm-runs"}, {"pod_ip", "10.244.0.2"}}, 1},
       // Pods in the host's network share its address.
       {{{"node", "n7"}, {"pod", "y"}, {"pod_ip", "10.0.0.7"}}, 1},
       {{{"node", ""}, {"pod_ip", "10.244.0.9"}}, 1}}));
  EXPECT_EQ(addresses.NodeAt("10.0.0.7:9400"), "n7");
  EXPECT_EQ(addresses.NodeAt("10.244.0.1:9400"), "n7");
  EXPECT_EQ(addresses.NodeAt("[fd00::7]:9400"), "n7");
  EXPECT_EQ(addresses.NodeAt("10.244.0.2:9400"), "n8");
  EXPECT_EQ(addresses.NodeAt("10.244.0.9:9400"), "");
  EXPECT_EQ(addresses.NodeAt("10.9.9.9:9400"), "");
}

TEST(AddressesTest, AnAddressThatTwoNodesClaimIsNobodys) {
  Addresses addresses;
  addresses.Add(prom::MakeInstantVector({{{{"node", "a"}, {"pod_ip", "10.244.0.1"}}, 1},
                                         {{{"node", "b"}, {"pod_ip", "10.244.0.1"}}, 1}}));
  EXPECT_EQ(addresses.NodeAt("10.244.0.1:9400"), "");
}

}  // namespace
}  // namespace gpumon::gpu
