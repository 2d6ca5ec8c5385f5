#include "internal/push/sender.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "internal/store/snapshot.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::push {
namespace {

using fault::Broken;
using fault::HttpStatus;
using fault::Reply;

std::string LineOf(int number) {
  store::Snapshot snapshot;
  snapshot.id = std::to_string(number);
  snapshot.task_id = "task";
  return store::EncodeLine(snapshot);
}

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    server_.SetReply(HttpStatus(200));
    fetch_ = std::move(*fetch::MakeClient({}, clock_));
    options_.receiver.url = server_.url() + "/ingest";
    options_.timeout = process::Scaled(Millis(2000));
    options_.first_wait = Millis(2);
    options_.longest_wait = Millis(10);
  }
  void Start() {
    sender_ = std::make_unique<Sender>(options_, spool_, *fetch_, clock_);
    sender_->Start();
  }
  bool AwaitEmpty() const {
    return process::WaitUntil([this] { return spool_.counts().batches == 0; }, Millis(20'000));
  }
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& request : server_.requests())
      keys.push_back(request.Header("Idempotency-Key"));
    return keys;
  }

  const SystemClock clock_;
  process::ScratchDirectory folder_;
  fault::FaultServer server_;
  std::unique_ptr<fetch::Client> fetch_;
  Spool spool_{folder_.path(), {}};
  SenderOptions options_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(SenderTest, AnySuccessIsOne) {
  for (const int status : {200, 201, 202, 204, 299}) server_.Enqueue(HttpStatus(status));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(spool_.Add({LineOf(i)}));
  Start();
  ASSERT_TRUE(AwaitEmpty());
  EXPECT_EQ(server_.request_count(), 5U);
  EXPECT_TRUE(sender_->Stop(Millis(0)));
  EXPECT_EQ(sender_->counts().snapshots, 5U);
  EXPECT_EQ(sender_->counts().failures, 0U);
}

TEST_F(SenderTest, TheSameBatchComesAgainAfterEachWayToFail) {
  const std::vector<std::function<Reply()>> failures = {
      [] { return HttpStatus(500); },
      [] { return HttpStatus(503).With("Retry-After", "0"); },
      [] { return HttpStatus(429).With("Retry-After", "soon"); },
      [] { return HttpStatus(408); },
      [] { return fault::Redirect(307, "http://127.0.0.1:1/elsewhere"); },
      [] { return Broken(Reply::Fault::kClose); },
      [] { return Broken(Reply::Fault::kReset); },
      [] { return fault::Raw("this is no HTTP\r\n\r\n"); },
      [] { return Broken(Reply::Fault::kTruncated, "twelve bytes"); },
  };
  for (const auto& failure : failures) server_.Enqueue(failure());
  ASSERT_TRUE(spool_.Add({LineOf(1), LineOf(2)}));
  Start();
  ASSERT_TRUE(AwaitEmpty());
  sender_->Stop(Millis(0));
  const auto requests = server_.requests();
  ASSERT_GE(requests.size(), failures.size() + 1);
  for (const auto& request : requests) {
    EXPECT_EQ(request.body, requests[0].body);
    EXPECT_EQ(request.Header("Idempotency-Key"), requests[0].Header("Idempotency-Key"));
    EXPECT_EQ(request.target, "/ingest") << "a redirect was followed";
  }
  // libcurl itself asks again where a connection that was kept alive is closed.
  EXPECT_GE(sender_->counts().failures, failures.size() - 2);
}

TEST_F(SenderTest, AnAnswerThatNeverComesIsWaitedForNoLongerThanTheTimeOut) {
  options_.timeout = Millis(100);
  server_.Enqueue(Broken(Reply::Fault::kHang));
  ASSERT_TRUE(spool_.Add({LineOf(1)}));
  Start();
  ASSERT_TRUE(AwaitEmpty());
  EXPECT_GE(server_.request_count(), 2U);
}

TEST_F(SenderTest, WhatIsTooLargeIsSplitDownToOne) {
  server_.SetScript([](const fault::Request& request) {
    const std::size_t snapshots = [&] {
      std::size_t count = 0;
      for (auto at = request.body.find("\"id\""); at != std::string::npos;
           at = request.body.find("\"id\"", at + 1)) {
        ++count;
      }
      return count;
    }();
    return HttpStatus(snapshots > 1 ? 413 : 200);
  });
  ASSERT_TRUE(spool_.Add({LineOf(1), LineOf(2), LineOf(3)}));
  Start();
  ASSERT_TRUE(AwaitEmpty());
  sender_->Stop(Millis(0));
  EXPECT_EQ(sender_->counts().snapshots, 3U);
  EXPECT_EQ(spool_.counts().aside, 0U);
  const auto keys = Keys();
  ASSERT_EQ(keys.size(), 5U);
  EXPECT_EQ(keys[1], keys[0] + ".0");
  EXPECT_EQ(keys[3], keys[0] + ".1.0");
}

