#include "internal/fleet/missing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::fleet {
namespace {

using models::NodeTarget;
using models::TargetState;
using models::Text;

constexpr double kStart = 1700000000;
constexpr double kStep = 60;

// One without a UUID.
std::shared_ptr<models::Snapshot> Bare(const std::string& node, const std::string& id,
                                       const std::string& uuid = "") {
  auto snapshot = Rows({{.uuid = uuid, .node = node}});
  snapshot->gpus[0].set_text(Text::kGpuId, snapshot->arena.Keep(id));
  return snapshot;
}

class MissingTest : public ::testing::Test {
 protected:
  void See(const std::shared_ptr<models::Snapshot>& snapshot) {
    kept_.push_back(snapshot);
    seen_.Add(kStart + kStep * static_cast<double>(count_++), *snapshot);
  }
  void See(const std::vector<FakeGpu>& gpus) { See(Rows(gpus)); }
  std::string Lost(const models::Snapshot* present = nullptr) const {
    std::string lost;
    for (const LostGpu& gpu : seen_.Lost(present)) {
      lost += gpu.seen.uuid.empty() ? gpu.seen.node + "/" + gpu.seen.gpu_id : gpu.seen.uuid;
      lost += " ";
    }
    return lost;
  }
  static double At(int instant) { return kStart + kStep * instant; }

