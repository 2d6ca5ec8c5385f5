#include "internal/fleet/events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace gpumon::fleet {
namespace {

using models::Quantity;
using models::Text;
using Up = gpu::ActivityTarget::Up;

constexpr double kStart = 1000;
constexpr double kStep = 15;

// One GPU at one instant.
struct Reading {
  bool there = true;
  std::optional<double> xid = 0;
  std::optional<double> corrected = 0;
  std::optional<double> uncorrected = 0;
  std::optional<double> throttle = 0;
  std::optional<double> temperature = 50;
  std::string pod = {};
};

struct FakeTarget {
  std::vector<std::vector<Reading>> gpus;  // by instant
  std::vector<Up> up;                      // none: always
};

// "type begin..end id value", times in steps; `<` lasts since before, `?` has no end.
std::string TextOf(const Event& event) {
  const auto step = [](double time) {
    return std::to_string(static_cast<int>((time - kStart) / kStep + 0.5));
  };
  std::string text = std::string(NameOf(event.type)) + " " + (event.open_before ? "<" : "") +
                     step(event.begin) + ".." + (event.end ? step(*event.end) : "?") + " " +
                     (event.type == EventType::kExporterDown ? event.target : event.gpu_id) + " " +
                     std::to_string(static_cast<int>(event.value));
  if (event.throttle_reasons != 0) text += " bits " + std::to_string(event.throttle_reasons);
  return text;
}

class EventsTest : public ::testing::Test {
 protected:
  // What becomes of targets with these GPUs, "gpu 0.0" the first of the first. Without spans all of
  // it is looked at.
  std::vector<Event> Rebuild(const std::vector<FakeTarget>& targets,
                             std::vector<gpu::ActivitySpan> spans = {}) {
    gpu::Activity activity;
    activity.start = kStart;
    activity.step = kStep;
    activity.begin = begin_;
    std::vector<std::size_t> all;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      all.push_back(t);
      gpu::ActivityTarget& target = activity.targets.emplace_back();
      target.job = "gpu";
      target.instance = std::to_string(t);
      target.gpus = targets[t].gpus.size();
      target.up = targets[t].up;
      target.always = Up::kUp;
      target.young = young_;
      for (std::size_t g = 0; g < targets[t].gpus.size(); ++g) {
        for (auto& name : gpu::ActivityNamesOf(Id(t, g), "n", Id(t, g))) target.names.insert(name);
        activity.steps = targets[t].gpus[g].size();
      }
    }
    activity.spans = std::move(spans);
    if (activity.spans.empty()) activity.spans = {{0, activity.steps, all}};
    Events events(activity, rules_);
    for (const auto& span : activity.spans) {
      for (std::size_t i = span.first; i < span.first + span.count; ++i) {
        events.Add(i, std::vector<models::SnapshotPtr>{RowsAt(targets, span, i), processes_});
      }
    }
    return events.Finish();
  }
  std::vector<std::string> Texts(const std::vector<FakeTarget>& targets,
                                 const std::vector<gpu::ActivitySpan>& spans = {}) {
    std::vector<std::string> texts;
    for (const Event& event : Rebuild(targets, spans)) texts.push_back(TextOf(event));
    return texts;
  }
  // Of one GPU that is there throughout, with one reading changed by `set` at each instant.
  template <class Set>
  std::vector<std::string> OfOne(std::size_t steps, const Set& set) {
    std::vector<Reading> readings(steps);
    for (std::size_t i = 0; i < steps; ++i) set(i, readings[i]);
    return Texts({{{readings}, {}}});
  }

  static std::string Id(std::size_t target, std::size_t gpu) {
    return std::to_string(target) + "." + std::to_string(gpu);
  }
  static models::SnapshotPtr RowsAt(const std::vector<FakeTarget>& targets,
                                    const gpu::ActivitySpan& span, std::size_t i) {
    auto snapshot = std::make_shared<models::Snapshot>();
    for (const std::size_t t : span.targets) {
      for (std::size_t g = 0; g < targets[t].gpus.size(); ++g) {
        const Reading& reading = targets[t].gpus[g][i];
        if (!reading.there) continue;
        auto& row = snapshot->gpus.emplace_back();
        for (const Text text : {Text::kUuid, Text::kGpuId}) {
          row.set_text(text, snapshot->arena.Keep(Id(t, g)));
        }
        row.set_text(Text::kNode, "n");
        const auto set = [&](Quantity quantity, const std::optional<double>& value) {
          if (value) row.readings.Set(static_cast<std::size_t>(quantity), *value);
        };
        set(Quantity::kXidLast, reading.xid);
        set(Quantity::kEccCorrectedVolatile, reading.corrected);
        set(Quantity::kEccUncorrectedVolatile, reading.uncorrected);
        set(Quantity::kThrottleReasons, reading.throttle);
        set(Quantity::kTemperature, reading.temperature);
        row.first_workload = static_cast<std::uint32_t>(snapshot->workloads.size());
        if (reading.pod.empty()) continue;
        models::Workload workload;
        workload.name_space = "team";
        workload.pod = snapshot->arena.Keep(reading.pod);
        snapshot->workloads.push_back(workload);
        row.workload_count = 1;
      }
    }
    return snapshot;
  }

