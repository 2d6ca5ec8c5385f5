#include "internal/checks/docker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal/checks/run.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"
#include "tests/internal/checks/fixture.h"
#include "tests/internal/checks/unix_relay.h"
#include "tests/internal/checks/web_client.h"

namespace gpumon::checks {
namespace {

using fault::HttpStatus;
using fault::Json;
using fault::Reply;
using testing::ElementsAre;

constexpr std::string_view kNotAccessible = "Docker daemon not accessible";

// In the shapes of the Docker Engine, API 1.41.
constexpr std::string_view kList = R"j([
 {"Id":"aa11","Names":["/backend.ai-halfstack-postgres-1"],"Image":"x","Created":1795338304,
  "Ports":[],"Labels":{},"State":"running","Status":"Up 6 seconds (unhealthy)"
},
 {"Id":"bb22","Names":["/other-name","/backend.ai-halfstack-redis-1"],"Labels":null,
  "State":"running","Status":"Up 7 seconds (healthy)"},
 {"Id":"cc33","Names":["/one-db-1"],"Labels":{"com.docker.compose.service":"backendai-half-db"}},
 {"Id":"dd44","Names":["/two-db-1"],"Labels":{"com.docker.compose.service":"backendai-half-db"}}
])j";
constexpr std::string_view kRunning =
    R"({"State":{"Status":"running","Running":true,"StartedAt":"2025-07-28T08:00:01.5Z"}})";
constexpr std::string_view kFailing =
    R"({"State":{"Status":"running","Running":true,"StartedAt":"2025-07-28T08:00:01.5Z",
        "Health":{"Status":"unhealthy","FailingStreak":6,"Log":[{"Output":"probe 1\n"}]}}})";
constexpr std::string_view kExited = R"({"State":{"Status":"exited","ExitCode":7}})";

Reply AsDocker(const fault::Request& request) {
  const std::string& target = request.target;
  if (target == "/version") {
    return Json(R"({"Version":"20.10.24","ApiVersion":"1.41","Components":null})");
  }
  if (target == "/containers/json?all=true") return Json(std::string(kList));
  if (target == "/containers/aa11/json") return Json(std::string(kFailing));
  if (target == "/containers/bb22/json") return Json(std::string(kRunning));
  if (target == "/containers/cc33/json") return Json(std::string(kRunning));
  if (target == "/containers/dd44/json") return Json(std::string(kExited));
  if (target == "/containers/aa11/logs?stdout=true&stderr=true&tail=20") {
    return HttpStatus(200, std::string("\1\0\0\0\0\0\0\4one\n\2\0\0\0\0\0\0\4two\n", 24),
                      "application/vnd.docker.raw-stream");
  }
  return HttpStatus(404, "{\"message\":\"page not found\"}\n", "application/json");
}

class DockerTest : public testing::Test {
 protected:
  DockerOptions Options(bool logs = false) const {
    return {ParseDockerHost("tcp://127.0.0.1:" + std::to_string(server_.port())), logs};
  }
  // One row for each name, "Healthy: details".
  std::vector<std::string> Said(const std::vector<std::string>& names, DockerOptions options,
                                int ms = 20'000) {
    std::vector<Task> tasks;
    for (Check& check : ContainerChecks(RealClient(), std::move(options), names)) {
      tasks.push_back(TaskOf(std::move(check)));
    }
    done_ = RunAll(std::move(tasks), std::make_shared<SystemClock>(), Millis(ms));
    std::vector<std::string> said;
    for (const Done& done : done_) {
      said.push_back(std::string(NameOf(done.outcome.status)) + ": " + done.outcome.details);
    }
    return said;
  }
  std::vector<std::string> Said(const std::vector<std::string>& names) {
    return Said(names, Options());
  }

  fault::FaultServer server_{AsDocker};
  std::vector<Done> done_;
};

TEST_F(DockerTest, EveryExpectedContainerIsJudgedByItself) {
  EXPECT_THAT(Said({"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1",
                    "backend.ai-halfstack-etcd-1"}),
              ElementsAre("Unhealthy: Unhealthy: its health check failed 6 times",
                          "Healthy: Running since 2025-07-28T08:00", "Unhealthy: Not found"));
  EXPECT_EQ(done_[2].outcome.error, "container backend.ai-halfstack-etcd-1: not found");
  EXPECT_NE(done_[2].outcome.hint.find("docker ps -a"), std::string::npos);
}

TEST_F(DockerTest, AContainerThatIsNamedTwiceCountsOnce) {
  EXPECT_EQ(Said({"backend.ai-halfstack-redis-1", "/backend.ai-halfstack-redis-1",
                  "backend.ai-halfstack-redis-1"})
                .size(),
            1U);
}

TEST_F(DockerTest, TheListIsAskedForOnceAndEachContainerOnce) {
  Said({"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1", "a", "b", "c"});
  EXPECT_EQ(server_.request_count(), 3U);
}

