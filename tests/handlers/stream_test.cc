// GET /api/v1/gpu/stream over a source that a test fills and a connection that it looks into.
#include "handlers/stream.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "tests/fakes/events/event_reader.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using http::Stream;
using models::Quantity;
using models::Text;

constexpr char kStream[] = "/api/v1/gpu/stream";

// A connection that keeps what it is given.
class FakeStream final : public Stream {
 public:
  Written Write(http::Body data) override {
    MutexLock lock(mutex_);
    if (gone_ || ended_) return Written::kGone;
    if (behind_) return Written::kBehind;
    bodies_.push_back(std::move(data));
    return Written::kQueued;
  }
  void End(http::Body last) override {
    MutexLock lock(mutex_);
    if (std::exchange(ended_, true) || !last) return;
    bodies_.push_back(std::move(last));
  }
  bool Alive() const override {
    MutexLock lock(mutex_);
    return !gone_ && !ended_;
  }

  void Leave() {
    MutexLock lock(mutex_);
    gone_ = true;
  }
  void FallBehind() {
    MutexLock lock(mutex_);
    behind_ = true;
  }
  // The client takes all that there is.
  void Discard() {
    MutexLock lock(mutex_);
    bodies_.clear();
  }
  bool ended() const {
    MutexLock lock(mutex_);
    return ended_;
  }
  std::vector<http::Body> bodies() const {
    MutexLock lock(mutex_);
    return bodies_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<http::Body> bodies_ GUARDED_BY(mutex_);
  bool gone_ GUARDED_BY(mutex_) = false;
  bool behind_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
};

// A client and what it has read.
struct Watcher {
  std::shared_ptr<FakeStream> stream = std::make_shared<FakeStream>();
  Answer head;
  events::EventReader reader;
  events::Follower follower;
  std::vector<events::Event> events;
  std::size_t read = 0;

  // The names of the events since the last call.
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto bodies = stream->bodies();
    for (; read < bodies.size(); ++read) {
      for (auto& event : reader.Take(*bodies[read])) {
        EXPECT_TRUE(follower.Take(event)) << event.data;
        names.push_back(event.name);
        events.push_back(std::move(event));
      }
    }
    return names;
  }
  json::Value last() const { return events.back().json(); }
};

using Names = std::vector<std::string>;

class StreamRouteTest : public HandlersTest {
 protected:
  std::unique_ptr<Watcher> Watch(const std::string& target = kStream, http::Headers headers = {}) {
    auto watcher = std::make_unique<Watcher>();
    watcher->head = Answer{Begin(RequestOf(target, std::move(headers)), watcher->stream).get()};
    Settle();
    return watcher;
  }

  // All that was posted is done, and what that posted.
  void Settle() {
    for (int i = 0; i < 12; ++i) {
      std::promise<void> reached;
      pool_.Post([&] { reached.set_value(); });
      reached.get_future().wait();
    }
  }

  // As the program does, `after` the last time.
  void Tick(Millis after = Millis(200)) {
    clock_.Advance(after);
    live_feed_.Tick();
    Settle();
  }

  // The next snapshot, two seconds on; the samples too, unless they stand still.
  std::shared_ptr<models::Snapshot> Next(bool samples_move = true) {
    auto next = std::make_shared<models::Snapshot>();
    next->as_of = now_->as_of + 2;
    next->sources = now_->sources;
    next->workloads = now_->workloads;
    next->gpus = now_->gpus;
    if (samples_move) {
      for (auto& gpu : next->gpus) {
        gpu.newest += 2;
        gpu.oldest += 2;
      }
    }
    before_.push_back(std::exchange(now_, next));  // texts of rows lie in the first one's arena
    return next;
  }
  void Publish() {
    Serve(now_);
    Tick();
  }
  static void SetUtilization(models::GpuMetrics& gpu, double percent) {
    gpu.readings.Set(static_cast<std::size_t>(Quantity::kUtilization), percent);
  }
  void ServeStale(Code code) {
    gpu::Got got;
    got.snapshot = now_;
    got.stale = true;
    got.why = Status{code, "why"};
    source_.gpus = got;
  }