  HealthRules rules_;
  std::vector<bool> young_;  // of every target
  std::size_t begin_ = 0;    // instant with which the window begins
  models::SnapshotPtr processes_;
};

using Lines = std::vector<std::string>;

TEST_F(EventsTest, AnXidIsAChangeToAnotherCode) {
  EXPECT_EQ(OfOne(9,
                  [](std::size_t i, Reading& r) {
                    r.xid = i < 2 ? 0 : i < 4 ? 31 : i < 6 ? 79 : i < 8 ? 0 : 79;
                  }),
            (Lines{"xid 8..8 0.0 79", "xid 4..4 0.0 79", "xid 2..2 0.0 31"}));
}

TEST_F(EventsTest, AnOldXidIsNoEvent) {
  EXPECT_EQ(OfOne(5, [](std::size_t, Reading& r) { r.xid = 31; }), Lines{});
  // Nor where the GPU is not seen meanwhile, or only its code is not.
  EXPECT_EQ(OfOne(5,
                  [](std::size_t i, Reading& r) {
                    r.xid = 31;
                    if (i == 2) r.xid = std::nullopt;
                  }),
            Lines{});
}

TEST_F(EventsTest, AFirstCodeIsOneWhereTheGpuWasSeenWithoutIt) {
  EXPECT_EQ(OfOne(4, [](std::size_t i,
                        Reading& r) { r.xid = i < 2 ? std::nullopt : std::optional<double>(48); }),
            Lines{"xid 2..2 0.0 48"});
  std::vector<Reading> late(4);
  late[0].there = late[1].there = false;
  for (Reading& reading : late) reading.xid = 48;
  EXPECT_EQ(Texts({{{late}, {}}}), Lines{});
}

TEST_F(EventsTest, GrowthInAdjacentStepsIsOneEvent) {
  EXPECT_EQ(OfOne(12,
                  [](std::size_t i, Reading& r) {
                    constexpr double kCounts[] = {7, 7, 8, 10, 10, 11, 11, 0, 0, 2, 2, 2};
                    r.corrected = kCounts[i];
                    r.uncorrected = i < 6 ? 0 : 1;
                  }),
            (Lines{"ecc_corrected 9..9 0.0 2", "ecc_uncorrected 6..6 0.0 1",
                   "ecc_corrected 5..5 0.0 1", "ecc_corrected 2..3 0.0 3"}));
}

TEST_F(EventsTest, EpisodesHaveTheirPeakAndGoOnOverGaps) {
  EXPECT_EQ(OfOne(12,
                  [](std::size_t i, Reading& r) {
                    if (i >= 2 && i < 8) r.temperature = 76 + static_cast<double>(i);
                    if (i == 4 || i == 5) r.temperature = std::nullopt;
                    if (i == 10) r.temperature = 75;  // not above
                    if (i == 11) r.temperature = 75.1;
                  }),
            (Lines{"temperature 11..? 0.0 75", "temperature 2..8 0.0 83"}));
  // Cold on the other side: it ended where the gap began.
  EXPECT_EQ(OfOne(6,
                  [](std::size_t i, Reading& r) {
                    if (i == 1) r.temperature = 90;
                    if (i == 2 || i == 3) r.temperature = std::nullopt;
                  }),
            Lines{"temperature 1..2 0.0 90"});
  EXPECT_EQ(OfOne(3, [](std::size_t i, Reading& r) { r.temperature = i < 2 ? 80 : 50; }),
            Lines{"temperature <0..2 0.0 80"});
}

TEST_F(EventsTest, SeverityIsThatOfTheRules) {
  std::vector<Reading> readings(9);
  readings[1].temperature = 85;
  readings[3].temperature = 85.1;
  readings[5].throttle = 0x8;
  readings[7].throttle = 0x8 | 0x40;
  for (std::size_t i = 4; i < 9; ++i) readings[i].xid = 13;
  for (std::size_t i = 6; i < 9; ++i) readings[i].xid = 79;
  std::string severities;
  for (const Event& event : Rebuild({{{readings}, {}}})) {
    severities +=
        std::string(NameOf(event.type)) + " " + std::string(NameOf(event.severity)) + "; ";
  }
  EXPECT_EQ(severities,
            "throttle critical; xid critical; throttle warning; xid info; temperature critical; "
            "temperature warning; ");
}

