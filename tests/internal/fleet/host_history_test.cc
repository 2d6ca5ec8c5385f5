#include "internal/fleet/host_history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace gpumon::fleet {
namespace {

using models::NodeQuantity;

struct FakeHost {
  std::string name;
  std::optional<double> cpu;
  bool has_gpus = true;
};

models::Snapshot Hosts(const std::vector<FakeHost>& hosts) {
  models::Snapshot snapshot;
  snapshot.part = models::Part::kNodes;
  for (const FakeHost& host : hosts) {
    models::Node& node = snapshot.nodes.emplace_back();
    node.name = snapshot.arena.Keep(host.name);
    node.has_gpus = host.has_gpus;
    if (host.cpu) node.readings.Set(static_cast<std::size_t>(NodeQuantity::kCpu), *host.cpu);
  }
  return snapshot;
}

std::string Text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    text += (text.empty() ? "" : " ") +
            (std::isnan(number) ? std::string("null") : std::to_string(std::lround(number)));
  }
  return text;
}

std::vector<HistoryLine> Lines(HistoryBy by, const std::vector<std::vector<FakeHost>>& instants) {
  HostHistory history(by, NodeQuantity::kCpu, instants.size(),
                      [](std::string_view node) { return node != "hidden"; });
  for (std::size_t i = 0; i < instants.size(); ++i) history.Add(i, Hosts(instants[i]));
  return history.Finish();
}

TEST(HostHistoryTest, GapsStayGaps) {
  const auto lines = Lines(HistoryBy::kNode, {{{"a", 10}}, {}, {{"a", {}}}, {{"a", 30}}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].node, "a");
  EXPECT_EQ(Text(lines[0].mean), "10 null null 30");
  EXPECT_EQ(Text(lines[0].known), "1 0 0 1");
  EXPECT_EQ(Text(lines[0].least), "null null null null");
}

TEST(HostHistoryTest, OnlyMachinesThatEverHadGpusCount) {
  const auto lines = Lines(HistoryBy::kFleet, {{{"a", 10}, {"b", 90, false}, {"c", 30, false}},
                                               {{"a", 20}, {"b", 90, false}, {"c", 40, true}}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0].mean), "20 30");
  EXPECT_EQ(Text(lines[0].sum), "40 60");
  EXPECT_EQ(Text(lines[0].known), "2 2");
}

TEST(HostHistoryTest, WhatIsNotAskedForAndWhatHasNoValueIsNoLine) {
  EXPECT_TRUE(Lines(HistoryBy::kNode, {{{"hidden", 10}, {"a", {}}}}).empty());
  EXPECT_TRUE(Lines(HistoryBy::kFleet, {{{"hidden", 10}, {"a", {}}}}).empty());
}

}  // namespace
}  // namespace gpumon::fleet