  // What the list answers with the same filters, as a client of the stream would hold it.
  std::vector<std::string> Listed(const std::string& query,
                                  const std::vector<std::string>& left_out = {}) {
    std::vector<std::string> rows;
    const json::Value list = Get("/api/v1/gpu/metrics" + query).json();
    for (const auto& row : list["data"].elements()) {
      rows.push_back(events::TextOf(row, left_out));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  static std::vector<std::string> Held(const Watcher& watcher,
                                       std::vector<std::string> left_out = {}) {
    left_out.emplace_back("key");
    std::vector<std::string> rows;
    for (const auto& [key, row] : watcher.follower.rows()) {
      rows.push_back(events::TextOf(row, left_out));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  std::shared_ptr<models::Snapshot> now_ = ThreeGpus();
  std::vector<std::shared_ptr<models::Snapshot>> before_;
};

TEST_F(StreamRouteTest, BeginsWithEveryRowOfTheList) {
  Serve(now_);
  const auto watcher = Watch();
  EXPECT_EQ(watcher->head.status(), 200);
  EXPECT_EQ(watcher->head.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(watcher->head.header("Cache-Control"), "no-cache, no-transform");
  EXPECT_EQ(watcher->head.header("X-Accel-Buffering"), "no");
  EXPECT_NE(watcher->head.header("X-Request-Id"), "");
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  EXPECT_EQ(watcher->reader.retry(), 2000);
  EXPECT_NE(watcher->reader.last_id(), "");
  EXPECT_EQ(Held(*watcher), Listed(""));
  const auto meta = Get("/api/v1/gpu/metrics").json()["meta"];
  for (const char* shared : {"as_of", "stale", "partial", "sources", "null_reasons"}) {
    EXPECT_EQ(events::TextOf(watcher->last()[shared]), events::TextOf(meta[shared])) << shared;
  }
  EXPECT_EQ(watcher->follower.rows().count("a/0"), 1U);
  EXPECT_EQ(watcher->follower.rows().count("b/x"), 1U);
}

TEST_F(StreamRouteTest, ThenSendsTheRowsThatChangedAndNoOthers) {
  Serve(now_);
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  const std::string first = watcher->reader.last_id();
  SetUtilization(Next()->gpus[1], 33);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  ASSERT_EQ(watcher->last()["changed"].size(), 1U);
  EXPECT_EQ(*watcher->last()["changed"][0]["key"].AsString(), "a/1");
  EXPECT_EQ(watcher->last()["removed"].size(), 0U);
  EXPECT_EQ(watcher->last().Find("null_reasons"), nullptr);
  EXPECT_NE(watcher->reader.last_id(), first);
  EXPECT_EQ(Held(*watcher, {"timestamp"}), Listed("", {"timestamp"}));
  // The row that was sent has its own times.
  EXPECT_EQ(events::TextOf(watcher->follower.rows().at("a/1"), {"key"}), Listed("?gpu=1").front());
}

TEST_F(StreamRouteTest, SendsNothingWhenNothingChanged) {
  Serve(now_);
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  Tick();
  Next();
  Publish();
  EXPECT_EQ(watcher->Names(), Names{});
  EXPECT_EQ(watcher->reader.comments(), 0U);
}

TEST_F(StreamRouteTest, AHeartbeatShowsThatItIsThere) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  Tick(Millis(14'000));
  EXPECT_EQ(watcher->Names(), Names{});
  EXPECT_EQ(watcher->reader.comments(), 0U);
  Tick(Millis(1'500));
  EXPECT_EQ(watcher->Names(), Names{});
  EXPECT_EQ(watcher->reader.comments(), 1U);
  Tick(Millis(2'000));
  watcher->Names();
  EXPECT_EQ(watcher->reader.comments(), 1U);
}

TEST_F(StreamRouteTest, ARowThatStaysAsItIsIsSentAgainWhenItsTimeIsTenSecondsOld) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  for (int i = 0; i < 5; ++i) {
    Next();
    Publish();
    EXPECT_EQ(watcher->Names(), Names{}) << i;
  }
  Next();
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(Held(*watcher), Listed(""));
  // Samples that stand still grow older, and that is told too.
  for (int i = 0; i < 5; ++i) Next(false);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{});
  Next(false);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(Held(*watcher), Listed(""));
}

TEST_F(StreamRouteTest, TimesThatWereNotAskedForAreNoChange) {
  Serve(now_);
  const auto watcher = Watch(std::string(kStream) + "?fields=node_name,utilization");
  watcher->Names();
  for (int i = 0; i < 10; ++i) {
    Next();
    Publish();
  }
  EXPECT_EQ(watcher->Names(), Names{});
  EXPECT_EQ(Held(*watcher), Listed("?fields=node_name,utilization"));
}

TEST_F(StreamRouteTest, RowsThatComeAndGoAreTold) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  Next()->gpus.erase(now_->gpus.begin() + 1);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(events::TextOf(watcher->last()["removed"]), R"(["a/1",])");
  EXPECT_EQ(watcher->follower.rows().size(), 2U);
  Next()->gpus.insert(now_->gpus.begin(), before_.front()->gpus.front());
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  ASSERT_EQ(watcher->last()["changed"].size(), 1U);
  EXPECT_EQ(watcher->follower.rows().size(), 3U);
}

TEST_F(StreamRouteTest, AFilterIsFollowedInAndOut) {
  Serve(now_);
  const auto watcher = Watch(std::string(kStream) + "?min_utilization=50");
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  EXPECT_EQ(Held(*watcher), Listed("?min_utilization=50"));
  EXPECT_EQ(watcher->follower.rows().size(), 1U);
  SetUtilization(Next()->gpus[0], 10);
  SetUtilization(now_->gpus[2], 90);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(events::TextOf(watcher->last()["removed"]), R"(["a/0",])");
  EXPECT_EQ(Held(*watcher), Listed("?min_utilization=50"));
  // What happens outside of the filter is none of its business.
  SetUtilization(Next()->gpus[1], 5);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{});
}

TEST_F(StreamRouteTest, EveryFilterOfTheListMeansTheSame) {
  Serve(now_);
  Serve(TwoProcesses());
  for (const std::string query :
       {"?node=b", "?gpu=1&gpu=x", "?uuid=*", "?model=*V100", "?namespace=ml&pod=train-*",
        "?max_temperature=50", "?user=alice", "?fields=gpu_id,power", "?node=nobody"}) {
    live_feed_.Tick();
    const auto watcher = Watch(kStream + query);
    EXPECT_EQ(watcher->Names(), Names{"snapshot"}) << query;
    EXPECT_EQ(Held(*watcher), Listed(query)) << query;
    watcher->stream->Leave();
    Tick(Millis(1'100));
  }
}

TEST_F(StreamRouteTest, WhatHasNoMeaningForAStreamIsRefused) {
  Serve(now_);
  for (const std::string query : {"sort=node_name", "limit=1", "offset=1", "at=1", "stale=never",
                                  "partial=abort", "format=csv", "fields=nothing", "colour=red"}) {
    const auto answer = Get(std::string(kStream) + '?' + query);
    EXPECT_EQ(answer.status(), 400) << query;
    EXPECT_EQ(*answer.json()["code"].AsString(), "invalid_parameter");
  }
}

TEST_F(StreamRouteTest, ClientsOfTheSameRowsShareTheBytes) {
  Serve(now_);
  const auto one = Watch();
  const auto two = Watch();
  SetUtilization(Next()->gpus[1], 33);
  Publish();
  ASSERT_EQ(one->stream->bodies().size(), 3U);
  ASSERT_EQ(two->stream->bodies().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one->stream->bodies()[i], two->stream->bodies()[i]) << i;
  }
}

TEST_F(StreamRouteTest, AsksForNothingWhileNobodyFollows) {
  Serve(now_);
  Tick();
  EXPECT_EQ(source_.wants.size(), 0U);
  const auto watcher = Watch();
  EXPECT_EQ(source_.wants.size(), 1U);
  Tick();
  Tick();
  EXPECT_EQ(source_.wants.size(), 3U);
  for (const auto& want : source_.wants) EXPECT_EQ(want.part, models::Part::kGpus);
  watcher->stream->Leave();
  Tick(Millis(1'100));
  const std::size_t asked = source_.wants.size();
  Tick();
  Tick();
  EXPECT_EQ(source_.wants.size(), asked);
  EXPECT_EQ(live_feed_.clients(), 0U);
}

TEST_F(StreamRouteTest, WhileARefreshIsUnderWayItIsNotAskedForAgain) {
  Serve(now_);
  source_.holding = true;
  const auto watcher = Watch();
  Tick();
  Tick();
  EXPECT_EQ(source_.wants.size(), 1U);
  EXPECT_EQ(watcher->Names(), Names{});
  source_.Release();
  Settle();
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
}

TEST_F(StreamRouteTest, StaleDataIsToldOnceAndSoIsItsEnd) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  ServeStale(Code::kUpstreamUnreachable);
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_TRUE(watcher->follower.stale());
  EXPECT_FALSE(watcher->follower.expired());
  EXPECT_EQ(watcher->follower.code(), "upstream_unreachable");
  EXPECT_EQ(*watcher->last()["as_of"].AsString(), "2024-01-01T12:00:00Z");
  Tick();
  EXPECT_EQ(watcher->Names(), Names{});
  // Another reason is news.
  ServeStale(Code::kUpstreamTimeout);
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  // Older than MAX_STALE: the lists would show none.
  source_.gpus = Error(Code::kUpstreamTimeout, "no answer");
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_TRUE(watcher->follower.expired());
  SetUtilization(Next()->gpus[1], 33);
  Publish();
  // The rows first: what the status says is then true of them.
  EXPECT_EQ(watcher->Names(), (Names{"changes", "status"}));
  EXPECT_FALSE(watcher->follower.stale());
  EXPECT_FALSE(watcher->follower.expired());
  EXPECT_EQ(watcher->follower.code(), "");
  EXPECT_EQ(Held(*watcher, {"timestamp"}), Listed("", {"timestamp"}));
}

TEST_F(StreamRouteTest, ASourceThatDoesNotAnswerMakesDataStale) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  source_.holding = true;
  Tick();
  Tick(Millis(2'900));
  EXPECT_EQ(watcher->Names(), Names{});
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_EQ(watcher->follower.code(), "upstream_timeout");
  EXPECT_FALSE(watcher->follower.expired());
  Tick();
  EXPECT_EQ(watcher->Names(), Names{});
  source_.Release();
  Settle();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_FALSE(watcher->follower.stale());
}

TEST_F(StreamRouteTest, WhoComesWhileDataIsStaleIsTold) {
  Serve(now_);
  ServeStale(Code::kUpstreamTls);
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Names(), (Names{"snapshot", "status"}));
  EXPECT_TRUE(*watcher->events[0].json()["stale"].AsBool());
  EXPECT_EQ(watcher->events[0].json()["warnings"].size(), 1U);
  EXPECT_EQ(watcher->follower.code(), "upstream_tls");
  // The same rows without the warning, once they are of the present again.
  Serve(now_);
  const auto fresh = Watch();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_EQ(fresh->Names(), Names{"snapshot"});
  EXPECT_FALSE(fresh->follower.stale());
  EXPECT_EQ(fresh->last()["warnings"].size(), 0U);
}

TEST_F(StreamRouteTest, WhoComesBeforeThereIsAnythingWaitsForIt) {
  const auto watcher = Watch();
  EXPECT_EQ(watcher->head.status(), 200);
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_TRUE(watcher->follower.expired());
  EXPECT_TRUE(watcher->last()["as_of"].is_null());
  Tick();
  EXPECT_EQ(watcher->Names(), Names{});
  Serve(now_);
  Tick();
  EXPECT_EQ(watcher->Names(), (Names{"snapshot", "status"}));
  EXPECT_FALSE(watcher->follower.expired());
  EXPECT_EQ(Held(*watcher), Listed(""));
}

TEST_F(StreamRouteTest, APartialAnswerAndItsWarningsAreTold) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  Next()->partial = true;
  now_->warnings = {"1 query failed"};
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_TRUE(*watcher->last()["partial"].AsBool());
  EXPECT_EQ(watcher->last()["warnings"].size(), 1U);
  EXPECT_EQ(watcher->last()["changed"].size(), 0U);
}

TEST_F(StreamRouteTest, SharedReasonsAreToldWhenTheyChange) {
  Serve(now_);
  const auto watcher = Watch(std::string(kStream) + "?fields=node_name,power");
  watcher->Names();
  EXPECT_EQ(*watcher->last()["null_reasons"]["power"].AsString(), "not_exported");
  for (auto& gpu : Next()->gpus) {
    gpu.readings.Set(static_cast<std::size_t>(Quantity::kPower), 300);
  }
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(events::TextOf(watcher->last()["null_reasons"]), "{}");
  EXPECT_EQ(watcher->last()["changed"].size(), 3U);
}

TEST_F(StreamRouteTest, WhoComesBackGetsOnlyWhatHeMissed) {
  Serve(now_);
  const auto stays = Watch();
  const auto leaves = Watch();
  leaves->Names();
  leaves->stream->Leave();
  SetUtilization(Next()->gpus[0], 33);
  Publish();
  SetUtilization(Next()->gpus[2], 44);
  now_->gpus.erase(now_->gpus.begin() + 1);
  Publish();
  auto back = Watch(kStream, {{"Last-Event-ID", leaves->reader.last_id()}});
  back->follower = leaves->follower;
  EXPECT_EQ(back->Names(), Names{"changes"});
  EXPECT_EQ(back->last()["changed"].size(), 2U);
  EXPECT_EQ(events::TextOf(back->last()["removed"]), R"(["a/1",])");
  EXPECT_EQ(Held(*back), Listed(""));
  stays->Names();
  EXPECT_EQ(back->reader.last_id(), stays->reader.last_id());
  // Who missed nothing is told that.
  back->stream->Leave();
  Tick(Millis(1'100));
  const auto again = Watch(kStream, {{"Last-Event-ID", back->reader.last_id()}});
  EXPECT_EQ(again->Names(), Names{"changes"});
  EXPECT_EQ(again->last()["changed"].size(), 0U);
}

TEST_F(StreamRouteTest, TheOnlyClientComesBackTooButNotAfterAMinute) {
  Serve(now_);
  const auto first = Watch();
  first->Names();
  first->stream->Leave();
  Tick(Millis(1'100));
  EXPECT_EQ(live_feed_.clients(), 0U);
  SetUtilization(Next()->gpus[1], 33);
  Serve(now_);
  const auto second = Watch(kStream, {{"Last-Event-ID", first->reader.last_id()}});
  EXPECT_EQ(second->Names(), Names{"changes"});
  EXPECT_EQ(second->last()["changed"].size(), 1U);
  second->stream->Leave();
  Tick(Millis(1'100));
  Tick(Millis(61'000));
  Tick(Millis(1'100));
  const auto third = Watch(kStream, {{"Last-Event-ID", second->reader.last_id()}});
  EXPECT_EQ(third->Names(), Names{"snapshot"});
}

TEST_F(StreamRouteTest, AnIdOfOtherRowsOrNobodysIsNone) {
  Serve(now_);
  const auto all = Watch();
  all->Names();
  const std::string id = all->reader.last_id();
  const auto other = Watch(std::string(kStream) + "?node=a", {{"Last-Event-ID", id}});
  EXPECT_EQ(other->Names(), Names{"snapshot"});
  for (const std::string& wrong :
       {id + "0", id + "x", id.substr(0, id.size() - 1), id + "999999999999999999999",
        std::string("-"), std::string("1")}) {
    const auto watcher = Watch(kStream, {{"Last-Event-ID", wrong}});
    EXPECT_EQ(watcher->Names(), Names{"snapshot"}) << wrong;
    watcher->stream->Leave();
    Tick(Millis(1'100));
  }
}

TEST_F(StreamRouteTest, RowsThatComeAndGoForDaysLeaveNothingBehind) {
  Serve(now_);
  const auto watcher = Watch();
  watcher->Names();
  const std::string first = watcher->reader.last_id();
  // More rows than may be remembered come and go.
  std::vector<std::string> nodes;
  nodes.reserve(1500);
  for (int i = 0; i < 1500; ++i) nodes.push_back("n" + std::to_string(i));
  Next();
  for (const std::string& node : nodes) {
    now_->gpus.push_back(now_->gpus.front());
    now_->gpus.back().set_text(Text::kNode, node);
  }
  Publish();
  Next()->gpus.resize(3);
  Publish();
  EXPECT_EQ(watcher->Names(), (Names{"changes", "changes"}));
  EXPECT_EQ(watcher->last()["removed"].size(), 1500U);
  SetUtilization(Next()->gpus[0], 1);
  Publish();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(Held(*watcher, {"timestamp"}), Listed("", {"timestamp"}));
  // What was removed is not known any more: who comes back from before gets all.
  EXPECT_EQ(Watch(kStream, {{"Last-Event-ID", first}})->Names(), Names{"snapshot"});
}

TEST_F(StreamRouteTest, OneWhoDoesNotKeepUpIsToldAndLetGo) {
  Serve(now_);
  const auto slow = Watch();
  const auto quick = Watch();
  slow->stream->FallBehind();
  SetUtilization(Next()->gpus[1], 33);
  Publish();
  EXPECT_EQ(slow->Names(), (Names{"snapshot", "lag"}));
  EXPECT_TRUE(slow->stream->ended());
  EXPECT_EQ(slow->reader.retry(), 5000);
  EXPECT_EQ(quick->Names(), (Names{"snapshot", "changes"}));
  EXPECT_EQ(live_feed_.clients(), 1U);
  EXPECT_NE(metrics_.Text().find("gpu_monitoring_stream_events_total{event=\"lag\"} 1"),
            std::string::npos);
}

TEST_F(StreamRouteTest, BeyondTheBudgetOnlyTheListOfAllGoesOn) {
  Serve(now_);
  const auto all = Watch();
  const auto few = Watch(std::string(kStream) + "?max_utilization=100");
  EXPECT_EQ(all->Names(), Names{"snapshot"});
  EXPECT_EQ(few->Names(), Names{"snapshot"});
  // One who takes nothing: his events stay, and are more than the budget of this test.
  for (int i = 0; i < 40; ++i) {
    SetUtilization(Next()->gpus[1], i + 1);
    Publish();
  }
  const Names names = few->Names();
  ASSERT_GT(names.size(), 1U);
  EXPECT_EQ(names.front(), "changes");
  EXPECT_EQ(names.back(), "lag");
  EXPECT_EQ(all->Names(), Names(40, "changes"));
  // Who comes waits until there is room again.
  const auto late = Watch(std::string(kStream) + "?max_utilization=100");
  EXPECT_EQ(late->head.status(), 200);
  EXPECT_EQ(late->Names(), Names{});
  few->stream->Discard();
  all->stream->Discard();
  SetUtilization(Next()->gpus[1], 99);
  Publish();
  EXPECT_EQ(late->Names(), Names{"snapshot"});
}

TEST_F(StreamRouteTest, MoreClientsThanMayAreRefusedUntilOneLeaves) {
  Serve(now_);
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 3; ++i) watchers.push_back(Watch());
  const auto refused = Get(kStream);
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(*refused.json()["code"].AsString(), "overloaded");
  EXPECT_EQ(refused.header("Retry-After"), "5");
  EXPECT_NE(metrics_.Text().find("sheds_total{reason=\"stream_clients\"} 1"), std::string::npos);
  watchers[1]->stream->Leave();
  Tick(Millis(1'100));
  EXPECT_EQ(Watch()->head.status(), 200);
}

TEST_F(StreamRouteTest, TheEndIsToldAndNobodyComesAfter) {
  Serve(now_);
  const auto watcher = Watch();
  live_feed_.End(Millis(20'000));
  EXPECT_EQ(watcher->Names(), (Names{"snapshot", "end"}));
  EXPECT_GE(watcher->reader.retry(), 1000);
  EXPECT_TRUE(watcher->stream->ended());
  EXPECT_EQ(live_feed_.clients(), 0U);
  const auto late = Get(kStream);
  EXPECT_EQ(late.status(), 503);
  EXPECT_EQ(*late.json()["code"].AsString(), "draining");
}

TEST_F(StreamRouteTest, HeadIsAnsweredWithTheHeadAlone) {
  Serve(now_);
  auto request = RequestOf(kStream);
  request.method = "HEAD";
  const auto stream = std::make_shared<FakeStream>();
  const Answer answer{Begin(std::move(request), stream).get()};
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("Content-Type"), "text/event-stream");
  Settle();
  EXPECT_EQ(stream->bodies().size(), 0U);
  EXPECT_EQ(live_feed_.clients(), 0U);
  EXPECT_EQ(source_.wants.size(), 0U);
}

TEST_F(StreamRouteTest, AFilterByUserFollowsTheProcesses) {
  Serve(now_);
  Serve(TwoProcesses());
  Next()->gpus[0].set_text(Text::kNode, "gpu-node-1");
  Serve(now_);
  const auto watcher = Watch(std::string(kStream) + "?user=alice");
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  EXPECT_EQ(watcher->follower.rows().size(), 1U);
  // Only the processes change.
  auto processes = TwoProcesses();
  processes->processes.erase(processes->processes.begin());
  Serve(processes);
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"changes"});
  EXPECT_EQ(events::TextOf(watcher->last()["removed"]), R"(["gpu-node-1/0",])");
  source_.processes = Error(Code::kUpstreamTimeout, "no answer");
  Tick();
  EXPECT_EQ(watcher->Names(), Names{"status"});
  EXPECT_TRUE(watcher->follower.expired());
  Serve(TwoProcesses());
  Tick();
  EXPECT_EQ(watcher->Names(), (Names{"changes", "status"}));
  EXPECT_EQ(watcher->follower.rows().size(), 1U);
}

TEST_F(StreamRouteTest, RowsOfOneNameAreTwoRows) {
  Next()->gpus[1] = now_->gpus[0];
  Serve(now_);
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Names(), Names{"snapshot"});
  EXPECT_EQ(watcher->follower.rows().size(), 3U);
  EXPECT_EQ(watcher->follower.rows().count("a/0#2"), 1U);
  EXPECT_EQ(Held(*watcher), Listed(""));
}

}  // namespace
}  // namespace gpumon::handlers