TEST_F(EventsTest, ThrottlingIsWhatHoldsAGpuBack) {
  EXPECT_EQ(OfOne(8,
                  [](std::size_t i, Reading& r) {
                    r.throttle = 0x4;  // its power cap
                    if (i == 3) r.throttle = 0x4 | 0x20;
                    if (i == 4) r.throttle = 0x80;
                  }),
            Lines{"throttle 3..5 0.0 0 bits 160"});
}

TEST_F(EventsTest, AGpuIsLostWhileItsExporterIsThere) {
  std::vector<Reading> here(8);
  std::vector<Reading> gone(8);
  gone[3].there = gone[4].there = gone[7].there = false;
  EXPECT_EQ(Texts({{{here, gone}, {}}}),
            (Lines{"gpu_lost 7..? 0.1 0", "gpu_returned 5..5 0.1 0", "gpu_lost 3..5 0.1 0"}));
}

TEST_F(EventsTest, AnOutageIsOneEventAndLosesNoGpu) {
  std::vector<Reading> readings(8);
  readings[2].there = readings[3].there = readings[6].there = readings[7].there = false;
  const std::vector<Up> up = {Up::kUp, Up::kUp, Up::kDown,    Up::kDown,
                              Up::kUp, Up::kUp, Up::kUnknown, Up::kUnknown};
  EXPECT_EQ(Texts({{{readings, readings}, up}}), Lines{"exporter_down 2..4 job gpu, 0 2"});
  // Still gone when its exporter is there again.
  std::vector<Reading> lost = readings;
  lost[4].there = lost[5].there = false;
  EXPECT_EQ(Texts({{{readings, lost}, up}}),
            (Lines{"gpu_lost 4..? 0.1 0", "exporter_down 2..4 job gpu, 0 2"}));
}

TEST_F(EventsTest, AnOutageCountsWhatWasShownLastBeforeIt) {
  std::vector<Reading> here(9);
  for (const std::size_t i : {3U, 4U, 7U}) here[i].there = false;
  std::vector<Reading> lost = here;
  for (std::size_t i = 1; i < 6; ++i) lost[i].there = false;
  const std::vector<Up> up = {Up::kUp, Up::kUp, Up::kUp,   Up::kDown, Up::kDown,
                              Up::kUp, Up::kUp, Up::kDown, Up::kUp};
  EXPECT_EQ(Texts({{{here, lost}, up}}),
            (Lines{"exporter_down 7..8 job gpu, 0 2", "gpu_returned 6..6 0.1 0",
                   "exporter_down 3..5 job gpu, 0 1", "gpu_lost 1..6 0.1 0"}));
}

TEST_F(EventsTest, OwnersAreThoseOfThatMoment) {
  std::vector<Reading> readings(6);
  readings[0].pod = readings[1].pod = "a";
  readings[2].pod = readings[3].pod = "b";
  for (std::size_t i = 2; i < 6; ++i) readings[i].xid = 13;
  readings[4].there = readings[5].there = false;
  std::string owners;
  for (const Event& event : Rebuild({{{readings, std::vector<Reading>(6)}, {}}})) {
    owners += std::string(NameOf(event.type)) + ":";
    for (const auto& [name_space, pod] : event.owners.pods) owners += " " + name_space + "/" + pod;
    owners += "; ";
  }
  EXPECT_EQ(owners, "gpu_lost: team/b; xid: team/b; ");
}

// A pod's exporter whose scrape failed once, and one that was up all the time.
TEST_F(EventsTest, ATargetThatShowsNoGpuMayHaveJustBeenStarted) {
  std::vector<Reading> gone(14);
  for (std::size_t i = 3; i < 14; ++i) gone[i].there = false;
  std::vector<Reading> back = gone;
  for (std::size_t i = 6; i < 14; ++i) back[i].there = true;
  std::vector<Up> up(14, Up::kUp);
  for (const Up before : {Up::kDown, Up::kUnknown}) {
    up[2] = before;
    const Lines down = before == Up::kDown ? Lines{"exporter_down 2..3 job gpu, 0 1"} : Lines{};
    EXPECT_EQ(Texts({{{back}, up}}), down);
    Lines lost = down;
    lost.insert(lost.begin(), "gpu_lost 3..? 0.0 0");
    EXPECT_EQ(Texts({{{gone}, up}}), lost) << "it lasts two minutes";
  }
}