  Sightings seen_;
  std::size_t count_ = 0;
  std::vector<std::shared_ptr<models::Snapshot>> kept_;
};

TEST_F(MissingTest, WhoIsNotThereAtTheEndIsLostSinceThen) {
  See({{.uuid = "GPU-a", .pods = {"p", "q"}}, {.uuid = "GPU-b"}, {.uuid = "GPU-c"}});
  See({{.uuid = "GPU-a", .xid = 79}, {.uuid = "GPU-c"}});
  See({{.uuid = "GPU-c"}});
  const auto lost = seen_.Lost(nullptr);
  ASSERT_EQ(lost.size(), 2U);
  EXPECT_EQ(lost[0].seen.uuid, "GPU-a") << "the latest loss first";
  EXPECT_EQ(lost[0].instant, At(1));
  EXPECT_EQ(lost[0].gone, At(2));
  EXPECT_EQ(lost[0].seen.at, At(1));
  EXPECT_EQ(lost[0].seen.xid.value, 79);
  EXPECT_EQ(lost[0].seen.temperature.why, models::NullReason::kNotExported);
  EXPECT_EQ(lost[0].seen.held_at, At(0)) << "the last instant with an owner";
  ASSERT_EQ(lost[0].seen.owners.size(), 2U);
  EXPECT_EQ(lost[0].seen.owners.begin()->pod, "p");
  EXPECT_EQ(lost[1].seen.uuid, "GPU-b");
  EXPECT_EQ(lost[1].gone, At(1));
  EXPECT_EQ(seen_.boards(), 3U);
}

TEST_F(MissingTest, WhoMovedOrReturnedIsNotLost) {
  See({{.uuid = "GPU-a", .node = "x"}, {.uuid = "GPU-b"}});
  See({{.uuid = "GPU-b"}});
  See({{.uuid = "GPU-a", .node = "y"}});
  EXPECT_EQ(Lost(), "GPU-b ");
  const auto present = Rows({{.uuid = "GPU-b", .node = "z"}});
  EXPECT_EQ(Lost(present.get()), "") << "another look at the last instant shows it";
}

TEST_F(MissingTest, ANodeThatIsCalledOtherwiseIsNoLoss) {
  See(Bare("gpu-1.example.com", "0"));
  See(Bare("gpu-1", "0"));
  EXPECT_EQ(Lost(), "");
}

TEST_F(MissingTest, AnotherNodeOfTheSameShortNameIs) {
  auto both = Rows({{.node = "a.x"}, {.node = "a.y"}});
  for (auto& row : both->gpus) row.set_text(Text::kGpuId, "0");
  See(both);
  See(Bare("a.y", "0"));
  EXPECT_EQ(Lost(), "a.x/0 ") << "they were there at one time";
}

TEST_F(MissingTest, AUuidThatIsShownOnlySometimesIsOneGpu) {
  See(Bare("n", "0", "GPU-a"));
  See(Bare("n", "0"));
  EXPECT_EQ(Lost(), "") << "it may be there still";
  See(Bare("n", "0", "GPU-a"));
  EXPECT_EQ(Lost(), "");
  See(Bare("n", "1"));
  EXPECT_EQ(Lost(), "GPU-a ") << "once";
}

TEST_F(MissingTest, ABoardInThePlaceOfAnotherIsNotThatOne) {
  See(Bare("n", "0", "GPU-old"));
  See(Bare("n", "0", "GPU-new"));
  EXPECT_EQ(Lost(), "GPU-old ");
}

TEST_F(MissingTest, InstancesThatAreCutOtherwiseAreNoLoss) {
  See({{.uuid = "GPU-a", .instance = "1"}, {.uuid = "GPU-a", .instance = "2"}});
  See({{.uuid = "GPU-a", .instance = "7"}});
  EXPECT_EQ(Lost(), "");
  EXPECT_EQ(seen_.boards(), 1U);
  See(std::vector<FakeGpu>{});
  EXPECT_EQ(Lost(), "GPU-a ");
}

TEST_F(MissingTest, WhatWasSeenBetweenTwoInstantsIsExpectedToo) {
  const auto between = [&](const std::vector<FakeGpu>& gpus) {
    kept_.push_back(Rows(gpus));
    seen_.AddBetween(*kept_.back());
  };
  See({{.uuid = "GPU-a"}, {.uuid = "GPU-b"}});
  between({{.uuid = "GPU-before"}});
  See({{.uuid = "GPU-a"}});
  between({{.uuid = "GPU-a"}, {.uuid = "GPU-b"}, {.uuid = "GPU-brief", .xid = 48}});
  See({{.uuid = "GPU-a"}});
  between({{.uuid = "GPU-a"}});
  const auto lost = seen_.Lost(nullptr);
  ASSERT_EQ(lost.size(), 2U) << "what was before the first instant is none of the window's";
  EXPECT_EQ(lost[0].seen.uuid, "GPU-b");
  EXPECT_FALSE(lost[0].brief);
  EXPECT_EQ(lost[1].seen.uuid, "GPU-brief");
  EXPECT_TRUE(lost[1].brief);
  EXPECT_EQ(lost[1].instant, At(0));
  EXPECT_EQ(lost[1].gone, At(1));
  EXPECT_EQ(lost[1].seen.xid.value, 48);
  // A closer look at another loss of that time does not see it, which tells nothing of it.
  LostGpu brief = lost[1];
  Sightings closer;
  closer.Add(At(0) + 10, *Rows({{.uuid = "GPU-a"}}));
  closer.Refine(brief);
  EXPECT_EQ(brief.gone, At(1));
}

TEST_F(MissingTest, ANodeThatIsCalledOtherwiseAgainAndAgainIsNoLoss) {
  for (const char* const node : {"n", "n.example.org", "n", "n.example.org"}) See(Bare(node, "0"));
  EXPECT_EQ(Lost(), "");
  kept_.push_back(Bare("n.example", "0"));
  seen_.AddBetween(*kept_.back());
  EXPECT_EQ(Lost(), "") << "between two instants";
}

TEST_F(MissingTest, ACloserLookNarrowsWhenItWasLost) {
  See({{.uuid = "GPU-a", .pods = {"p"}, .xid = 13}});
  See(std::vector<FakeGpu>{});
  auto lost = seen_.Lost(nullptr);
  ASSERT_EQ(lost.size(), 1U);
  Sightings closer;
  closer.Add(At(0) + 10, *Rows({{.uuid = "GPU-a", .xid = 79}}));
  closer.Add(At(0) + 20, *Rows({}));
  closer.Refine(lost[0]);
  EXPECT_EQ(lost[0].instant, At(0) + 10);
  EXPECT_EQ(lost[0].gone, At(0) + 20);
  EXPECT_EQ(lost[0].seen.xid.value, 79);
  EXPECT_EQ(lost[0].seen.owners.size(), 1U) << "nobody holds it in the closer look";
  auto sample = Rows({{.uuid = "GPU-a", .xid = 79}});
  sample->gpus[0].newest = At(0) + 7;
  Sightings instant;
  instant.Add(At(0) + 10, *sample);
  instant.Refine(lost[0]);
  EXPECT_EQ(lost[0].seen.at, At(0) + 7) << "the sample's own time";
  EXPECT_EQ(lost[0].gone, At(0) + 20);
  Sightings nothing;
  nothing.Add(At(0) + 15, *Rows({}));
  nothing.Refine(lost[0]);
  EXPECT_EQ(lost[0].gone, At(0) + 15);
  EXPECT_EQ(lost[0].seen.at, At(0) + 7);
}

// What is known of the node "n" when its GPU is gone.
class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() {
    gpu_.node = "n";
    gpu_.gpu_id = "0";
    gpu_.uuid = "GPU-a";
    gpu_.exporter = "dcgm";
    then_ = Nodes({Dcgm(TargetState::kUp)});
  }
  static NodeTarget Dcgm(TargetState state) {
    return {"dcgm", "gpu", "10.0.0.1:9400", state, true, false, kStart};
  }
  static NodeTarget Host(TargetState state) {
    return {"node_exporter", "node", "10.0.0.1:9100", state, false, false, kStart};
  }
  static std::shared_ptr<models::Snapshot> Nodes(std::vector<NodeTarget> targets,
                                                 double ready = std::nan("")) {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kNodes;
    models::Node& node = snapshot->nodes.emplace_back();
    node.name = "n";
    node.in_kubernetes = !std::isnan(ready);
    if (node.in_kubernetes) {
      node.readings.Set(static_cast<std::size_t>(models::NodeQuantity::kReady), ready);
    }
    node.parts.targets.count = static_cast<std::uint32_t>(targets.size());
    snapshot->targets = std::move(targets);
    return snapshot;
  }
  std::string Of(const std::shared_ptr<models::Snapshot>& now, bool knows_then = true,
                 const std::shared_ptr<models::Snapshot>& gpus = nullptr) const {
    const Verdict verdict =
        VerdictOf(gpu_, {now.get(), knows_then ? then_.get() : nullptr, gpus.get()});
    return std::string(NameOf(verdict.loss)) + ": " + verdict.evidence;
  }