TEST_F(DockerTest, EachContainerTellsOfTheListAmongItsSteps) {
  const std::vector<std::string> names = {"a", "b", "c"};
  Said(names);
  for (const Done& done : done_) {
    EXPECT_THAT(done.outcome.steps,
                ElementsAre(testing::HasSubstr("/containers/json?all=true: HTTP "
                                               "200")));
  }
  Said(names, {ParseDockerHost("tcp://127.0.0.1:1"), false});
  for (const Done& done : done_) {
    EXPECT_THAT(done.outcome.steps, ElementsAre(testing::HasSubstr("Connection refused")));
  }
}

TEST_F(DockerTest, ANameThatOnlyHoldsAnotherIsAnother) {
  EXPECT_THAT(Said({"redis", "backend.ai-halfstack-redis", "redis-1"}),
              ElementsAre("Unhealthy: Not found", "Unhealthy: Not found", "Unhealthy: Not found"));
}

TEST_F(DockerTest, ANameMayBeginWithTheSlashOfDockersApi) {
  EXPECT_THAT(Said({"/backend.ai-halfstack-redis-1"}),
              ElementsAre("Healthy: Running since 2025-07-28T08:00"));
  EXPECT_EQ(done_[0].name, "backend.ai-halfstack-redis-1");
}

TEST_F(DockerTest, AServiceOfComposeIsAsIllAsItsWorstContainer) {
  EXPECT_THAT(
      Said({"backendai-half-db", "one-db-1"}),
      ElementsAre("Unhealthy: Stopped (exit code: 7)", "Healthy: Running since 2025-07-28T08:00"));
  EXPECT_EQ(done_[0].outcome.error, "container two-db-1: stopped (exit code: 7)");
}

TEST_F(DockerTest, LogsComeOnlyWhenAskedForAndOfWhatIsNotHealthy) {
  Said({"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1"});
  EXPECT_TRUE(done_[0].outcome.log_lines.empty());
  Said({"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1"}, Options(true));
  EXPECT_THAT(done_[0].outcome.log_lines, ElementsAre("one", "two"));
  EXPECT_TRUE(done_[1].outcome.log_lines.empty());
}

TEST_F(DockerTest, LogsThatCannotBeReadChangeNothingElse) {
  EXPECT_THAT(Said({"two-db-1"}, Options(true)), ElementsAre("Unhealthy: Stopped (exit code: 7)"));
  EXPECT_TRUE(done_[0].outcome.log_lines.empty());
  EXPECT_EQ(done_[0].outcome.steps.size(), 3U) << "it says that it was tried";
}

TEST_F(DockerTest, AnInspectionThatFailsIsUnknownAndNoOtherSuffers) {
  server_.SetScript([](const fault::Request& request) {
    if (request.target == "/containers/aa11/json") return HttpStatus(500, "{\"message\":\"bad\"}");
    if (request.target == "/containers/cc33/json") return Json("<html>");
    return AsDocker(request);
  });
  EXPECT_EQ(
      Said({"backend.ai-halfstack-postgres-1", "one-db-1", "backend.ai-halfstack-redis-1"})[0],
      "Unknown: Inspection failed: it answered HTTP 500: bad");
  EXPECT_TRUE(done_[1].outcome.details.starts_with("Docker's answer is not understood"));
  EXPECT_EQ(done_[2].outcome.status, Status::kHealthy);
}

TEST_F(DockerTest, OneThatHangsHoldsUpNoOther) {
  server_.SetScript([](const fault::Request& request) {
    if (request.target == "/containers/aa11/json") return fault::Broken(Reply::Fault::kHang);
    return AsDocker(request);
  });
  EXPECT_THAT(
      Said({"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1"}, Options(), 1000),
      ElementsAre("Unknown: Inspection failed: No answer within 1 s",
                  "Healthy: Running since 2025-07-28T08:00"));
}

TEST_F(DockerTest, EveryFailureOfTheListIsUnknownForAllInOneClearLine) {
  const std::vector<Reply> failures = {
      fault::Broken(Reply::Fault::kClose),
      fault::Broken(Reply::Fault::kReset),
      fault::Broken(Reply::Fault::kResetMidBody, std::string(kList)),
      fault::Broken(Reply::Fault::kTruncated, std::string(kList)),
      fault::Huge(std::size_t{10} << 20U),
      fault::Raw("SSH-2.0\r\n"),
      HttpStatus(200, "<html></html>", "text/html"),
      HttpStatus(401),
      HttpStatus(403),
      HttpStatus(404),
      HttpStatus(429),
      HttpStatus(500),
      HttpStatus(503),
      fault::Redirect(301, "http://127.0.0.1:1/"),
      Json("null"),
      Json("{}"),
      Json("[null]"),
      Json(R"([{"Id":7,"Names":null}])"),
      Json(R"([{"Id":"../../etc","Names":["/a"]}])"),
      Json(R"([{"Id":"aa11","Id":"aa11","Names":["/a"]}])"),
  };
  for (const Reply& failure : failures) {
    server_.SetReply(failure);
    const auto said = Said({"a", "b"});
    for (std::size_t i = 0; i < said.size(); ++i) {
      EXPECT_EQ(said[i], "Unknown: " + std::string(kNotAccessible));
      const Outcome& outcome = done_[i].outcome;
      EXPECT_TRUE(outcome.error.starts_with(std::string(kNotAccessible) + ": ")) << outcome.error;
      EXPECT_EQ(outcome.error.find('\n'), std::string::npos) << outcome.error;
      EXPECT_NE(outcome.hint.find("docker version"), std::string::npos);
    }
  }
}