TEST_F(EventsTest, ATargetThatWasUpAllTheTimeLosesAllItsGpusAtOnce) {
  std::vector<Reading> back(14);
  for (std::size_t i = 3; i < 6; ++i) back[i].there = false;
  for (const std::vector<Up>& up : {std::vector<Up>{}, std::vector<Up>(14, Up::kUp)}) {
    EXPECT_EQ(Texts({{{back, back}, up}}),
              (Lines{"gpu_returned 6..6 0.0 0", "gpu_returned 6..6 0.1 0", "gpu_lost 3..6 0.0 0",
                     "gpu_lost 3..6 0.1 0"}));
  }
}

TEST_F(EventsTest, ATargetThatHasShownItsGpusIsStarted) {
  std::vector<Reading> gone(9);
  for (const std::size_t i : {2U, 5U, 6U, 7U, 8U}) gone[i].there = false;
  std::vector<Up> up(9, Up::kUp);
  up[2] = Up::kDown;
  EXPECT_EQ(Texts({{{gone}, up}}),
            (Lines{"gpu_lost 5..? 0.0 0", "exporter_down 2..3 job gpu, 0 1"}));
}

TEST_F(EventsTest, AProcessThatWasJustStartedIsOneThatMayShowNothingYet) {
  std::vector<Reading> back(14);
  for (std::size_t i = 3; i < 6; ++i) back[i].there = false;
  young_.assign(14, false);
  for (std::size_t i = 3; i < 11; ++i) young_[i] = true;
  EXPECT_EQ(Texts({{{back, back}, {}}}), Lines{});
}

// One exporter tells of a code and of errors that another one does not.
TEST_F(EventsTest, WhatAnotherExporterSaysIsComparedWithWhatItSaidBefore) {
  std::vector<Reading> readings(9);
  const std::vector<Up> up = {Up::kUp, Up::kUp, Up::kUp,   Up::kDown, Up::kDown,
                              Up::kUp, Up::kUp, Up::kDown, Up::kUp};
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const bool first = up[i] == Up::kUp;
    readings[i].xid = first ? 43 : 0;
    readings[i].corrected = first ? 5 : 9;
  }
  readings[4].xid = 79;  // news of the other's own
  readings[8].xid = 62;  // and of the first one's
  readings[8].corrected = 6;
  gpu::Activity activity;
  activity.start = kStart;
  activity.step = kStep;
  activity.steps = readings.size();
  activity.spans = {{0, readings.size(), {0, 1}}};
  for (const std::size_t t : {0U, 1U}) {
    gpu::ActivityTarget& target = activity.targets.emplace_back();
    target.always = Up::kUp;
    if (t == 0) target.up = up;
    for (auto& name : gpu::ActivityNamesOf("0.0", "n", "0.0")) target.names.insert(name);
  }
  Events events(activity, rules_);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const std::vector<FakeTarget> one = {{{readings}, {}}};
    events.Add(i, std::vector<models::SnapshotPtr>{RowsAt(one, {0, 9, {0}}, i), nullptr});
  }
  Lines lines;
  for (const Event& event : events.Finish()) {
    if (event.type != EventType::kExporterDown) lines.push_back(TextOf(event));
  }
  EXPECT_EQ(lines, (Lines{"xid 8..8 0.0 62", "ecc_corrected 8..8 0.0 1", "xid 4..4 0.0 79"}));
}

// What an instant shows: UUID, node, id.
using Shown = std::array<const char*, 3>;

TEST_F(EventsTest, AGpuThatIsShownUnderLessOfItsNamesIsTheSame) {
  const std::vector<std::vector<Shown>> instants = {{{"G0", "n", "0"}, {"G1", "n", "1"}},
                                                    {{"", "n", "0"}, {"G1", "", "1"}},
                                                    {{"", "n", "0"}, {"G1", "", "1"}},
                                                    {{"G0", "n", "0"}, {"G1", "n", "1"}},
                                                    {{"G0", "n", "0"}, {"G1", "n", "1"}}};
  gpu::Activity activity;
  activity.start = kStart;
  activity.step = kStep;
  activity.steps = instants.size();
  activity.spans = {{0, instants.size(), {0}}};
  gpu::ActivityTarget& target = activity.targets.emplace_back();
  target.always = Up::kUp;
  for (const char* const id : {"0", "1"}) {
    for (auto& name : gpu::ActivityNamesOf("G" + std::string(id), "n", id)) {
      target.names.insert(name);
    }
  }
  Events events(activity, rules_);
  for (std::size_t i = 0; i < instants.size(); ++i) {
    auto snapshot = std::make_shared<models::Snapshot>();
    for (const Shown& shown : instants[i]) {
      auto& row = snapshot->gpus.emplace_back();
      row.set_text(Text::kUuid, shown[0]);
      row.set_text(Text::kNode, shown[1]);
      row.set_text(Text::kGpuId, shown[2]);
      row.readings.Set(static_cast<std::size_t>(Quantity::kTemperature), 80);
    }
    events.Add(i, std::vector<models::SnapshotPtr>{snapshot, nullptr});
  }
  Lines lines;
  for (const Event& event : events.Finish()) lines.push_back(TextOf(event));
  EXPECT_EQ(lines, (Lines{"temperature <0..? 0 80", "temperature <0..? 1 80"}));
}

