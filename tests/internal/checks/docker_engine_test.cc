// Containers of a real dockerd, in every state that they can be brought to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "internal/checks/docker.h"
#include "internal/checks/run.h"
#include "tests/fakes/docker/docker_engine.h"
#include "tests/internal/checks/fixture.h"
#include "tests/internal/checks/web_client.h"

namespace gpumon::checks {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr std::string_view kCheck =
    "HEALTHCHECK --interval=1s --retries=1 CMD [\"/inside\",\"exit\",";

class Containers {
 public:
  explicit Containers(const docker::Engine& engine) : engine_(engine) {}

  void Make(const std::string& name, std::vector<std::string> options, const std::string& image,
            const std::vector<std::string>& command, const std::string& verb = "run") const {
    std::vector<std::string> arguments = {verb};
    if (verb == "run") arguments.emplace_back("--detach");
    arguments.insert(arguments.end(), {"--network", "none", "--name", name});
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {image, "/inside"});
    arguments.insert(arguments.end(), command.begin(), command.end());
    engine_.Docker(arguments);
  }
  bool Await(const std::string& name, const std::string& format, const std::string& wanted) const {
    return process::WaitUntil(
        [&] {
          return engine_.Docker({"inspect", "-f", format, name}) == wanted + '\n';
        },
        Millis(90'000));
  }
  std::map<std::string, Outcome> Checked(const std::vector<std::string>& names) const {
    const DockerOptions options{ParseDockerHost("unix://" + engine_.socket()), true};
    std::vector<Task> tasks = {TaskOf({"daemon", DockerDaemonProbe(RealClient(), options)})};
    for (Check& check : ContainerChecks(RealClient(), options, names)) {
      tasks.push_back(TaskOf(std::move(check)));
    }
    std::map<std::string, Outcome> outcomes;
    for (Done& done : RunAll(std::move(tasks), std::make_shared<SystemClock>(), Millis(30'000))) {
      outcomes[done.name] = std::move(done.outcome);
    }
    return outcomes;
  }

 private:
  const docker::Engine& engine_;
};

TEST(DockerEngineTest, EveryStateOfAContainerIsSaidAsItIs) {
  std::string why;
  const auto engine = docker::Engine::Start(why);
  if (engine == nullptr) GTEST_SKIP() << why << "; the same shapes are in DockerTest";
  engine->MakeImage("plain", "");
  engine->MakeImage("well", std::string(kCheck) + "\"0\"]");
  engine->MakeImage("ill", std::string(kCheck) + "\"1\"]");
  engine->MakeImage("slow", "HEALTHCHECK --interval=1h CMD [\"/inside\",\"exit\",\"0\"]");
  const Containers containers(*engine);
  containers.Make("plain-1", {}, "plain", {});
  containers.Make("well-1", {"--label", "com.docker.compose.service=cache"}, "well", {});
  containers.Make("ill-1", {}, "ill", {});
  containers.Make("slow-1", {}, "slow", {});
  containers.Make("paused-1", {"--tty"}, "plain", {});
  containers.Make("exited-1", {}, "plain", {"exit", "7"});
  containers.Make("loop-1", {"--restart", "always"}, "plain", {"exit", "5"});
  containers.Make("created-1", {}, "plain", {}, "create");
  engine->Docker({"pause", "paused-1"});
  ASSERT_TRUE(containers.Await("well-1", "{{.State.Health.Status}}", "healthy"));
  ASSERT_TRUE(containers.Await("ill-1", "{{.State.Health.Status}}", "unhealthy"));
  ASSERT_TRUE(containers.Await("exited-1", "{{.State.Status}}", "exited"));
  ASSERT_TRUE(
      containers.Await("loop-1", "{{.State.Status}} {{ge .RestartCount 4}}", "restarting true"));

  auto seen = containers.Checked({"plain-1", "well-1", "cache", "ill-1", "slow-1", "paused-1",
                                  "exited-1", "loop-1", "created-1", "missing-1"});
  const auto said = [&](const std::string& name) {
    return std::string(NameOf(seen[name].status)) + ": " + seen[name].details;
  };
  EXPECT_THAT(said("daemon"), StartsWith("Healthy: Docker 20.10."));
  EXPECT_THAT(said("plain-1"), MatchesRegex("Healthy: Running since 20..-..-..T..:.."));
  EXPECT_THAT(said("well-1"), StartsWith("Healthy: Running since 20"));
  EXPECT_THAT(said("cache"), StartsWith("Healthy: Running since 20"));
  EXPECT_THAT(said("ill-1"), StartsWith("Unhealthy: Unhealthy: its health check failed "));
  EXPECT_EQ(said("slow-1"), "Degraded: Starting: its health check has not passed yet");
  EXPECT_EQ(said("paused-1"), "Degraded: Paused");
  EXPECT_EQ(said("exited-1"), "Unhealthy: Stopped (exit code: 7)");
  EXPECT_THAT(said("loop-1"),
              StartsWith("Unhealthy: Restarting again and again (exit code: 5), restarts: "));
  EXPECT_EQ(said("created-1"), "Unhealthy: Created, but never started");
  EXPECT_EQ(said("missing-1"), "Unhealthy: Not found");
  for (const std::string name : {"exited-1", "paused-1"}) {
    ASSERT_EQ(seen[name].log_lines.size(), 20U) << name;
    EXPECT_EQ(seen[name].log_lines.front(), "line 11") << name;
    EXPECT_EQ(seen[name].log_lines.back(), "line 30") << name;
  }
  EXPECT_TRUE(seen["plain-1"].log_lines.empty());
}

}  // namespace
}  // namespace gpumon::checks
