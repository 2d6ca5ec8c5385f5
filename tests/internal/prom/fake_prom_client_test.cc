#include "tests/fakes/prom/fake_prom_client.h"

#include <gtest/gtest.h>

#include <future>

namespace gpumon::prom {
namespace {

class FakePromClientTest : public ::testing::Test {
 protected:
  std::future<Result<QueryResult>> Ask(const std::string& promql) {
    auto answer = std::make_shared<std::promise<Result<QueryResult>>>();
    client_.Query({promql, 5}, Deadline::After(clock_, Millis(1000)),
                  [answer](Result<QueryResult> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  SystemClock clock_;
  FakePromClient client_;
};

TEST_F(FakePromClientTest, AnswersByTextThenByFunctionThenWithNothing) {
  EXPECT_EQ(std::get<InstantVector>(Ask("b").get()->value).size(), 0U);
  client_.SetFunction([](const FakePromClient::Call& call) {
    return MakeResult({{{{"node", "n"}, {"gpu", "0"}}, 2, call.start}});
  });
  client_.SetError("a", Code::kUpstreamTimeout);
  EXPECT_EQ(Ask("a").get().error().code, Code::kUpstreamTimeout);
  const Result<QueryResult> result = Ask("b").get();
  const auto& vector = std::get<InstantVector>(result->value);
  EXPECT_EQ(vector.point(0).at, 5);
  EXPECT_EQ(vector.labels(0)[0].name, "gpu");
  EXPECT_EQ(Get(vector.labels(0), "node"), "n");
  EXPECT_EQ(client_.call_count("b"), 2U);
  EXPECT_EQ(client_.call_count(), 3U);
}

TEST_F(FakePromClientTest, HoldsAnswersUntilTold) {
  client_.Hold("a");
  auto held = Ask("a");
  EXPECT_TRUE(Ask("b").get());
  EXPECT_EQ(client_.held_count(), 1U);
  client_.TimeOutHeld();
  EXPECT_EQ(held.get().error().code, Code::kUpstreamTimeout);
  held = Ask("a");
  client_.SetAnswer("a", std::vector<FakeSample>{{{{"x", "y"}}, 1, 2}});
  client_.Release();
  EXPECT_EQ(std::get<InstantVector>(held.get()->value).size(), 1U);
  EXPECT_TRUE(Ask("a").get());
}

}  // namespace
}  // namespace gpumon::prom