TEST_F(EventsTest, WhatWasBeforeTheWindowTellsWhatBecameOfIt) {
  begin_ = 4;
  std::vector<Reading> readings(9);
  for (std::size_t i = 2; i < 6; ++i) readings[i].there = false;
  for (std::size_t i = 6; i < 9; ++i) readings[i].corrected = 3;
  const std::vector<Reading> here(9);
  EXPECT_EQ(Texts({{{here, readings}, {}}}),
            (Lines{"ecc_corrected 6..6 0.1 3", "gpu_returned 6..6 0.1 0", "gpu_lost <4..6 0.1 0"}));
  std::vector<Up> up(9, Up::kUp);
  for (std::size_t i = 2; i < 6; ++i) up[i] = Up::kDown;
  EXPECT_EQ(Texts({{{readings}, up}}),
            (Lines{"ecc_corrected 6..6 0.0 3", "exporter_down <4..6 job gpu, 0 1"}));
  std::vector<Reading> gone(9);
  for (std::size_t i = 2; i < 9; ++i) gone[i].there = false;
  EXPECT_EQ(Texts({{{here, gone}, {}}}), Lines{"gpu_lost <4..? 0.1 0"});
}

TEST_F(EventsTest, WhatEndedBeforeTheWindowIsNoneOfIt) {
  begin_ = 4;
  std::vector<Reading> readings(9);
  for (std::size_t i = 2; i < 9; ++i) readings[i].xid = 79;
  for (std::size_t i = 1; i < 4; ++i) readings[i].temperature = 90;
  readings[3].throttle = readings[4].throttle = 0x20;
  // It goes on over the begin: each window has its part.
  for (std::size_t i = 3; i < 9; ++i) readings[i].corrected = i < 6 ? static_cast<double>(i) : 5;
  EXPECT_EQ(Texts({{{readings}, {}}}),
            (Lines{"ecc_corrected <4..5 0.0 1", "throttle <4..5 0.0 0 bits 32"}));
}

// Where GPU 0 is shown at each instant: nodes, by "f", "a", both or none. GPU 1: "F", "A".
class MovedTest : public EventsTest {
 protected:
  Lines Of(const std::vector<std::string>& instants, const std::vector<Up>& up_of_f = {}) {
    gpu::Activity activity;
    activity.start = kStart;
    activity.step = kStep;
    activity.steps = instants.size();
    activity.after = after_;
    activity.spans = {{0, instants.size(), {0, 1}}};
    for (const std::string node : {"a", "f"}) {
      gpu::ActivityTarget& target = activity.targets.emplace_back();
      target.always = Up::kUp;
      target.up = node == "f" ? up_of_f : up_of_a_;
      if (!nameless_) target.node = node;
      if (node == "a") target.exporters = {kind_of_a_};
      for (const std::string id : {"0", "1"}) {
        for (auto& name : gpu::ActivityNamesOf("G" + id, node, id)) target.names.insert(name);
      }
      target.names.insert("uuid own-" + node);
    }
    activity.targets[1].exporters = {"dcgm"};
    Events events(activity, rules_);
    for (std::size_t i = 0; i < instants.size(); ++i) {
      auto snapshot = std::make_shared<models::Snapshot>();
      for (const char& node : instants[i]) AddRow(*snapshot, node, i);
      if (nameless_) AddOwn(*snapshot, activity, i);
      events.Add(i, std::vector<models::SnapshotPtr>{snapshot, nullptr});
    }
    Lines lines;
    for (const Event& event : events.Finish()) {
      if (event.type != EventType::kExporterDown) lines.push_back(TextOf(event) + " " + event.node);
    }
    return lines;
  }