  LastSeen gpu_;
  std::shared_ptr<models::Snapshot> then_;
};

TEST_F(VerdictTest, AnExporterThatWasJustStartedSaysNothingYet) {
  gpu_.xid = {79, models::NullReason::kNone};
  auto dcgm = Dcgm(TargetState::kUp);
  dcgm.started = true;
  EXPECT_EQ(Of(Nodes({dcgm}, 1)),
            "exporter_down: dcgm (job gpu, 10.0.0.1:9400) was started within two minutes and has "
            "shown no GPU yet");
  const auto others = Rows({{.uuid = "GPU-b"}});
  EXPECT_EQ(Of(Nodes({dcgm}, 1), true, others).substr(0, 8), "gpu_gone");
}

TEST_F(VerdictTest, AnExporterThatIsUpSaysThatTheGpuIsGone) {
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kUp)}, 1)),
            "gpu_gone: dcgm (job gpu, 10.0.0.1:9400) is up and shows no GPU of the node");
  gpu_.xid = {79, models::NullReason::kNone};
  auto others = Rows({{.uuid = "GPU-b"}, {.uuid = "GPU-c"}});
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kUp), Host(TargetState::kDown)}), true, others),
            "gpu_gone: dcgm (job gpu, 10.0.0.1:9400) is up and no longer shows it; GPUs of the "
            "node that are shown: 2; its last XID was 79 (GPU has fallen off the bus)");
  others->gpus[0].set_text(Text::kGpuId, "0");
  EXPECT_NE(Of(Nodes({Dcgm(TargetState::kUp)}), true, others).find("; GPU-b has its id now"),
            std::string::npos);
}

TEST_F(VerdictTest, AnExporterThatIsDownIsNoLossOfAGpu) {
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kDown)})),
            "exporter_down: dcgm (job gpu, 10.0.0.1:9400) is down");
  EXPECT_EQ(
      Of(Nodes({Dcgm(TargetState::kDown), Host(TargetState::kUp)}, 1)),
      "exporter_down: dcgm (job gpu, 10.0.0.1:9400) is down; Kubernetes calls the node ready");
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kDown), Host(TargetState::kDown)}, 1)).substr(0, 13),
            "exporter_down")
      << "its kubelet answers";
  EXPECT_EQ(Of(Nodes({Host(TargetState::kUp)})),
            "exporter_down: no dcgm of the node is scraped any more");
}

