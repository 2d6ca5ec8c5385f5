// The real handlers over a source that a test fills.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/api.h"
#include "handlers/hakuriver_host.h"
#include "handlers/live_feed.h"
#include "handlers/render_cache.h"
#include "handlers/services.h"
#include "internal/base/executor.h"
#include "internal/base/log.h"
#include "internal/fetch/client.h"
#include "internal/gpu/source.h"
#include "internal/hakuriver/client.h"
#include "internal/http/server.h"
#include "internal/json/document.h"
#include "models/gpu.h"
#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::handlers {

// Answers with what it was told, at once or when it is released, and remembers what was wanted.
class FakeSource final : public gpu::Source {
 public:
  void Get(const gpu::Want& want, Deadline deadline, gpu::GotSnapshot done) override {
    wants.push_back(want);
    deadlines.push_back(deadline);
    const std::array answers = {&gpus, &processes, &pods, &nodes, &tasks, &alerts};
    const bool then = want.part == models::Part::kGpus && want.at && *want.at == past_at;
    const auto& answer = then ? past : *answers[static_cast<std::size_t>(want.part)];
    if (holding) {
      held.push_back([answer, done = std::move(done)] { done(answer); });
    } else {
      done(answer);
    }
  }
  void Release() {
    holding = false;
    for (const auto& answer : std::exchange(held, {})) answer();
  }

  Result<gpu::Got> gpus = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  Result<gpu::Got> processes = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  // Of GPUs at that instant.
  std::optional<WallTime> past_at;
  Result<gpu::Got> past = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  bool holding = false;
  std::vector<std::function<void()>> held;
  // Without kube-state-metrics.
  Result<gpu::Got> pods = gpu::Got{.snapshot = std::make_shared<models::Snapshot>(), .why = {}};
  Result<gpu::Got> nodes = gpu::Got{.snapshot = std::make_shared<models::Snapshot>(), .why = {}};
  Result<gpu::Got> tasks = gpu::Got{.snapshot = std::make_shared<models::Snapshot>(), .why = {}};
  // Without rules.
  Result<gpu::Got> alerts = gpu::Got{.snapshot = std::make_shared<models::Snapshot>(), .why = {}};
  std::vector<gpu::Want> wants;
  std::vector<Deadline> deadlines;
};

// Gives the answer to whoever waits; a dropped responder gives status 0.
class FakeResponder final : public http::Responder {
 public:
  FakeResponder(std::promise<http::Response> answer, std::shared_ptr<http::Stream> stream)
      : answer_(std::move(answer)), stream_(std::move(stream)) {}
  ~FakeResponder() override {
    if (!answered_) answer_.set_value(http::Response{0, {}, nullptr});
  }
  void Send(http::Response response) override {
    EXPECT_FALSE(answered_) << "answered twice";
    answered_ = true;
    answer_.set_value(std::move(response));
  }
  std::shared_ptr<http::Stream> StartStream(http::Response head) override {
    EXPECT_FALSE(answered_) << "answered twice";
    answered_ = true;
    answer_.set_value(std::move(head));
    return stream_;
  }
  bool Alive() const override { return true; }

 private:
  std::promise<http::Response> answer_;
  const std::shared_ptr<http::Stream> stream_;
  bool answered_ = false;
};

struct Answer {
  http::Response raw;

  int status() const { return raw.status; }
  std::string body() const { return raw.body ? *raw.body : std::string(); }
  // "" when absent.
  std::string header(std::string_view name) const {
    const std::string* value = http::Find(raw.headers, name);
    return value == nullptr ? std::string() : *value;
  }
  json::Value json() const {
    auto parsed = json::ParseDocument(body());
    EXPECT_TRUE(parsed.has_value()) << body();
    return parsed ? *parsed : json::Value();
  }
};

// Stands for a HakuRiver host of today: one node, one task (1), one VPS.
class CannedHakuRiver final : public fetch::Client {
 public:
  explicit CannedHakuRiver(Executor& executor) : executor_(executor) {}
  void Fetch(fetch::Request request, Deadline deadline, fetch::Done done) override;

 private:
  Executor& executor_;
};

class HandlersTest : public ::testing::Test {
 protected:
  HandlersTest();
  ~HandlersTest() override { pool_.Stop(); }

  // One request through Api::Handle, as the server would give it.
  Answer Get(const std::string& target, http::Headers headers = {});
  Answer Ask(http::Request request) { return Answer{Begin(std::move(request)).get()}; }
  // Does not wait for the answer.
  // `stream`: for an answer that is one.
  std::future<http::Response> Begin(http::Request request,
                                    std::shared_ptr<http::Stream> stream = nullptr);
  static http::Request RequestOf(const std::string& target, http::Headers headers = {});
  // The route that serves `path`, or a failure.
  static int RouteOf(std::string_view path);

  // A snapshot of three GPUs: a/0 with everything, a/1 without temperature, b/x with a text id.
  static std::shared_ptr<models::Snapshot> ThreeGpus();
  static std::shared_ptr<models::Snapshot> TwoProcesses();
  void Walk(const gpu::RangeWant& want, const gpu::EachInstant& each, const gpu::RangeDone& done);
  // What was there in the day before, at each of its instants: source_.past.
  void WalkDay(const gpu::RangeWant& want, const gpu::EachInstant& each,
               const gpu::RangeDone& done);
  // a, with everything but a rate that is impossible.
  static std::shared_ptr<models::Snapshot> OneNode();
  // ml/train, a Job, and ml/train-0, its pod, which is on a.
  static std::shared_ptr<models::Snapshot> TwoTasks();
  // A route's path with one of these in the place of each {name}.
  static std::string Filled(std::string_view path);
  void Serve(std::shared_ptr<const models::Snapshot> snapshot);
  // `gpus`, and `past` an hour before with another one, b/9 of model L40. The exporters of b are
  // up.
  void ServeOneLost(const std::shared_ptr<models::Snapshot>& gpus,
                    const std::shared_ptr<models::Snapshot>& past);

  Settings settings_;
  FakeClock clock_;
  ThreadPool pool_{1, "test-worker"};
  ThreadPool slow_pool_{1, "test-slow"};
  FakeSource source_;
  gpu::Reachability reachability_;
  Lifecycle lifecycle_;
  RenderCache render_cache_;
  telemetry::Metrics metrics_{clock_, "1.2.3"};
  fleet::FindingAges finding_ages_;
  fleet::SeenGpus seen_gpus_;
  profile::CpuProfiler cpu_profiler_;
  LiveFeed live_feed_{source_, clock_, pool_, metrics_, {.max_clients = 3, .most_bytes = 50'000}};
  std::string token_;
  // What the join doctor was asked, and what it answers.
  gpu::GpuName explained_;
  double explained_at_ = 0;
  Result<models::Explanation> explanation_ = Error(Code::kNotFound, "there is no such GPU now");
  // At each instant of a walk: GPUs, then processes. The last ones stand for all that follow.
  std::vector<std::vector<gpu::SnapshotPtr>> walk_;
  std::optional<Status> walk_fails_;
  std::vector<gpu::RangeWant> walks_;
  std::vector<gpu::RangeWant> days_;
  Result<gpu::Activity> activity_ = gpu::Activity{};
  std::vector<gpu::ActivityWant> activity_wants_;
  dstack::Availability dstack_{true, "{}"};
  CannedHakuRiver canned_{pool_};
  hakuriver::Client canned_client_{
      canned_, clock_, {.base_url = "http://haku", .executor = &pool_}};
  HakuRiverHost canned_host_{canned_client_, clock_, {}};
  Services services_;
  Api api_;
};

}  // namespace gpumon::handlers
