// What a real etcd answers, which is what its probe is told.
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "internal/fetch/client.h"
#include "tests/fakes/servers/etcd_server.h"

namespace gpumon::checks {
namespace {

std::string Health(const servers::EtcdServer& server) {
  const SystemClock clock;
  const auto client = fetch::MakeClient({}, clock);
  std::promise<std::string> said;
  fetch::Request request;
  request.url = server.url() + "/health";
  (*client)->Fetch(std::move(request), Deadline::After(clock, process::Scaled(Millis(10'000))),
                   [&said](const Result<fetch::Response>& response) {
                     said.set_value(response
                                        ? std::to_string(response->status) + ' ' + response->body
                                        : response.error().message);
                   });
  return said.get_future().get();
}

TEST(EtcdServerTest, IsHealthyUntilItIsFullAndThenSaysSo) {
  servers::EtcdServer server(servers::EtcdServer::kSmallQuota);
  EXPECT_EQ(Health(server), R"(200 {"health":"true"})");
  server.Fill();
  EXPECT_EQ(Health(server), "503 {\"health\":\"false\"}\n");
}

TEST(EtcdServerTest, HasEtcdsOwnQuotaAndEnds) {
  servers::EtcdServer server;
  EXPECT_EQ(Health(server), R"(200 {"health":"true"})");
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().Wait(Millis(20'000)));
  EXPECT_EQ(Health(server), "the connection was refused");
}

}  // namespace
}  // namespace gpumon::checks