  void AddRow(models::Snapshot& snapshot, const char& node, std::size_t i) const {
    const bool second = node < 'a';
    const char lower = static_cast<char>(node | 0x20);
    auto& row = snapshot.gpus.emplace_back();
    row.set_text(Text::kUuid, second ? "G1" : "G0");
    row.set_text(Text::kNode, snapshot.arena.Keep({&lower, 1}));
    row.set_text(Text::kGpuId, second ? "1" : "0");
    if (second || i >= xids_.size()) return;
    row.readings.Set(static_cast<std::size_t>(Quantity::kXidLast), xids_[i]);
    row.readings.Set(static_cast<std::size_t>(Quantity::kEccCorrectedVolatile), xids_[i]);
  }
  // A GPU that only this target ever shows.
  static void AddOwn(models::Snapshot& snapshot, const gpu::Activity& activity, std::size_t i) {
    for (const std::size_t target : {0U, 1U}) {
      if (activity.targets[target].At(i) != Up::kUp) continue;
      auto& row = snapshot.gpus.emplace_back();
      row.set_text(Text::kUuid, target == 0 ? "own-a" : "own-f");
      row.set_text(Text::kNode, target == 0 ? "a" : "f");
      row.set_text(Text::kGpuId, "9");
    }
  }

  std::vector<double> xids_;  // of GPU 0 by instant, and its count of corrected errors
  std::size_t after_ = 0;     // so many of the instants are after the window
  std::vector<Up> up_of_a_;
  bool nameless_ = false;  // the series of the targets do not name their nodes
  std::string kind_of_a_ = "dcgm";
};

TEST_F(MovedTest, AGpuThatIsOnAnotherNodeNowIsNotLost) {
  EXPECT_EQ(Of({"f", "f", "a", "a"}), Lines{});
  EXPECT_EQ(Of({"f", "af", "a", "a"}), Lines{});
  EXPECT_EQ(Of({"f", "", "a", "a"}), Lines{}) << "targets are scraped at different times";
  EXPECT_EQ(Of({"f", "a", "f", "f"}), Lines{});
}

TEST_F(MovedTest, WhereItWillMoveToNobodyKnowsOfItYet) {
  const std::vector<Up> up = {Up::kUp, Up::kDown, Up::kDown, Up::kUp, Up::kUp, Up::kUp};
  EXPECT_EQ(Of({"f", "", "", "f", "a", "a"}, up), Lines{});
}

TEST_F(MovedTest, OneThatIsLostWhereItMovedToIsLostOnce) {
  EXPECT_EQ(Of({"f", "a", "a", "", ""}), Lines{"gpu_lost 3..? 0 0 a"});
}

TEST_F(MovedTest, OneThatWasAwayForLongReturnsElsewhere) {
  std::vector<std::string> instants(12);
  instants.front() = "f";
  instants.back() = "a";
  EXPECT_EQ(Of(instants), (Lines{"gpu_returned 11..11 0 0 a", "gpu_lost 1..11 0 0 f"}));
}

TEST_F(MovedTest, AnExporterWhoseGpuMovedAwayDoesNotShowIt) {
  const std::vector<Up> up = {Up::kUp, Up::kUp, Up::kDown, Up::kUp, Up::kUp, Up::kUp};
  EXPECT_EQ(Of({"fF", "aF", "a", "a", "aF", "aF"}, up), Lines{}) << "it is starting";
  EXPECT_EQ(Of({"fF", "fF", "a", "a", "aF", "aF"}, up), Lines{});
}

TEST_F(MovedTest, WhatIsOpenAtTheEndIsDecidedByWhatComesAfterIt) {
  EXPECT_EQ(Of({"f", "f", ""}), Lines{"gpu_lost 2..? 0 0 f"});
  after_ = 1;
  EXPECT_EQ(Of({"f", "f", "", "a"}), Lines{}) << "it moves";
  EXPECT_EQ(Of({"f", "f", "", "f"}), Lines{"gpu_lost 2..? 0 0 f"}) << "it returns later";
  EXPECT_EQ(Of({"f", "f", "f", ""}), Lines{}) << "it is lost later";
  xids_ = {0, 0, 0, 79};
  EXPECT_EQ(Of({"f", "f", "f", "f"}), Lines{}) << "the error is later";
  after_ = 2;
  const std::vector<Up> up = {Up::kUp, Up::kDown, Up::kUp, Up::kUp, Up::kUp};
  EXPECT_EQ(Of({"fF", "", "", "F", "F"}, up), Lines{"gpu_lost 2..? 0 0 f"}) << "a restart";
  EXPECT_EQ(Of({"fF", "", "", "fF", "fF"}, up), Lines{});
}

TEST_F(MovedTest, OneThatMovesBackBringsNoNewErrors) {
  xids_ = {0, 0, 0, 43, 43, 43, 43, 62};
  EXPECT_EQ(Of({"f", "f", "a", "a", "", "f", "f", "f"}),
            (Lines{"xid 7..7 0 62 f", "ecc_corrected 7..7 0 19 f", "xid 3..3 0 43 a",
                   "ecc_corrected 3..3 0 43 a"}));
}

