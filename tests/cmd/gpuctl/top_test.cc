// What gpuctl top shows, and what keys do.
#include "cmd/gpuctl/top.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = TopKey::Kind;

const WallTime kNow = *ParseTime("2026-11-29T08:00:05Z");
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

TopFleet ThreeGpus() {
  TopFleet fleet;
  fleet.server = "http://gpu.example";
  fleet.as_of = *ParseTime("2026-11-29T08:00:00Z");
  fleet.gpus = 3;
  fleet.busy = 2;
  fleet.idle = 0;
  fleet.free = 1;
  fleet.unhealthy = 0;
  fleet.utilization = 49;
  fleet.power = 781;
  fleet.temperature = 88;
  fleet.users = 2;
  fleet.memory_used = 60 * kGiB;
  fleet.memory_total = 240 * kGiB;
  fleet.all_gpus = {{"gpu-node-1", "0", "A100", "nlp/bert-0", 46, 79.5, 54, 207},
                    {"gpu-node-1", "1", "A100", "", 99, {}, 88, {}},
                    {"機械-2", "0", "H100", "ml\x1b[2Jx/y", {}, 0, 33, 574}};
  TopNode one{.name = "gpu-node-1", .status = "online", .level = "healthy"};
  one.gpus = 2;
  one.utilization = 72.5;
  TopNode two{.name = "機械-2", .status = "offline", .level = "unknown"};
  two.gpus = 1;
  fleet.all_nodes = {one, two};
  return fleet;
}

std::string TextOf(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    const std::size_t end = line.find_last_not_of(' ');
    text += line.substr(0, end == std::string::npos ? 0 : end + 1) + '\n';
  }
  return text;
}

std::string Shot(const TopFleet& fleet, const TopView& view, TopSize size = {80, 12}) {
  return TextOf(Frame(fleet, view, size, kNow, false));
}

TopView After(const TopFleet& fleet, const std::vector<TopKey>& keys, TopView view = {}) {
  for (const TopKey& key : keys) EXPECT_TRUE(Press(key, fleet, {80, 24}, view));
  return view;
}
TopKey Character(std::string text) {
  return {Kind::kCharacter, std::move(text)};
}
std::vector<std::string> KeysOf(const TopFleet& fleet, const TopView& view) {
  std::vector<std::string> keys;
  for (const TopRow& row : RowsOf(fleet, view)) keys.push_back(row.key);
  return keys;
}

