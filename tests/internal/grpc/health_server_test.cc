#include "internal/grpc/health_server.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace gpumon::grpc {
namespace {

using ::grpc::ByteBuffer;
using ::grpc::CompletionQueue;
using ::grpc::StatusCode;

// HealthCheckResponse.ServingStatus
constexpr int kServing = 1;
constexpr int kNotServing = 2;
constexpr int kServiceUnknown = 3;

// HealthCheckRequest{string service = 1} in protobuf's wire format.
ByteBuffer Request(const std::string& service) {
  const std::string bytes =
      service.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  const ::grpc::Slice slice(bytes);
  return {&slice, 1};
}

// HealthCheckResponse{ServingStatus status = 1}
int StatusOf(const ByteBuffer& buffer) {
  std::vector<::grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes.size() == 2 && bytes[0] == '\x08' ? bytes[1] : -1;
}

std::chrono::system_clock::time_point Soon() {
  return std::chrono::system_clock::now() + std::chrono::seconds(30);
}

// A stock client over one connection.
class Client {
 public:
  explicit Client(std::uint16_t port)
      : stub_(::grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                    ::grpc::InsecureChannelCredentials())) {}

  struct Answer {
    StatusCode code = StatusCode::UNKNOWN;
    int serving = -1;
  };
  Answer Check(const std::string& service, const std::string& method = "Check") {
    ::grpc::ClientContext context;
    context.set_deadline(Soon());
    CompletionQueue queue;
    const ByteBuffer request = Request(service);
    auto call =
        stub_.PrepareUnaryCall(&context, "/grpc.health.v1.Health/" + method, request, &queue);
    call->StartCall();
    ByteBuffer response;
    ::grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return {status.error_code(), status.ok() ? StatusOf(response) : -1};
  }

  // A Watch that is read one answer at a time.
  class Watch {
   public:
    Watch(::grpc::GenericStub& stub, const std::string& service) {
      context_.set_deadline(Soon());
      call_ = stub.PrepareCall(&context_, "/grpc.health.v1.Health/Watch", &queue_);
      call_->StartCall(nullptr);
      EXPECT_TRUE(Step());
      call_->WriteLast(Request(service), ::grpc::WriteOptions(), nullptr);
      EXPECT_TRUE(Step());
    }
    // The next status; -1 when the stream has ended.
    int Next() {
      ByteBuffer response;
      call_->Read(&response, nullptr);
      return Step() ? StatusOf(response) : -1;
    }
    StatusCode Finish() {
      ::grpc::Status status;
      call_->Finish(&status, nullptr);
      Step();
      return status.error_code();
    }
    void Cancel() { context_.TryCancel(); }

   private:
    bool Step() {
      void* tag = nullptr;
      bool ok = false;
      return queue_.Next(&tag, &ok) && ok;
    }
    ::grpc::ClientContext context_;
    CompletionQueue queue_;
    std::unique_ptr<::grpc::GenericClientAsyncReaderWriter> call_;
  };
  std::unique_ptr<Watch> StartWatch(const std::string& service) {
    return std::make_unique<Watch>(stub_, service);
  }

 private:
  ::grpc::GenericStub stub_;
};

TEST(HealthServerTest, IsAliveButNotReadyUntilTold) {
  HealthServer server;
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port) << port.error().message;
  Client client(*port);
  EXPECT_EQ(client.Check("").serving, kNotServing);
  EXPECT_EQ(client.Check("readiness").serving, kNotServing);
  EXPECT_EQ(client.Check("liveness").serving, kServing);
  server.SetReadiness(true);
  EXPECT_EQ(client.Check("").serving, kServing);
  EXPECT_EQ(client.Check("readiness").serving, kServing);
  server.SetReadiness(false);
  EXPECT_EQ(client.Check("").serving, kNotServing);
  EXPECT_EQ(client.Check("readiness").serving, kNotServing);
  EXPECT_EQ(client.Check("liveness").serving, kServing);
}

TEST(HealthServerTest, LivenessFallsAlone) {
  HealthServer server;
  server.SetReadiness(true);
  server.SetLiveness(false);
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  Client client(*port);
  EXPECT_EQ(client.Check("liveness").serving, kNotServing);
  EXPECT_EQ(client.Check("readiness").serving, kServing);
}

TEST(HealthServerTest, DoesNotKnowOtherServicesOrMethods) {
  HealthServer server;
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  Client client(*port);
  EXPECT_EQ(client.Check("database").code, StatusCode::NOT_FOUND);
  EXPECT_EQ(client.Check("", "Nonsense").code, StatusCode::UNIMPLEMENTED);
  auto watch = client.StartWatch("database");
  EXPECT_EQ(watch->Next(), kServiceUnknown);
  watch->Cancel();
  EXPECT_EQ(watch->Finish(), StatusCode::CANCELLED);
}

TEST(HealthServerTest, WatchersHearOfEveryChange) {
  HealthServer server;
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  Client client(*port);
  auto watch = client.StartWatch("readiness");
  EXPECT_EQ(watch->Next(), kNotServing);
  server.SetReadiness(true);
  EXPECT_EQ(watch->Next(), kServing);
  server.SetReadiness(false);
  EXPECT_EQ(watch->Next(), kNotServing);
  watch->Cancel();
  EXPECT_EQ(watch->Finish(), StatusCode::CANCELLED);
}

TEST(HealthServerTest, StopEndsWatchersAndTheListener) {
  HealthServer server;
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  Client client(*port);
  auto watch = client.StartWatch("");
  EXPECT_EQ(watch->Next(), kNotServing);
  const auto before = std::chrono::steady_clock::now();
  std::thread stopper([&] { server.Stop(Millis(100)); });
  EXPECT_EQ(watch->Next(), -1);
  EXPECT_NE(watch->Finish(), StatusCode::OK);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  server.Stop(Millis(0));  // again: nothing happens
  server.SetReadiness(true);
  EXPECT_EQ(client.Check("").code, StatusCode::UNAVAILABLE);
}

TEST(HealthServerTest, RefusesAPortInUse) {
  HealthServer first;
  const auto port = first.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  HealthServer second;
  const auto taken = second.Start("127.0.0.1", *port);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kUnavailable);
  EXPECT_THAT(taken.error().message, testing::HasSubstr("127.0.0.1:" + std::to_string(*port)));
}

TEST(HealthServerTest, ManyChecksAndChangesAtOnceAreSafe) {
  HealthServer server;
  const auto port = server.Start("127.0.0.1", 0);
  ASSERT_TRUE(port);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Client client(*port);
      for (int n = 0; n < 20; ++n) {
        server.SetReadiness((n + i) % 2 == 0);
        const int serving = client.Check("").serving;
        EXPECT_TRUE(serving == kServing || serving == kNotServing) << serving;
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace gpumon::grpc