// Whichever window knows of the node where it will be, or was.
TEST_F(MovedTest, AnOutageOfAnotherNodesExporterDelaysNoEvent) {
  xids_ = {0, 0, 43, 43, 43, 43, 62, 62};
  up_of_a_ = {Up::kUp, Up::kUp, Up::kDown, Up::kUp, Up::kUp, Up::kUp, Up::kUp, Up::kUp};
  std::vector<Up> up_of_f(8, Up::kUp);
  up_of_f[6] = Up::kDown;
  const Lines both = {"xid 6..6 0 62 a", "ecc_corrected 6..6 0 19 a", "xid 2..2 0 43 f",
                      "ecc_corrected 2..2 0 43 f"};
  EXPECT_EQ(Of({"f", "f", "f", "f", "a", "a", "a", "a"}, up_of_f), both);
  nameless_ = true;
  EXPECT_EQ(Of({"f", "f", "f", "f", "a", "a", "a", "a"}, up_of_f), both);
}

TEST_F(MovedTest, AnExporterOfAnotherKindMayCallTheSameNodeOtherwise) {
  kind_of_a_ = "nvidia_gpu";
  xids_ = {43, 0, 43, 43};
  up_of_a_ = {Up::kUp, Up::kDown, Up::kUp, Up::kUp};
  EXPECT_EQ(Of({"f", "f", "f", "f"}), Lines{});
}

// Injects events into a quiet fleet, at most one of a GPU in each slot.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    const std::size_t targets = 1 + Below(4);
    for (std::size_t t = 0; t < targets; ++t) {
      FakeTarget& target = targets_.emplace_back();
      target.up.assign(kSteps, Up::kUp);
      target.gpus.assign(1 + Below(6), std::vector<Reading>(kSteps));
      busy_.emplace_back(kSlots, false);
      Fill(t);
    }
  }

  const std::vector<FakeTarget>& targets() const { return targets_; }
  const std::multiset<std::string>& expected() const { return expected_; }
  // Slots and the targets that anything happens to in them.
  std::vector<gpu::ActivitySpan> Spans() const {
    std::vector<gpu::ActivitySpan> spans;
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      gpu::ActivitySpan span{slot * kSlot, kSlot, {}};
      for (std::size_t t = 0; t < targets_.size(); ++t) {
        if (busy_[t][slot]) span.targets.push_back(t);
      }
      if (!span.targets.empty()) spans.push_back(span);
    }
    if (spans.empty()) spans.push_back({0, 1, {0}});
    return spans;
  }

 private:
  static constexpr std::size_t kSlot = 14;
  static constexpr std::size_t kSlots = 12;
  static constexpr std::size_t kSteps = kSlot * kSlots;

  std::size_t Below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::string Name(std::size_t t, std::size_t g) const {
    return std::to_string(t) + "." + std::to_string(g);
  }
  void Expect(const std::string& type, const std::string& when, const std::string& what) {
    expected_.insert(type + " " + when + " " + what);
  }
  static std::string When(std::size_t first, std::size_t end) {
    const std::string last = end == kSteps ? "?" : std::to_string(end);
    return (first == 0 ? "<0" : std::to_string(first)) + ".." + last;
  }

  void Fill(std::size_t t) {
    FakeTarget& target = targets_[t];
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      const std::size_t first = slot * kSlot + 2 + Below(3);
      const std::size_t end = first + 1 + Below(6);
      const std::size_t kind = Below(12);
      if (kind < 2) {  // an outage, or nobody scraped
        busy_[t][slot] = true;
        for (std::size_t i = first; i < end; ++i) {
          target.up[i] = kind == 0 ? Up::kDown : Up::kUnknown;
          for (auto& gpu : target.gpus) gpu[i].there = false;
        }
        if (kind == 1) continue;
        Expect("exporter_down", When(first, end),
               "job gpu, " + std::to_string(t) + " " + std::to_string(target.gpus.size()));
        continue;
      }
      for (std::size_t g = 0; g < target.gpus.size(); ++g) {
        if (Below(3) > 0) continue;
        busy_[t][slot] = true;
        Inject(slot, Name(t, g), target.gpus[g], g > 0);
      }
    }
  }

  // From `first` on.
  template <class Set>
  static void From(std::vector<Reading>& gpu, std::size_t first, const Set& set) {
    for (std::size_t i = first; i < kSteps; ++i) set(gpu[i]);
  }

  // The first GPU of a target is never lost: one that shows none may be starting.
  void Inject(std::size_t slot, const std::string& name, std::vector<Reading>& gpu, bool may_go) {
    std::size_t first = slot * kSlot + 2 + Below(3);
    std::size_t end = first + 1 + Below(6);
    const std::size_t kind = Below(7);
    switch (kind == 5 && !may_go ? 6 : kind) {
      case 0: {
        const double before = *gpu[first].xid;
        const double code = Below(4) == 0 ? 0 : static_cast<double>(13 + Below(5));
        From(gpu, first, [&](Reading& r) { r.xid = code; });
        if (code == 0 || code == before) return;
        const std::string at = std::to_string(first);
        return Expect("xid", at + ".." + at, name + " " + std::to_string(static_cast<int>(code)));
      }
      case 1: {
        const bool corrected = Below(2) == 0;
        double grown = 0;
        for (std::size_t i = first; i < end; ++i) {
          const auto by = static_cast<double>(1 + Below(3));
          From(gpu, i, [&](Reading& r) { *(corrected ? r.corrected : r.uncorrected) += by; });
          grown += by;
        }
        return Expect(corrected ? "ecc_corrected" : "ecc_uncorrected",
                      std::to_string(first) + ".." + std::to_string(end - 1),
                      name + " " + std::to_string(static_cast<int>(grown)));
      }
      case 2:  // the driver is loaded anew
        return From(gpu, first, [](Reading& r) { r.corrected = r.uncorrected = 0; });
      case 3:
      case 4: {
        const bool hot = Below(2) == 0;
        if (slot == 0 && Below(2) == 0) first = 0;
        if (slot + 1 == kSlots && Below(2) == 0) end = kSteps;
        double peak = 0;
        for (std::size_t i = first; i < end; ++i) {
          const auto value = static_cast<double>(76 + Below(20));
          // Not at its ends: there it would be shorter.
          if (i != first && i + 1 != end && Below(4) == 0) {
            (hot ? gpu[i].temperature : gpu[i].throttle).reset();
          } else {
            peak = std::max(peak, value);
            (hot ? gpu[i].temperature : gpu[i].throttle) = hot ? value : 0x24;
          }
        }
        if (!hot) return Expect("throttle", When(first, end), name + " 0 bits 32");
        return Expect("temperature", When(first, end),
                      name + " " + std::to_string(static_cast<int>(peak)));
      }
      case 5:
        for (std::size_t i = first; i < end; ++i) gpu[i].there = false;
        Expect("gpu_lost", When(first, end), name + " 0");
        return Expect("gpu_returned", std::to_string(end) + ".." + std::to_string(end),
                      name + " 0");
      default:  // nothing is measured, and the GPU is there
        for (std::size_t i = first; i < end; ++i) {
          gpu[i].xid.reset();
          gpu[i].corrected.reset();
          gpu[i].temperature.reset();
          gpu[i].throttle.reset();
        }
    }
  }

  std::mt19937 random_;
  std::vector<FakeTarget> targets_;
  std::vector<std::vector<bool>> busy_;  // by target and slot
  std::multiset<std::string> expected_;
};

