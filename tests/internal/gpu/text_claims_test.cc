#include "internal/gpu/text_claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

using models::GpuProcess;
using models::ProcessQuantity;
using models::Text;
using prom::FakeSample;
using prom::Labels;

constexpr double kAsOf = 1000;

// A process's series of an exporter's target, and when it was sampled; kAsOf + 1: nobody knows.
struct Said {
  std::string instance;
  Labels texts;
  double at;
};

class TextClaimsTest : public testing::Test {
 protected:
  static Labels LabelsOf(const Said& said) {
    Labels labels = {
        {"gpu", "0"}, {"instance", said.instance}, {"job", "gpu"}, {"node", "a"}, {"pid", "7"}};
    labels.insert(labels.end(), said.texts.begin(), said.texts.end());
    std::sort(labels.begin(), labels.end());
    return labels;
  }
  // `apart`: each series in a vector of its own, in this order.
  static GpuProcess JoinOf(const std::vector<Said>& all, bool apart,
                           std::shared_ptr<models::Snapshot>& snapshot) {
    OneJoin<GpuProcess> join(NvidiaGpu(), kAsOf);
    std::vector<FakeSample> samples;
    std::vector<FakeSample> times;
    for (const Said& said : all) {
      samples.push_back({LabelsOf(said), said.at});
      if (said.at <= kAsOf) times.push_back({LabelsOf(said), said.at});
    }
    const auto slot = static_cast<std::size_t>(ProcessQuantity::kGpuMemory);
    if (apart) {
      for (const auto& sample : samples) join.Add(prom::MakeInstantVector({sample}), slot);
    } else {
      join.Add(prom::MakeInstantVector(samples), slot);
    }
    join.AddTimes(prom::MakeInstantVector(times));
    snapshot = join->Finish(CommandStyle::kFull);
    EXPECT_EQ(snapshot->processes.size(), 1U);
    return snapshot->processes.at(0);
  }
  // Whatever the order in which they come.
  static void Expect(std::vector<Said> all,
                     const std::vector<std::pair<Text, std::string>>& texts) {
    std::mt19937 random(11);
    for (int round = 0; round < 40; ++round) {
      std::shuffle(all.begin(), all.end(), random);
      std::shared_ptr<models::Snapshot> snapshot;
      const GpuProcess row = JoinOf(all, round % 2 == 1, snapshot);
      for (const auto& [which, text] : texts) {
        ASSERT_EQ(row.text(which), text) << static_cast<int>(which) << " in round " << round;
      }
    }
  }
};

TEST_F(TextClaimsTest, UserAndCommandAreOfOneSeriesAndTheNewest) {
  Expect({{"old", {{"command", "a.py"}, {"user", "alice"}}, 960},
          {"new", {{"command", "z.py"}, {"user", "bob"}}, 990}},
         {{Text::kUser, "bob"}, {Text::kCommand, "z.py"}});
  Expect({{"old", {{"command", "z.py"}, {"user", "alice"}}, 960},
          {"new", {{"command", "a.py"}, {"user", "bob"}}, 990}},
         {{Text::kUser, "bob"}, {Text::kCommand, "a.py"}});
}

TEST_F(TextClaimsTest, OneTargetMayHaveBothInItsPast) {
  Expect({{"same", {{"command", "a.py"}, {"user", "alice"}}, 960},
          {"same", {{"command", "z.py"}, {"user", "bob"}}, 990}},
         {{Text::kUser, "bob"}, {Text::kCommand, "z.py"}});
}

TEST_F(TextClaimsTest, WhatTheNewestDoesNotSayIsOfTheNextOne) {
  Expect({{"oldest", {{"command", "a.py"}, {"user", "alice"}}, 900},
          {"old", {{"command", "m.py"}, {"user", "zoe"}}, 960},
          {"new", {{"command", "z.py"}}, 990}},
         {{Text::kUser, "zoe"}, {Text::kCommand, "z.py"}});
}

TEST_F(TextClaimsTest, OfEquallyNewOnesTheSmallestCounts) {
  for (const double at : {990.0, kAsOf + 1}) {
    Expect({{"one", {{"command", "b.py"}, {"user", "bob"}}, at},
            {"other", {{"command", "a.py"}, {"user", "zoe"}}, at}},
           {{Text::kUser, "bob"}, {Text::kCommand, "a.py"}});
  }
}

TEST_F(TextClaimsTest, NamespaceAndContainerAreThoseOfTheNewestPod) {
  Expect({{"old",
           {{"exported_container", "c"}, {"exported_namespace", "n"}, {"exported_pod", "a-0"}},
           960},
          {"new", {{"exported_pod", "z-1"}}, 990}},
         {{Text::kPod, "z-1"}, {Text::kNamespace, ""}, {Text::kContainer, ""}});
}

}  // namespace
}  // namespace gpumon::gpu