TEST_F(SenderTest, WhatIsRefusedIsPutAsideAndTheRestGoesOn) {
  server_.Enqueue(HttpStatus(400));
  server_.Enqueue(HttpStatus(200));
  server_.Enqueue(HttpStatus(413));  // one snapshot alone
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(spool_.Add({LineOf(i)}));
  Start();
  ASSERT_TRUE(AwaitEmpty());
  sender_->Stop(Millis(0));
  EXPECT_EQ(server_.request_count(), 4U);
  EXPECT_EQ(spool_.counts().aside, 2U);
  EXPECT_EQ(sender_->counts().snapshots, 2U);
}

TEST_F(SenderTest, ARetryAfterIsKeptTo) {
  server_.Enqueue(HttpStatus(429).With("Retry-After", "3600"));
  ASSERT_TRUE(spool_.Add({LineOf(1)}));
  Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  sender_->Wake();
  // It waits for an hour, unless it is to end: then it tries once more.
  EXPECT_TRUE(sender_->Stop(process::Scaled(Millis(5000))));
  EXPECT_EQ(server_.request_count(), 2U);
}

TEST_F(SenderTest, TheEndSendsWhatWaitsUntilTheFirstFailure) {
  server_.Enqueue(HttpStatus(500));
  server_.Enqueue(HttpStatus(200));
  server_.SetReply(HttpStatus(500));
  options_.first_wait = options_.longest_wait = Millis(3'600'000);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(spool_.Add({LineOf(i)}));
  Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  EXPECT_FALSE(sender_->Stop(process::Scaled(Millis(5000))));
  EXPECT_EQ(spool_.counts().batches, 2U);
  EXPECT_EQ(server_.request_count(), 3U);
}

TEST_F(SenderTest, TheEndTriesAgainWhileSomethingIsInMemoryAlone) {
  std::ofstream(folder_.path() + "/spool") << "no folder";
  ASSERT_FALSE(spool_.Add({LineOf(1)}));
  EXPECT_EQ(spool_.counts().in_memory, 1U);
  options_.first_wait = options_.longest_wait = Millis(3'600'000);
  server_.SetReply(HttpStatus(500));
  Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  EXPECT_FALSE(sender_->Stop(Millis(100)));
  EXPECT_EQ(spool_.counts().in_memory, 1U);
  options_.first_wait = Millis(2);
  Start();
  server_.Enqueue(HttpStatus(503));
  server_.Enqueue(HttpStatus(503));
  server_.Enqueue(HttpStatus(503));
  server_.SetReply(HttpStatus(200));
  EXPECT_TRUE(sender_->Stop(process::Scaled(Millis(5000))));
}

TEST_F(SenderTest, WhatCanBeWrittenAtTheEndIsKept) {
  const std::string in_its_place = folder_.path() + "/spool";
  std::ofstream(in_its_place) << "no folder";
  ASSERT_FALSE(spool_.Add({LineOf(1)}));
  server_.SetReply(HttpStatus(500));
  Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  std::filesystem::remove(in_its_place);
  EXPECT_FALSE(sender_->Stop(process::Scaled(Millis(5000))));
  EXPECT_EQ(spool_.counts().in_memory, 0U);
  EXPECT_EQ(spool_.counts().snapshots, 1U);
}

TEST_F(SenderTest, TheEndDoesNotWaitForAnEndpointThatHangs) {
  server_.SetReply(fault::Broken(Reply::Fault::kHang));
  options_.timeout = Millis(3'600'000);
  ASSERT_TRUE(spool_.Add({LineOf(1)}));
  Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(sender_->Stop(Millis(100)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, process::Scaled(Millis(5000)));
  EXPECT_EQ(spool_.counts().snapshots, 1U) << "it may not have arrived";
}

TEST(OutcomeTest, EveryStatusHasOne) {
  EXPECT_EQ(OutcomeOf(204), Outcome::kArrived);
  EXPECT_EQ(OutcomeOf(413), Outcome::kTooLarge);
  for (const int status : {400, 401, 403, 404, 410, 422}) {
    EXPECT_EQ(OutcomeOf(status), Outcome::kRefused) << status;
  }
  for (const int status : {100, 302, 408, 425, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(OutcomeOf(status), Outcome::kAgain) << status;
  }
}

}  // namespace
}  // namespace gpumon::push
