// How well machines are, and since when something has been the matter.
#include "internal/fleet/host_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "internal/fleet/finding_ages.h"

namespace gpumon::fleet {
namespace {

using models::NodeQuantity;
using testing::ElementsAre;
using testing::IsEmpty;

class HostHealthTest : public testing::Test {
 protected:
  void Set(NodeQuantity quantity, double value) {
    node.readings.Set(static_cast<std::size_t>(quantity), value);
  }
  std::vector<std::string> Found(Level level) const {
    const HostHealth host = AssessHost(node, targets, disks, has_rows, rules);
    EXPECT_EQ(NameOf(host.level), NameOf(level));
    std::vector<std::string> texts;
    for (const auto& finding : host.findings) {
      EXPECT_EQ(finding.component, "host");
      EXPECT_EQ(finding.factor, 1);
      texts.push_back(std::string(NameOf(finding.severity)) + ' ' + finding.text);
    }
    return texts;
  }

  HealthRules rules;
  models::Node node;
  std::vector<models::NodeTarget> targets = {
      {"dcgm", "gpu", "h:9400", models::TargetState::kUp, true, 1}};
  std::vector<models::Disk> disks;
  bool has_rows = true;
};

TEST_F(HostHealthTest, AMachineThatServesIsWell) {
  EXPECT_THAT(Found(Level::kUnknown), IsEmpty()) << "its exporter tells of its GPUs alone";
  disks = {{"/", "/dev/sda1", "ext4", 100, 50}};
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty());
  disks.clear();
  Set(NodeQuantity::kMemoryUsedPercent, 50);
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty());
  Set(NodeQuantity::kReady, 1);
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty());
}

TEST_F(HostHealthTest, OneThatIsOfflineIsCritical) {
  Set(NodeQuantity::kReady, 0);
  EXPECT_THAT(Found(Level::kCritical), ElementsAre("critical offline: not ready in Kubernetes"));
  Set(NodeQuantity::kReady, 1);
  targets[0].state = models::TargetState::kDown;
  has_rows = false;
  EXPECT_THAT(Found(Level::kCritical), ElementsAre("critical offline: its exporters are down"));
}

TEST_F(HostHealthTest, ShortOfMemoryOrDiskItIsDegraded) {
  Set(NodeQuantity::kMemoryTotal, 100);
  Set(NodeQuantity::kMemoryAvailable, 5);
  disks = {{"/", "/dev/sda1", "ext4", 100, 5}, {"/data", "/dev/sdb1", "xfs", 0, 0}};
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty()) << "95 is not above 95";
  Set(NodeQuantity::kMemoryAvailable, 4.9);
  disks[0].available = 4.9;
  EXPECT_THAT(Found(Level::kDegraded), ElementsAre("warning 95.1 % of its memory used, above 95",
                                                   "warning 95.1 % of / used, above 95"));
  rules = *ParseHealthRules("host_memory_warning=96, host_disk_warning=96");
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty());
}

TEST_F(HostHealthTest, WithoutNodeExporterAnExporterSaysHowMuchMemoryIsUsed) {
  Set(NodeQuantity::kMemoryUsedPercent, 97);
  EXPECT_EQ(Found(Level::kDegraded).size(), 1U);
}

TEST_F(HostHealthTest, GpusThatKubernetesGivesToNobodyAreFound) {
  Set(NodeQuantity::kReady, 1);
  Set(NodeQuantity::kGpusCapacity, 8);
  Set(NodeQuantity::kGpusAllocatable, 8);
  EXPECT_THAT(Found(Level::kHealthy), IsEmpty());
  Set(NodeQuantity::kGpusAllocatable, 7);
  EXPECT_THAT(Found(Level::kDegraded),
              ElementsAre("warning Kubernetes can give pods 7 of its 8 GPUs"));
}

using Since = std::vector<std::optional<double>>;

class FindingAgesTest : public testing::Test {
 protected:
  // Of one GPU that has `findings`.
  Since Look(double as_of, const std::vector<HealthFinding>& findings) {
    const FindingAges::Found found{"a", &findings};
    began_ = ages.Look(as_of, std::span(&found, 1)).at(0);
    Since since;
    for (const Began& began : began_) since.push_back(began.at);
    return since;
  }

  std::vector<Began> began_;

  FindingAges ages;
  const HealthFinding hot{Severity::kCritical, "temperature", "90", 0.5, Action::kNone};
  const HealthFinding warm{Severity::kWarning, "temperature", "80", 0.8, Action::kNone};
  const HealthFinding xid{Severity::kCritical, "xid", "79", 0.5, Action::kReboot};
};

