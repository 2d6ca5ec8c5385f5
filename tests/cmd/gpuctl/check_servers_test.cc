// gpuctl check against real servers, and a driver that is played.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cmd/gpuctl/check.h"
#include "internal/json/document.h"
#include "tests/fakes/nvml/stage.h"
#include "tests/fakes/process/child_process.h"
#include "tests/fakes/servers/etcd_server.h"
#include "tests/fakes/servers/postgres_server.h"
#include "tests/fakes/servers/redis_server.h"

namespace gpumon::ctl {
namespace {

using process::Environment;
using process::Finished;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Finished RunCtl(const std::vector<std::string>& arguments, Environment more = {}) {
  more.merge(Environment{{"CHECK_PRESET", "none"},
                         {"DOCKER_HOST", "unix:///no/such/docker.sock"},
                         {"CHECK_SLOW_AFTER", "0s"}});
  return process::Run(GPUMON_CTL, arguments, more);
}
std::string Local(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

TEST(CheckServersTest, InfrastructureIsAskedByItsOwnProtocols) {
  const servers::PostgresServer postgres;
  const servers::RedisServer redis({"--requirepass", "s3cret-of-redis"});
  const servers::EtcdServer etcd;
  const process::ScratchDirectory folder;
  const std::string secret = folder.Write("secret", "s3cret-of-redis\n");
  const std::vector<std::string> all = {
      "check",   "infrastructure",    "--postgres", Local(postgres.port()),
      "--redis", Local(redis.port()), "--etcd",     etcd.url()};
  std::vector<std::string> with = all;
  with.insert(with.end(), {"--redis-pass-file", secret, "-f", "summary"});
  const Finished well = RunCtl(with);
  EXPECT_EQ(well.exit_code, 0) << well.output;
  EXPECT_THAT(well.output, HasSubstr("\nPostgreSQL: ✓ Healthy ("));
  EXPECT_THAT(well.output, HasSubstr("\nRedis: ✓ Healthy ("));
  EXPECT_THAT(well.output, HasSubstr("\netcd: ✓ Healthy ("));
  std::vector<std::string> without = all;
  without.insert(without.end(), {"--postgres-database", "none", "-v"});
  const Finished ill = RunCtl(without);
  EXPECT_EQ(ill.exit_code, 2) << ill.output;
  EXPECT_THAT(ill.output, HasSubstr("PostgreSQL connection failed"));
  EXPECT_THAT(ill.output, HasSubstr("A password is needed"));
  EXPECT_THAT(ill.output, Not(HasSubstr("s3cret")));
}

TEST(CheckServersTest, AnEtcdWithoutSpaceIsUnhealthy) {
  servers::EtcdServer etcd(servers::EtcdServer::kSmallQuota);
  etcd.Fill();
  const Finished ran = RunCtl({"check", "infrastructure", "--etcd", etcd.url(), "-v"});
  EXPECT_EQ(ran.exit_code, 2) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("NOSPACE"));
}

// The fake counts no processes that the machine does not have.
constexpr const char* kTwo = R"(driver 535.183.01
cuda 12020
gpu
name NVIDIA GeForce RTX 4090
memory 25757220864 0 22535995392 3221225472
utilization 45 18
temperature 65
power 180500
limit 450000
gpu
name NVIDIA H100 80GB HBM3
memory 85520809984 0 1073741824 84447068160
utilization 99 70
temperature 97
power 690000
limit 700000
)";

class CheckGpuTest : public testing::Test {
 protected:
  Finished Check(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"check", "gpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunCtl(arguments, {{"NVML_LIBRARY", fake_nvml::kLibrary},
                              {fake_nvml::kScriptVariable, folder_.Write("script", kTwo)}});
  }

  const process::ScratchDirectory folder_{};
};

TEST_F(CheckGpuTest, EachGpuIsARow) {
  const Finished ran = Check({"-f", "summary"});
  EXPECT_EQ(ran.exit_code, 2) << "97 °C";
  EXPECT_THAT(ran.output, HasSubstr("\nNVIDIA GPU 0: ✓ Healthy ("));
  EXPECT_THAT(ran.output, HasSubstr("\nNVIDIA GPU 1: ✗ Unhealthy ("));
  const Finished json = Check({"-f", "json", "-d"});
  const auto document = json::ParseDocument(json.output);
  ASSERT_TRUE(document) << json.output;
  EXPECT_EQ((*document)["checks"].size(), 2U);
  EXPECT_THAT(json.output, HasSubstr("utilization_per_watt"));
}

TEST_F(CheckGpuTest, DetailedIsABlockForEach) {
  const Finished ran = Check({"--detailed"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.output, StartsWith("GPU Summary: NVIDIA GPUs available\n\n"
                                     "GPU 0: NVIDIA GeForce RTX 4090\n"
                                     "  Driver: 535.183.01\n"
                                     "  CUDA: 12.2\n"
                                     "  Memory: 3072/24564 MB (12.5%)\n"
                                     "  Utilization: GPU 45%, Memory 18%\n"
                                     "  Temperature: 65°C\n"
                                     "  Power: 180.5W / 450.0W\n"));
  EXPECT_THAT(ran.output, HasSubstr("\n\nGPU 1: NVIDIA H100 80GB HBM3\n"));
}

TEST_F(CheckGpuTest, WithoutOneItSaysSo) {
  const Finished ran = RunCtl({"check", "gpu", "-d"},
                              {{"NVML_LIBRARY", "/no/such/library.so"}, {"PATH", "/no/such"}});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.output, "GPU Summary: No supported GPU hardware detected\n");
}

}  // namespace
}  // namespace gpumon::ctl
