#include "handlers/dstack.h"

#include <gtest/gtest.h>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using DstackRouteTest = HandlersTest;

TEST_F(DstackRouteTest, AHostThatIsThereIsABareBackendInfo) {
  dstack_ = {true, R"({"gpu_count":0,"gpus":[],"allow_attach_all":true})"};
  const auto answer = Get("/health");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(answer.body(), R"({"version":"1.0.0","topic":"dstack-gpu-monitor","pubkeys":[],)"
                           R"("status":"available","metadata":"{\"gpu_count\":0,\"gpus\":[],)"
                           R"(\"allow_attach_all\":true}"})");
}

TEST_F(DstackRouteTest, OneThatIsNotIs503AndSaysWhy) {
  dstack_ = {false, "Connection error: the connection was refused"};
  const auto answer = Get("/health");
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer.body(),
            R"({"version":"1.0.0","topic":"dstack-gpu-monitor","pubkeys":[],)"
            R"("status":"unavailable","metadata":"Connection error: the connection was refused"})");
}

TEST_F(DstackRouteTest, NeitherATokenNorAParameterMatters) {
  token_ = "secret";
  dstack_ = {true, "{}"};
  EXPECT_EQ(Get("/health").status(), 200);
  const auto odd = Get("/health?_=1717&x=%zz");
  EXPECT_EQ(odd.status(), 200);
  EXPECT_EQ(odd.body(), Get("/health").body());
}

}  // namespace
}  // namespace gpumon::handlers