TEST_F(EventsTest, RandomWorldsGiveWhatWasInjected) {
  std::size_t events = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    const World world(seed);
    events += world.expected().size();
    const Lines all = Texts(world.targets());
    ASSERT_EQ(std::multiset<std::string>(all.begin(), all.end()), world.expected())
        << "world " << seed;
    // The same where only that is looked at which something happens to.
    const Lines some = Texts(world.targets(), world.Spans());
    ASSERT_EQ(std::multiset<std::string>(some.begin(), some.end()), world.expected())
        << "world " << seed;
  }
  EXPECT_GT(events, 3000U);
}

// The step with which it begins.
std::size_t BeginOf(const std::string& text) {
  const std::size_t at = text.find(' ') + 1;
  return std::stoul(text.substr(text[at] == '<' ? at + 1 : at));
}

TEST_F(EventsTest, WindowsThatMeetTellTheSameAsOne) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const World world(seed);
    const Lines all = Texts(world.targets());
    begin_ = 20 + seed % 120;
    Lines later;
    for (const std::string& text : all) {
      if (BeginOf(text) > begin_) later.push_back(text);
    }
    Lines told = Texts(world.targets());
    std::erase_if(told, [](const std::string& text) { return text.find(" <") != text.npos; });
    begin_ = 0;
    ASSERT_EQ(told, later) << "world " << seed;
  }
}

TEST_F(EventsTest, TheNewestComesFirst) {
  const World world(7);
  const auto events = Rebuild(world.targets());
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end(),
                             [](const Event& a, const Event& b) { return a.begin > b.begin; }));
}

}  // namespace
}  // namespace gpumon::fleet
