#include "internal/checks/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/process/wait.h"

namespace gpumon::checks {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(SocketsTest, OnlyListenersAreRead) {
  Listeners listeners;
  ReadListeners(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 11 1 0\n"
      "   1: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12 1 0\n"
      "   2: 0100007F:1F92 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000 0 13 1 "
      "0\n",
      listeners);
  ReadListeners(
      "   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 14 1 0\n",
      listeners);
  EXPECT_THAT(listeners,
              ElementsAre(Pair(3000, ElementsAre(14U)), Pair(8081, ElementsAre(11U, 12U))));
}

TEST(SocketsTest, LinesThatAreNoneArePassedOver) {
  Listeners listeners;
  for (const std::string_view text :
       {"", "x\n", "0: 1 2 0A 4 5 6 7 8 9\n", "0: a:ZZZZ b 0A 4 5 6 7 8 9\n",
        "0: a:1F91 b 0A 4 5 6 7 8 -9\n", "0: a:FFFFF b 0A 4 5 6 7 8 9\n"}) {
    ReadListeners(text, listeners);
  }
  EXPECT_TRUE(listeners.empty());
}

TEST(SocketsTest, OwnersAreFoundByTheirDescriptors) {
  namespace fs = std::filesystem;
  const process::ScratchDirectory proc;
  fs::create_directories(proc.File("12/fd"));
  fs::create_directories(proc.File("13"));
  fs::create_directories(proc.File("net"));
  proc.Write("12/comm", "python3\n");
  fs::create_symlink("socket:[77]", proc.File("12/fd/3"));
  fs::create_symlink("/dev/null", proc.File("12/fd/0"));
  fs::create_symlink("socket:[x]", proc.File("12/fd/4"));
  const SystemClock clock;
  const auto owners =
      OwnersOf(proc.path(), {77, 78}, clock, Deadline::After(clock, Millis(20'000)));
  EXPECT_THAT(owners, ElementsAre(Pair(77U, "python3 (pid 12)")));
  EXPECT_TRUE(OwnersOf("/no/such/folder", {77}, clock, Deadline::After(clock, Millis(1))).empty());
}

}  // namespace
}  // namespace gpumon::checks