TEST_F(VerdictTest, AnotherExporterThatIsUpDoesNotSpeakForIt) {
  NodeTarget other = Dcgm(TargetState::kUp);
  other.exporter = "hami";
  EXPECT_EQ(Of(Nodes({other, Dcgm(TargetState::kDown)})).substr(0, 13), "exporter_down");
}

TEST_F(VerdictTest, ANodeThatIsAwayTakesItsGpusAlong) {
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kUp)}, 0)),
            "node_gone: Kubernetes calls the node not ready");
  EXPECT_EQ(Of(Nodes({Dcgm(TargetState::kDown), Host(TargetState::kDown)})),
            "node_gone: all exporters of the node are down");
  auto vanished = Nodes({});
  vanished->nodes[0].vanished = kStart;
  EXPECT_EQ(Of(vanished), "node_gone: Kubernetes no longer lists the node");
  then_->nodes[0].in_kubernetes = true;
  auto others = Nodes({}, 1);
  others->nodes[0].name = "m";
  EXPECT_EQ(Of(others), "node_gone: Kubernetes no longer lists the node");
  others->nodes[0].in_kubernetes = false;
  EXPECT_EQ(Of(others),
            "node_gone: neither Kubernetes nor any exporter tells of the node any more");
  auto nobody = Nodes({});
  nobody->nodes.clear();
  EXPECT_EQ(Of(nobody),
            "node_gone: neither Kubernetes nor any exporter tells of the node any more");
}

TEST_F(VerdictTest, AnExporterWithoutAGpuIsStillThere) {
  auto silent = Nodes({});
  silent->silent = {{"gpu", "10.0.0.1:9400", true}};
  EXPECT_EQ(Of(silent),
            "gpu_gone: dcgm (job gpu, 10.0.0.1:9400) is up and shows no GPU of the node");
  silent->nodes.clear();
  EXPECT_EQ(Of(silent).substr(0, 8), "gpu_gone") << "nobody else tells of the node";
  silent->silent[0].up = false;
  EXPECT_EQ(Of(silent), "exporter_down: dcgm (job gpu, 10.0.0.1:9400) is down");
  EXPECT_EQ(Of(silent, false).substr(0, 2), ": ") << "what it was is not known";
}

TEST_F(VerdictTest, OneWithoutAGpuThatWasJustStartedSaysNothingYet) {
  const std::string starting =
      "exporter_down: dcgm (job gpu, 10.0.0.1:9400) was started within two minutes and has shown "
      "no "
      "GPU yet";
  auto silent = Nodes({}, 1);
  silent->as_of = kStart;
  silent->silent = {{"gpu", "10.0.0.1:9400", true, 40}};
  gpu_.at = kStart - 50;
  const auto of = [&](const models::Snapshot* then, const gpu::Activity* window,
                      const models::Snapshot* gpus = nullptr) {
    ShownLast shown;
    shown.Add({.seen = gpu_});
    const Verdict verdict = VerdictOf(gpu_, {silent.get(), then, gpus, window, shown.Of(gpu_)});
    return std::string(NameOf(verdict.loss)) + ": " + verdict.evidence;
  };
  gpu::Activity window;
  window.steps = 1;
  window.targets = {{"gpu", "10.0.0.1:9400", "n", 1, {"uuid GPU-a"}, {}, {}}};
  window.targets[0].always = gpu::ActivityTarget::Up::kUp;
  EXPECT_EQ(of(then_.get(), nullptr), starting);
  EXPECT_EQ(of(nullptr, &window), starting);
  const auto others = Rows({{.uuid = "GPU-b"}});
  EXPECT_EQ(of(then_.get(), nullptr, others.get()).substr(0, 8), "gpu_gone");
  gpu_.at = kStart - 30;
  EXPECT_EQ(of(then_.get(), nullptr).substr(0, 8), "gpu_gone") << "it has shown it since";
  EXPECT_EQ(of(nullptr, &window).substr(0, 8), "gpu_gone");
  auto dcgm = Dcgm(TargetState::kUp);
  dcgm.started = true;
  const auto here = silent->silent;
  silent = Nodes({dcgm}, 1);
  silent->as_of = kStart;
  silent->silent = here;
  EXPECT_EQ(of(then_.get(), nullptr).substr(0, 8), "gpu_gone");
}

