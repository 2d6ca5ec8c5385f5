#include "internal/exporter/scrape_application.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <optional>

#include "internal/http/encoding.h"
#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::exporter {
namespace {

// Keeps tasks until the test runs them.
class ManualExecutor final : public Executor {
 public:
  bool Post(std::function<void()> task) override {
    if (stopped) return false;
    tasks.push_back(std::move(task));
    return true;
  }
  void RunOne() {
    ASSERT_FALSE(tasks.empty());
    const auto task = std::move(tasks.front());
    tasks.pop_front();
    task();
  }
  std::deque<std::function<void()>> tasks;
  bool stopped = false;
};

class CountingCollector final : public Collector {
 public:
  Result<void> Collect(WallTime at, std::string& out) const override {
    ++calls;
    if (fail) return Error(Code::kUnavailable, "no driver", "nvml: 9");
    out += "page " + std::to_string(calls) + " at " + std::to_string(at.time_since_epoch().count());
    return {};
  }
  mutable int calls = 0;
  bool fail = false;
};

class KeepingResponder final : public http::Responder {
 public:
  void Send(http::Response response) override { answer = std::move(response); }
  std::shared_ptr<http::Stream> StartStream(http::Response) override { return nullptr; }
  bool Alive() const override { return alive; }

  std::string Body() const { return answer && answer->body ? *answer->body : ""; }
  std::string Header(std::string_view name) const {
    const std::string* value = answer ? http::Find(answer->headers, name) : nullptr;
    return value == nullptr ? "" : *value;
  }
  std::optional<http::Response> answer;
  bool alive = true;
};

class ScrapeApplicationTest : public testing::Test {
 protected:
  std::shared_ptr<KeepingResponder> Get(int route, const std::string& accept_encoding = "") {
    auto responder = std::make_shared<KeepingResponder>();
    http::Request request;
    request.method = "GET";
    if (!accept_encoding.empty()) request.headers.push_back({"accept-encoding", accept_encoding});
    http::Match match;
    match.route = route;
    application.Handle(std::move(request), match, responder);
    return responder;
  }
  static constexpr int kMetrics = 0;
  static constexpr int kLivez = 1;
  static constexpr int kReadyz = 2;
  static constexpr int kIndex = 3;

  CountingCollector collector;
  FakeClock clock{WallTime(Millis(5000))};
  ManualExecutor executor;
  ScrapeApplication application{collector, clock, executor};
};

TEST_F(ScrapeApplicationTest, RoutesStandInTheOrderThatHandleExpects) {
  const auto routes = ScrapeApplication::Routes();
  ASSERT_EQ(routes.size(), 4U);
  EXPECT_EQ(routes[kMetrics].path, "/metrics");
  EXPECT_EQ(routes[kLivez].path, "/livez");
  EXPECT_EQ(routes[kReadyz].path, "/readyz");
  EXPECT_EQ(routes[kIndex].path, "/");
}

TEST_F(ScrapeApplicationTest, AScrapeIsWrittenOnTheExecutor) {
  const auto responder = Get(kMetrics);
  EXPECT_EQ(collector.calls, 0);
  EXPECT_FALSE(responder->answer.has_value());
  executor.RunOne();
  ASSERT_TRUE(responder->answer.has_value());
  EXPECT_EQ(responder->answer->status, 200);
  EXPECT_EQ(responder->Body(), "page 1 at 5000");
  EXPECT_EQ(responder->Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(responder->Header("Content-Encoding"), "");
}

TEST_F(ScrapeApplicationTest, WhoAcceptsGzipGetsGzip) {
  const auto zipped = Get(kMetrics, "gzip");
  const auto plain = Get(kMetrics);
  executor.RunOne();
  EXPECT_EQ(zipped->Header("Content-Encoding"), "gzip");
  EXPECT_EQ(zipped->Body(), http::Gzip("page 1 at 5000"));
  EXPECT_EQ(zipped->Header("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain->Body(), "page 1 at 5000");
}

TEST_F(ScrapeApplicationTest, RequestsThatWaitShareOnePage) {
  const auto first = Get(kMetrics);
  const auto second = Get(kMetrics);
  EXPECT_EQ(executor.tasks.size(), 1U);
  executor.RunOne();
  EXPECT_EQ(collector.calls, 1);
  EXPECT_EQ(first->answer->body.get(), second->answer->body.get());

  const auto third = Get(kMetrics);
  executor.RunOne();
  EXPECT_EQ(third->Body(), "page 2 at 5000");
}

TEST_F(ScrapeApplicationTest, NothingIsWrittenForClientsThatLeft) {
  Get(kMetrics)->alive = false;
  executor.RunOne();
  EXPECT_EQ(collector.calls, 0);
}

TEST_F(ScrapeApplicationTest, AFailedCollectionIsAnErrorWithoutItsDetail) {
  collector.fail = true;
  const auto responder = Get(kMetrics);
  executor.RunOne();
  EXPECT_EQ(responder->answer->status, 501);
  EXPECT_EQ(responder->Body(), "no driver\n");

  collector.fail = false;
  const auto next = Get(kMetrics);
  executor.RunOne();
  EXPECT_EQ(next->answer->status, 200);
}

TEST_F(ScrapeApplicationTest, AStoppedExecutorRefuses) {
  executor.stopped = true;
  EXPECT_EQ(Get(kMetrics)->answer->status, 503);
  executor.stopped = false;
  const auto next = Get(kMetrics);
  executor.RunOne();
  EXPECT_EQ(next->answer->status, 200) << "the refused request is forgotten";
}

TEST_F(ScrapeApplicationTest, ProbesAndTheIndexAnswerAtOnce) {
  EXPECT_EQ(Get(kLivez)->Body(), "ok\n");
  EXPECT_EQ(Get(kReadyz)->Body(), "ok\n");
  EXPECT_NE(Get(kIndex)->Body().find("/metrics"), std::string::npos);
  EXPECT_TRUE(executor.tasks.empty());
}

TEST_F(ScrapeApplicationTest, RefusalsAreTextWithTheirStatusAndAllow) {
  const http::Response response = application.Refuse(
      {Code::kMethodNotAllowed, "POST is not served here"}, nullptr, "GET, HEAD");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.body, "POST is not served here\n");
  EXPECT_EQ(*http::Find(response.headers, "Allow"), "GET, HEAD");
  const http::Response options = application.Options({}, "GET, HEAD");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(*http::Find(options.headers, "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace gpumon::exporter
