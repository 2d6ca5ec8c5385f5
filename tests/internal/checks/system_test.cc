#include "internal/checks/system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/process/wait.h"
#include "tests/internal/checks/fixture.h"

namespace gpumon::checks {
namespace {

using testing::ElementsAre;

TEST(ResourcesTest, MemoryIsWhatIsNotAvailable) {
  EXPECT_EQ(MemoryUse("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\n"), 75.0);
  EXPECT_EQ(MemoryUse("MemFree: 1 kB\nMemAvailable: 0 kB\nMemTotal: 8 kB\n"), 100.0);
}

TEST(ResourcesTest, MemoryThatIsNotToldIsNotKnown) {
  for (const std::string_view text :
       {"", "MemTotal: 1000 kB\n", "MemAvailable: 1 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: x kB\nMemAvailable: y kB\n", "xMemTotal: 10 kB\nMemAvailable: 1 kB\n"}) {
    EXPECT_EQ(MemoryUse(text), std::nullopt) << text;
  }
}

TEST(ResourcesTest, DisksAreWhatHasADeviceEachOnce) {
  const process::ScratchDirectory folder;
  const std::string file = folder.Write("hosts", "x");
  EXPECT_THAT(DiskMounts("overlay / overlay rw 0 0\n"
                         "proc /proc proc rw 0 0\n"
                         "tmpfs /dev/shm tmpfs rw 0 0\n"
                         "/dev/sda1 /data ext4 rw 0 0\n"
                         "/dev/sda1 /data/again ext4 rw 0 0\n"
                         "/dev/sdb1 /with\\040blank xfs rw 0 0\n"
                         "/dev/loop3 /snap/core squashfs ro 0 0\n"
                         "/dev/sdc1 " +
                         file +
                         " ext4 rw 0 0\n"
                         "nas:/home /home nfs rw 0 0\n"
                         "short\n"),
              ElementsAre("/", "/data", "/with blank"));
}

TEST(ResourcesTest, MoreThanNinetyPercentIsDegraded) {
  const Outcome well = JudgeResources(45.25, {{"/", 90.0}});
  EXPECT_EQ(well.status, Status::kHealthy);
  EXPECT_EQ(well.details, "Memory 45.2%, Disk / 90.0%");
  EXPECT_EQ(well.error, "");
  const Outcome full = JudgeResources(45.25, {{"/", 50.0}, {"/data", 90.5}});
  EXPECT_EQ(full.status, Status::kDegraded);
  EXPECT_EQ(full.details, "Memory 45.2%, Disk / 50.0%, Disk /data 90.5%");
  EXPECT_EQ(full.error, "System Resources: more than 90% is used: Disk /data 90.5%");
  EXPECT_EQ(JudgeResources(91.0, {}).status, Status::kDegraded);
}

TEST(ResourcesTest, NothingKnownIsUnknown) {
  EXPECT_EQ(JudgeResources(std::nullopt, {}).status, Status::kUnknown);
  EXPECT_EQ(JudgeResources(std::nullopt, {{"/", 1.0}}).status, Status::kHealthy);
}

TEST(ResourcesTest, ThisMachineHasMemoryAndADisk) {
  const Outcome outcome = Ask(ResourcesProbe());
  EXPECT_NE(outcome.status, Status::kUnknown);
  EXPECT_NE(outcome.details.find("Memory "), std::string::npos) << outcome.details;
  EXPECT_NE(outcome.details.find("Disk /"), std::string::npos) << outcome.details;
}

TEST(ConfigFilesTest, OneMissingFileIsDegradedMoreAreUnhealthy) {
  const process::ScratchDirectory folder;
  const std::vector<std::string> files = {"manager.toml", "agent.toml", "storage-proxy.toml"};
  for (const std::string& name : files) folder.Write(name, "x");
  const Probe probe = ConfigFilesProbe(folder.path(), files);
  EXPECT_EQ(Ask(probe).details, "All 3 configuration files found");
  EXPECT_EQ(Ask(probe).status, Status::kHealthy);
  std::filesystem::remove(folder.File("agent.toml"));
  EXPECT_EQ(Ask(probe).status, Status::kDegraded);
  EXPECT_EQ(Ask(probe).details, "Missing: agent.toml");
  std::filesystem::remove(folder.File("manager.toml"));
  std::filesystem::create_directory(folder.File("manager.toml"));
  const Outcome outcome = Ask(probe);
  EXPECT_EQ(outcome.status, Status::kUnhealthy) << "a folder is no file";
  EXPECT_EQ(outcome.details, "Missing: manager.toml, agent.toml");
  EXPECT_NE(outcome.hint.find("--config-dir"), std::string::npos);
  EXPECT_EQ(outcome.steps.size(), 3U);
}

}  // namespace
}  // namespace gpumon::checks