TEST_F(VerdictTest, OneThatWentBeforeItsExporterIsGoneItself) {
  auto nodes = Nodes({Dcgm(TargetState::kDown)}, 1);
  nodes->as_of = kStart + 600;
  ShownLast shown;
  shown.Add({.seen = gpu_, .instant = kStart, .gone = kStart + 60});
  const auto of = [&] {
    const Verdict verdict = VerdictOf(gpu_, {.now = nodes.get(),
                                             .shown = shown.Of(gpu_),
                                             .shown_at = shown.InstantOf(gpu_),
                                             .gone = kStart + 60});
    return std::string(NameOf(verdict.loss));
  };
  EXPECT_EQ(of(), "exporter_down");
  LastSeen other = gpu_;
  other.gpu_id = "7";
  shown.Add({.seen = other, .instant = kStart, .gone = kStart + 60});
  EXPECT_EQ(of(), "exporter_down") << "all at once";
  shown.Add({.seen = other, .instant = kStart + 120, .gone = kStart + 180});
  EXPECT_EQ(of(), "gpu_gone") << "the exporter showed the other one without it";
}

TEST_F(VerdictTest, WhatAnExporterShowedLastIsTheNewestOfItsGpus) {
  ShownLast shown;
  LastSeen other = gpu_;
  gpu_.at = kStart;
  other.at = kStart + 10;
  shown.Add({.seen = gpu_});
  shown.Add({.seen = other});
  EXPECT_EQ(shown.Of(gpu_), kStart + 10);
  other.node = "m";
  EXPECT_TRUE(std::isnan(shown.Of(other)));
}

// Of a loss so long ago that nobody looked at its nodes then.
TEST_F(VerdictTest, WhoShowedItInTheWindowTellsWhatIsGone) {
  using Up = gpu::ActivityTarget::Up;
  auto silent = Nodes({Host(TargetState::kUp)});
  silent->silent = {{"gpu", "10.0.0.2:9400", false}};
  auto nobody = Nodes({});
  nobody->nodes.clear();
  nobody->silent = silent->silent;
  gpu::Activity window;
  window.steps = 3;
  const auto of = [&](const models::Snapshot& now) {
    const Verdict verdict = VerdictOf(gpu_, {&now, nullptr, nullptr, &window});
    return std::string(NameOf(verdict.loss)) + ": " + verdict.evidence;
  };
  EXPECT_EQ(of(*silent), "exporter_down: no dcgm of the node is scraped any more")
      << "it is none of those that are";
  EXPECT_EQ(of(*nobody),
            "node_gone: neither Kubernetes nor any exporter tells of the node any more");
  gpu::ActivityTarget& other = window.targets.emplace_back();
  other.names = {"uuid GPU-b"};
  other.always = Up::kUp;
  gpu::ActivityTarget& its = window.targets.emplace_back();
  its.job = "gpu";
  its.instance = "10.0.0.1:9400";
  its.names = {"uuid GPU-a"};
  its.up = {Up::kUp, Up::kUp, Up::kDown};
  for (const auto& now : {silent, nobody}) {
    EXPECT_EQ(of(*now), "exporter_down: dcgm (job gpu, 10.0.0.1:9400) is down");
  }
  gpu::ActivityTarget before = its;
  its.node = gpu_.node;
  before.node = "before";
  before.up.back() = Up::kUp;
  window.targets.push_back(before);
  EXPECT_EQ(of(*nobody), "exporter_down: dcgm (job gpu, 10.0.0.1:9400) is down")
      << "the node that it came from says nothing of this one";
  window.targets[1].up.back() = Up::kUp;
  for (const auto& now : {silent, nobody}) {
    EXPECT_EQ(of(*now),
              "gpu_gone: dcgm (job gpu, 10.0.0.1:9400) is up and shows no GPU of the node");
  }
}

TEST_F(VerdictTest, WhatIsNotKnownIsNotGuessed) {
  auto partial = Nodes({Dcgm(TargetState::kUp)});
  partial->partial = true;
  EXPECT_EQ(Of(partial), ": what is known of nodes is not complete");
  EXPECT_EQ(Of(nullptr), ": what is known of nodes is not complete");
  gpu_.node.clear();
  EXPECT_EQ(Of(Nodes({})), ": no exporter said which node it was on");
}

}  // namespace
}  // namespace gpumon::fleet