TEST_F(DockerTest, NamesThatAreNoTextAreNoNames) {
  server_.SetReply(Json("[{\"Id\":\"aa11\",\"Names\":[null,3,\"/\xFF\"],\"Labels\":[]}]"));
  EXPECT_THAT(Said({"a"}), ElementsAre("Unhealthy: Not found"));
}

TEST_F(DockerTest, TheDaemonSaysItsVersion) {
  const Outcome outcome = Ask(DockerDaemonProbe(RealClient(), Options()));
  EXPECT_EQ(outcome.status, Status::kHealthy);
  EXPECT_EQ(outcome.details, "Docker 20.10.24 (API 1.41)");
}

TEST_F(DockerTest, ADaemonThatIsNotThereIsUnhealthyWithTheHint) {
  server_.Refuse();
  const Outcome outcome = Ask(DockerDaemonProbe(RealClient(), Options()));
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, kNotAccessible);
  EXPECT_EQ(outcome.error, "Docker daemon not accessible: Connection refused");
  EXPECT_NE(outcome.hint.find("docker version"), std::string::npos);
}

TEST_F(DockerTest, SilenceOfTheDaemonIsNoAnswer) {
  server_.SetReply(fault::Broken(Reply::Fault::kHang));
  EXPECT_EQ(Ask(DockerDaemonProbe(RealClient(), Options()), 100).error,
            "Docker daemon not accessible: No answer within 1 s");
}

TEST_F(DockerTest, AsksThroughAUnixSocket) {
  const process::ScratchDirectory folder;
  const UnixRelay relay(folder.File("docker.sock"), server_.port());
  const DockerOptions options{ParseDockerHost("unix://" + folder.File("docker.sock")), true};
  EXPECT_EQ(Ask(DockerDaemonProbe(RealClient(), options)).details, "Docker 20.10.24 (API 1.41)");
  EXPECT_THAT(Said({"backend.ai-halfstack-redis-1", "backend.ai-halfstack-postgres-1"}, options),
              ElementsAre("Healthy: Running since 2025-07-28T08:00",
                          "Unhealthy: Unhealthy: its health check failed 6 times"));
  EXPECT_EQ(server_.requests()[0].Header("Host"), "localhost") << "Docker wants one";
}

std::string ErrorOf(const std::string& socket) {
  return Ask(DockerDaemonProbe(RealClient(), {ParseDockerHost("unix://" + socket), false})).error;
}

TEST(DockerSocketTest, SaysWhatIsWrongWithIt) {
  const process::ScratchDirectory folder;
  const std::string prefix = std::string(kNotAccessible) + ": ";
  EXPECT_EQ(ErrorOf(folder.File("none")), prefix + "there is no socket " + folder.File("none"));
  const std::string file = folder.Write("file", "text");
  EXPECT_EQ(ErrorOf(file), prefix + file + " is no socket");
}

TEST(DockerSocketTest, SaysThatThisUserMayNotUseIt) {
  if (getuid() == 0) GTEST_SKIP() << "root may use every socket";
  const process::ScratchDirectory folder;
  fault::FaultServer server;
  const UnixRelay relay(folder.File("docker.sock"), server.port());
  ASSERT_EQ(chmod(folder.File("docker.sock").c_str(), 0), 0);
  EXPECT_EQ(ErrorOf(folder.File("docker.sock")),
            "Docker daemon not accessible: no permission to use " + folder.File("docker.sock"));
}

TEST(DockerHostTest, HasTwoForms) {
  EXPECT_EQ(ParseDockerHost("").unix_socket, "/var/run/docker.sock");
  EXPECT_EQ(ParseDockerHost("unix:///run/user/1000/docker.sock").unix_socket,
            "/run/user/1000/docker.sock");
  EXPECT_EQ(ParseDockerHost("tcp://10.0.0.1:2375").url, "http://10.0.0.1:2375");
  EXPECT_EQ(ParseDockerHost("tcp://10.0.0.1:2375/").unix_socket, "");
}

TEST(DockerHostTest, OtherFormsAreAProblemOfDockerAlone) {
  for (const std::string& text :
       {std::string("ssh://me@host"), std::string("unix://"), std::string("tcp://"),
        std::string("/var/run/docker.sock"), std::string("npipe:////./pipe/docker_engine"),
        "unix://" + std::string(200, 'x')}) {
    const DockerOptions options{ParseDockerHost(text), false};
    const Outcome outcome = Ask(DockerDaemonProbe(RealClient(), options));
    EXPECT_EQ(outcome.details, kNotAccessible) << text;
    EXPECT_NE(outcome.error.find("DOCKER_HOST cannot be used"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace gpumon::checks
