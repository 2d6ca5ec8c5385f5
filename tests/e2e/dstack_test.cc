// /health as a worker of Dephy asks it, with no Prometheus anywhere.
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

constexpr char kNowhere[] = "http://127.0.0.1:1";
constexpr char kOneGpu[] =
    R"({"gpus":[{"slot":"18:00.0","product_id":"10de:2335",)"
    R"("description":"NVIDIA Corporation GH100 [H200 SXM 141GB]","is_free":true}],)"
    R"("allow_attach_all":true})";

std::string MetadataOf(const Answer& answer) {
  return TextOf(json::ParseDocument(answer.body)->Find("metadata") == nullptr
                    ? json::Value()
                    : (*json::ParseDocument(answer.body))["metadata"]);
}

TEST(DstackTest, TheFirstQuestionBeginsAndEachChangeIsALine) {
  fault::FaultServer vmm;
  vmm.SetReply(fault::Json(kOneGpu));
  ApiServer server(kNowhere, {{"DSTACK_URL", vmm.url() + "/"}, {"DSTACK_INTERVAL", "100ms"}});
  const Answer there = server.Get("/health");
  EXPECT_EQ(there.status, 200) << there.body;
  EXPECT_EQ(there.body, R"({"version":"1.0.0","topic":"dstack-gpu-monitor","pubkeys":[],)"
                        R"("status":"available","metadata":"{\"gpu_count\":1,\"gpus\":[{)"
                        R"(\"slot\":\"18:00.0\",\"description\":\"NVIDIA Corporation GH100 )"
                        R"([H200 SXM 141GB]\",\"product_id\":\"10de:2335\",\"is_free\":true}],)"
                        R"(\"allow_attach_all\":true}"})");
  vmm.SetReply(fault::HttpStatus(500));
  EXPECT_TRUE(
      process::WaitUntil([&] { return server.Get("/health").status == 503; }, Millis(20'000)));
  EXPECT_EQ(MetadataOf(server.Get("/health")), "HTTP error: 500 Internal Server Error");
  vmm.SetReply(fault::Json(kOneGpu));
  EXPECT_TRUE(
      process::WaitUntil([&] { return server.Get("/health").status == 200; }, Millis(20'000)));
  EXPECT_EQ(server.Get("/api/healthz").status, 503) << "there is no Prometheus";
  EXPECT_EQ(server.Stop(), 0);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = server.log().find("DStack is ", at)) != std::string::npos; ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 3U) << server.log();
  EXPECT_TRUE(Holds(server.log(), "HTTP error: 500 Internal Server Error"));
}

TEST(DstackTest, WithoutAnAddressNobodyIsAskedBeforeTheFirstQuestion) {
  ApiServer server(kNowhere, {{"REQUEST_TIMEOUT", "2s"}});
  EXPECT_FALSE(Holds(server.log(), "DStack"));
  // Whatever is at the default address here: it is a BackendInfo.
  const Answer answer = server.Get("/health");
  EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.status;
  EXPECT_TRUE(answer.body.starts_with(R"({"version":"1.0.0","topic":"dstack-gpu-monitor")"));
}

TEST(DstackTest, AnAddressThatIsNoneStopsTheStart) {
  try {
    const ApiServer server(kNowhere, {{"DSTACK_URL", "user:hunter2@vmm"}});
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(Holds(error.what(), "--dstack-url (DSTACK_URL)")) << error.what();
    EXPECT_FALSE(Holds(error.what(), "hunter2")) << error.what();
  }
}

}  // namespace
}  // namespace gpumon::e2e