TEST(TopTest, AScreenOf80ColumnsShowsTheFleetAndItsGpus) {
  EXPECT_EQ(Shot(ThreeGpus(), {}),
            R"(gpuctl top  http://gpu.example  as of 2026-11-29T08:00:00Z, 5s ago
GPUs 3: 2 busy, 0 held idle, 1 free, 0 unhealthy, - unknown
Util [||||||||||||||              49%]  Mem [|||||                60/240 GiB]
Power 781 W  Hottest 88 C  Users 2  Pods running -, pending -

 NODE           GPU UTIL           MEMORY         TEMP-C POWER-W PODS
>gpu-node-1     0   [||||     46%] [|||||||  80%]     54     207 nlp/bert-0
 gpu-node-1     1   [|||||||||99%] [           -]     88       -
 機械-2         0   [           -] [          0%]     33     574 ml?[2Jx/y


 1/3                         ?:help n:nodes umtp:sort /:filter Enter:node q:quit
)");
}

TEST(TopTest, AListOfNodesIsAKeyAway) {
  const TopFleet fleet = ThreeGpus();
  EXPECT_EQ(Shot(fleet, After(fleet, {Character("n")})),
            R"(gpuctl top  http://gpu.example  as of 2026-11-29T08:00:00Z, 5s ago
GPUs 3: 2 busy, 0 held idle, 1 free, 0 unhealthy, - unknown
Util [||||||||||||||              49%]  Mem [|||||                60/240 GiB]
Power 781 W  Hottest 88 C  Users 2  Pods running -, pending -

 NODE               STATUS  GPUS BUSY FREE BAD UTIL         MEMORY       POWER-W
>gpu-node-1         online     2    -    -   - [|||||  72%] [         -]       -
 機械-2             offline    1    -    -   - [         -] [         -]       -



 1/2                         ?:help n:nodes umtp:sort /:filter Enter:node q:quit
)");
}

TEST(TopTest, TheSmallestScreenStillNamesTheNode) {
  const TopFleet fleet = ThreeGpus();
  EXPECT_THAT(Shot(fleet, {}, {40, 10}), HasSubstr("\n NODE          GPU UTIL           TEMP-C\n"
                                                   ">gpu-node-1    0   [||||     46%]     54\n"));
  EXPECT_THAT(Shot(fleet, After(fleet, {Character("n")}), {40, 10}),
              HasSubstr("\n NODE          STATUS  GPUS UTIL\n"
                        ">gpu-node-1    online     2 [|||||  72%]\n"));
  for (std::size_t columns = 40; columns <= 300; ++columns) {
    for (const std::string keys : {"", "n"}) {
      TopView view;
      if (!keys.empty()) view = After(fleet, {Character(keys)});
      EXPECT_THAT(Shot(fleet, view, {columns, 10}), HasSubstr("\n>gpu-node")) << columns;
    }
  }
}

TEST(TopTest, OnAWideScreenTheMetersAreWide) {
  const TopFleet fleet = ThreeGpus();
  EXPECT_THAT(Shot(fleet, After(fleet, {Character("n")}), {200, 12}),
              HasSubstr("\n>gpu-node-1" + std::string(31, ' ') + "online "));
  EXPECT_THAT(Shot(fleet, After(fleet, {Character("n")}), {200, 12}),
              HasSubstr("[" + std::string(33, '|')));
}

TEST(TopTest, EveryFrameFillsItsScreenAndNoMore) {
  const TopFleet fleet = ThreeGpus();
  for (const TopSize size : {TopSize{80, 24}, TopSize{200, 60}, TopSize{40, 10}, TopSize{10, 3}}) {
    for (const std::string keys : {"", "n", "?", "/"}) {
      TopView view;
      if (!keys.empty()) view = After(fleet, {Character(keys)});
      const auto lines = Frame(fleet, view, size, kNow, false);
      EXPECT_EQ(lines.size(), size.rows);
      for (const std::string& line : lines) {
        EXPECT_LE(checks::DisplayWidth(line), size.columns) << line;
      }
      EXPECT_THAT(lines, Each(Not(HasSubstr("\x1b"))));
    }
  }
}

TEST(TopTest, ColoursOnlyPaint) {
  const TopFleet fleet = ThreeGpus();
  std::string painted = TextOf(Frame(fleet, {}, {80, 12}, kNow, true));
  EXPECT_THAT(painted, HasSubstr("\x1b[7m"));
  for (const std::string sequence : {"\x1b[0m", "\x1b[1m", "\x1b[7m", "\x1b[1;31m"}) {
    for (auto at = painted.find(sequence); at != std::string::npos; at = painted.find(sequence)) {
      painted.erase(at, sequence.size());
    }
  }
  EXPECT_THAT(painted, Not(HasSubstr("\x1b")));
}

TEST(TopTest, WhatIsWrongWithTheNumbersIsABanner) {
  TopFleet fleet = ThreeGpus();
  fleet.partial = true;
  EXPECT_THAT(Shot(fleet, {}), HasSubstr("\nPARTIAL: "));
  fleet.stale = true;
  EXPECT_THAT(Shot(fleet, {}), HasSubstr("\nSTALE: "));
  fleet.away = "the connection was refused";
  EXPECT_THAT(Shot(fleet, {}),
              AllOf(HasSubstr("\nAWAY: the connection was refused\n"), HasSubstr("gpu-node-1")));
}

TEST(TopTest, KeysSortWithTheUnknownLast) {
  const TopFleet fleet = ThreeGpus();
  EXPECT_THAT(KeysOf(fleet, After(fleet, {Character("u")})),
              ElementsAre("gpu-node-1/1", "gpu-node-1/0", "機械-2/0"));
  EXPECT_THAT(KeysOf(fleet, After(fleet, {Character("m")})),
              ElementsAre("gpu-node-1/0", "機械-2/0", "gpu-node-1/1"));
  EXPECT_THAT(KeysOf(fleet, After(fleet, {Character("p")})),
              ElementsAre("機械-2/0", "gpu-node-1/0", "gpu-node-1/1"));
  EXPECT_THAT(KeysOf(fleet, After(fleet, {Character("t"), Character("s")})),
              ElementsAre("gpu-node-1/0", "gpu-node-1/1", "機械-2/0"));
}

TEST(TopTest, AFilterIsTypedAndKeptOrNot) {
  const TopFleet fleet = ThreeGpus();
  TopView view = After(fleet, {Character("/"),
                               Character("B"),
                               Character("機"),
                               {Kind::kBackspace},
                               Character("q"),
                               {Kind::kBackspace},
                               Character("e")});
  EXPECT_EQ(view.filter, "Be");
  EXPECT_THAT(Shot(fleet, view), HasSubstr("\n/Be_\n"));
  EXPECT_EQ(After(fleet, {{Kind::kEscape}}, view).filter, "");
  view = After(fleet, {{Kind::kEnter}}, view);
  EXPECT_THAT(KeysOf(fleet, view), ElementsAre("gpu-node-1/0"));
  EXPECT_EQ(After(fleet, {{Kind::kEscape}}, view).filter, "");
  EXPECT_FALSE(Press(Character("q"), fleet, {}, view));
}

TEST(TopTest, EnterGoesIntoANodeAndEscapeOutOfIt) {
  const TopFleet fleet = ThreeGpus();
  TopView view = After(fleet, {Character("n"), {Kind::kDown}, {Kind::kEnter}});
  EXPECT_THAT(KeysOf(fleet, view), ElementsAre("機械-2/0"));
  view = After(fleet, {Character("q")}, view);
  EXPECT_THAT(KeysOf(fleet, view), ElementsAre("gpu-node-1", "機械-2"));
  EXPECT_EQ(view.selected, "機械-2");
  EXPECT_FALSE(Press(Character("q"), fleet, {}, view));
  EXPECT_FALSE(Press({Kind::kInterrupt}, fleet, {}, view));
}

TEST(TopTest, ANewOrderIsShownFromItsBeginAndTheLastPageIsFull) {
  TopFleet fleet;
  for (int i = 0; i < 100; ++i) fleet.all_gpus.push_back({"n", std::to_string(i)});
  const TopView end = After(fleet, {{Kind::kEnd}});
  const std::string shot = Shot(fleet, end);
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = shot.find('\n', at)) != std::string::npos; ++at) {
    const std::string_view line = std::string_view(shot).substr(at + 1);
    if (line.starts_with(" n ") || line.starts_with(">n ")) ++rows;
  }
  EXPECT_EQ(rows, ListLines({80, 12})) << shot;
  EXPECT_THAT(Shot(fleet, After(fleet, {Character("u")}, end)), HasSubstr("\n 1/100"));
  EXPECT_THAT(Shot(fleet, After(fleet, {Character("u"), {Kind::kEnd}, Character("s")}, end)),
              HasSubstr("\n 1/100"));
}