TEST_F(FindingAgesTest, WhatBeganWhileNobodyLookedBeganNobodyKnowsWhen) {
  const SteadyTime now{};
  Look(1000, {});
  FindingAges none;
  ages.Learn(none);
  EXPECT_FALSE(ages.WantsPast(now));
  EXPECT_EQ(Look(1060, {hot}), Since{1060});
  EXPECT_EQ(Look(1200, {hot, xid}), (Since{1060, std::nullopt}));
  EXPECT_TRUE(ages.WantsPast(now + std::chrono::minutes(2))) << "the past may tell";
}

TEST_F(FindingAgesTest, AWalkThroughThePastTellsWhatBeganInIt) {
  const SteadyTime now{};
  EXPECT_FALSE(ages.WantsPast(now)) << "there was no look";
  EXPECT_EQ(Look(1000, {hot, xid}), (Since{std::nullopt, std::nullopt}));
  EXPECT_TRUE(ages.WantsPast(now));
  EXPECT_FALSE(ages.WantsPast(now + std::chrono::seconds(59)));
  EXPECT_TRUE(ages.WantsPast(now + std::chrono::seconds(61))) << "it failed";
  FindingAges past(FindingAges::Looks::kAreAll);
  const auto look = [&past](double as_of, const std::vector<HealthFinding>& findings) {
    const FindingAges::Found found{"a", &findings};
    past.Look(as_of, std::span(&found, 1));
  };
  look(700, {xid});
  look(800, {xid, hot});
  look(900, {xid});
  look(950, {xid, hot});
  look(1000, {xid, hot});
  ages.Learn(past);
  EXPECT_FALSE(ages.WantsPast(now + std::chrono::hours(1)));
  EXPECT_EQ(Look(1000, {hot, xid}), (Since{950, 700}));
  EXPECT_EQ(Look(1010, {hot, xid}), (Since{950, 700}));
  EXPECT_EQ(began_, (std::vector<Began>{{950, false}, {700, true}})) << "then or before";
}

TEST_F(FindingAgesTest, WhatAGpuHasThatWasNotSeenBeforeBeganThenOrBefore) {
  FindingAges past(FindingAges::Looks::kAreAll);
  const std::vector<HealthFinding> none;
  const std::vector<HealthFinding> found = {hot};
  const auto look = [&](double as_of, const std::vector<FindingAges::Found>& all) {
    return past.Look(as_of, all).back();
  };
  look(100, {{"a", &none}});
  EXPECT_EQ(look(200, {{"a", &none}, {"b", &found}}), (std::vector<Began>{{200, true}}));
  EXPECT_EQ(look(300, {{"b", &found}, {"a", &found}}), (std::vector<Began>{{300, false}}));
  EXPECT_EQ(look(400, {{"a", &found}, {"b", &found}}), (std::vector<Began>{{200, true}}));
}

TEST_F(FindingAgesTest, WhatTheFirstLookSawBeganNobodyKnowsWhen) {
  EXPECT_EQ(Look(100, {hot}), Since{std::nullopt});
  EXPECT_EQ(Look(110, {hot, xid}), (Since{std::nullopt, 110}));
  EXPECT_EQ(Look(120, {xid, hot}), (Since{110, std::nullopt})) << "in any order";
}

TEST_F(FindingAgesTest, WhatWentAwayBeginsAnew) {
  Look(100, {});
  EXPECT_EQ(Look(110, {hot}), Since{110});
  EXPECT_EQ(Look(120, {warm}), Since{120}) << "of another severity";
  EXPECT_EQ(Look(130, {hot}), Since{130});
  EXPECT_EQ(Look(140, {}), Since{});
  EXPECT_EQ(Look(150, {hot}), Since{150});
}

TEST_F(FindingAgesTest, OfAGpuThatIsNotShownForAWhileItLasts) {
  Look(100, {});
  EXPECT_EQ(Look(110, {hot}), Since{110});
  EXPECT_EQ(ages.Look(120, {}).size(), 0U) << "its exporter is down";
  EXPECT_EQ(Look(130, {hot}), Since{110});
  ages.Look(140, {});
  ages.Look(4000, {});
  EXPECT_EQ(Look(4010, {hot}), Since{4010}) << "it was away for more than an hour";
}

TEST_F(FindingAgesTest, AnEarlierInstantChangesNothing) {
  Look(100, {});
  EXPECT_EQ(Look(110, {hot}), Since{110});
  EXPECT_EQ(Look(110, {hot, xid}), (Since{110, std::nullopt})) << "it was not looked for in order";
  EXPECT_EQ(Look(105, {hot}), Since{std::nullopt}) << "it had not begun";
  EXPECT_EQ(Look(105, {}), Since{});
  EXPECT_EQ(Look(120, {hot}), Since{110});
}

}  // namespace
}  // namespace gpumon::fleet
