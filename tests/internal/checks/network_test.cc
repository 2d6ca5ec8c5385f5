#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "internal/checks/system.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"
#include "tests/internal/checks/fixture.h"

namespace gpumon::checks {
namespace {

std::uint16_t PortOfUrl(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

std::string Said(const Outcome& outcome) {
  return std::string(NameOf(outcome.status)) + ": " + outcome.details;
}

class NetworkTest : public testing::Test {
 protected:
  Port Open(std::string name) const { return {std::move(name), "127.0.0.1", server_.port()}; }
  static Port Closed(std::string name) {
    return {std::move(name), "127.0.0.1", PortOfUrl(fault::RefusingUrl())};
  }

  fault::FaultServer server_;
};

TEST_F(NetworkTest, AllPortsMustTakeAConnection) {
  EXPECT_EQ(Said(Ask(NetworkProbe({Open("a"), Open("b")}))), "Healthy: 2/2 ports accessible");
}

TEST_F(NetworkTest, MoreThanHalfIsDegradedHalfIsNot) {
  const Port closed = Closed("Redis");
  EXPECT_EQ(Said(Ask(NetworkProbe({Open("a"), Open("b"), closed}))),
            "Degraded: 2/3 ports accessible; not " + std::to_string(closed.port) + " (Redis)");
  const Outcome half = Ask(NetworkProbe({Open("a"), closed}));
  EXPECT_EQ(half.status, Status::kUnhealthy);
  ASSERT_EQ(half.steps.size(), 2U);
  EXPECT_TRUE(half.steps[0].ends_with(": connected")) << half.steps[0];
  EXPECT_TRUE(half.steps[1].ends_with(": Connection refused")) << half.steps[1];
}

TEST_F(NetworkTest, APortThatNeverAnswersHoldsUpNoOther) {
  const fault::BlackHole hole;
  const Port silent{"Silent", "127.0.0.1", PortOfUrl(hole.url())};
  const Outcome outcome = Ask(NetworkProbe({silent, Open("b"), Open("c")}), 300);
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_TRUE(outcome.steps[0].find("No answer within") != std::string::npos) << outcome.steps[0];
  EXPECT_TRUE(outcome.steps[2].ends_with(": connected")) << outcome.steps[2];
}

TEST_F(NetworkTest, AHostThatIsNotThereIsOneClosedPort) {
  const Outcome outcome = Ask(NetworkProbe({{"x", "256.256.256.256.invalid", 80}, Open("b")}));
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "1/2 ports accessible; not 80 (x)");
}

TEST_F(NetworkTest, PortsThatAreBoundAreSaidWithTheirOwner) {
  const Outcome outcome = Ask(PortUsageProbe({Open("a")}));
  EXPECT_EQ(outcome.status, Status::kHealthy);
  const std::string port = std::to_string(server_.port());
  EXPECT_TRUE(outcome.details.starts_with("1/1 ports bound: " + port + " by ")) << outcome.details;
  EXPECT_NE(outcome.details.find("(pid " + std::to_string(getpid()) + ")"), std::string::npos)
      << outcome.details;
}

TEST_F(NetworkTest, TwoThirdsOfThePortsAreEnoughOneThirdIsDegraded) {
  const Port closed = Closed("Redis");
  EXPECT_EQ(Ask(PortUsageProbe({Open("a"), Open("b"), closed})).status, Status::kHealthy);
  EXPECT_EQ(Ask(PortUsageProbe({Open("a"), closed, closed})).status, Status::kDegraded);
  const Outcome none = Ask(PortUsageProbe({closed}));
  EXPECT_EQ(none.status, Status::kUnhealthy);
  const std::string named = std::to_string(closed.port) + " (Redis)";
  EXPECT_EQ(none.details, "0/1 ports bound; free: " + named);
  const std::vector<std::string> steps = {"read /proc/net/tcp", "read /proc/net/tcp6",
                                          "looked in /proc/PID/fd for 0 sockets, 0 found",
                                          named + " is not bound"};
  EXPECT_EQ(none.steps, steps);
}

TEST_F(NetworkTest, WhereTheKernelSaysNothingPortsAreUnknown) {
  const Outcome outcome = Ask(PortUsageProbe({Open("a")}, "/no/such/folder"));
  EXPECT_EQ(Said(outcome), "Unknown: /no/such/folder/net/tcp cannot be read");
  const std::vector<std::string> steps = {
      "read /no/such/folder/net/tcp: missing, or cannot be read"};
  EXPECT_EQ(outcome.steps, steps);
}

TEST_F(NetworkTest, AnOwnerThatMayNotBeSeenIsSaidToBeSo) {
  const process::ScratchDirectory folder;
  std::filesystem::create_directories(folder.File("net"));
  folder.Write("net/tcp",
               "  sl  local_address rem_address   st ...\n   0: 00000000:1F91 00000000:0000 0A "
               "00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n");
  EXPECT_EQ(Said(Ask(PortUsageProbe({{"Manager API", "127.0.0.1", 8081}}, folder.path()))),
            "Healthy: 1/1 ports bound: 8081 by a process of another user");
}

TEST(PortTest, ThisMachineIsLoopback) {
  EXPECT_TRUE(IsOnThisMachine({"", "127.0.0.1", 1}));
  EXPECT_TRUE(IsOnThisMachine({"", "localhost", 1}));
  EXPECT_TRUE(IsOnThisMachine({"", "::1", 1}));
  EXPECT_FALSE(IsOnThisMachine({"", "10.0.0.1", 1}));
}

}  // namespace
}  // namespace gpumon::checks