TEST(TopTest, TheSelectedRowIsAlwaysShown) {
  TopFleet fleet;
  for (int i = 0; i < 10'000; ++i) fleet.all_gpus.push_back({"n", std::to_string(i)});
  TopView view = After(fleet, {{Kind::kEnd}});
  EXPECT_THAT(Shot(fleet, view), AllOf(HasSubstr("\n>n "), HasSubstr("\n 10000/10000")));
  view = After(fleet, {{Kind::kPageUp}, {Kind::kUp}}, view);
  EXPECT_EQ(view.selected, "n/9981");
  EXPECT_THAT(Shot(fleet, view), HasSubstr("\n 9982/10000"));
  // It stays on its row when that moves, and begins anew when it is gone.
  fleet.all_gpus.erase(fleet.all_gpus.begin(), fleet.all_gpus.begin() + 5000);
  EXPECT_THAT(Shot(fleet, view), HasSubstr("\n 4982/5000"));
  fleet.all_gpus.resize(10);
  EXPECT_THAT(Shot(fleet, view), HasSubstr("\n 1/10"));
}

TEST(TopTest, KeysAreTakenAsTerminalsSendThem) {
  std::string bytes = "a\x1b[A\x1bOB\x1b[5~\x1b[1;5C\r\x7f機\x03\x1b";
  const auto keys = TakeKeys(bytes, false);
  std::vector<Kind> kinds;
  for (const TopKey& key : keys) kinds.push_back(key.kind);
  EXPECT_THAT(kinds,
              ElementsAre(Kind::kCharacter, Kind::kUp, Kind::kDown, Kind::kPageUp, Kind::kEnter,
                          Kind::kBackspace, Kind::kCharacter, Kind::kInterrupt));
  EXPECT_EQ(bytes, "\x1b");
  const auto rest = TakeKeys(bytes, true);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].kind, Kind::kEscape);
  EXPECT_EQ(bytes, "");
}

TEST(TopTest, ATerminalThatIsTooSmallIsTold) {
  EXPECT_THAT(Shot(ThreeGpus(), {}, {39, 24}), StartsWith("gpuctl top needs 40x10\n"));
}

}  // namespace
}  // namespace gpumon::ctl
