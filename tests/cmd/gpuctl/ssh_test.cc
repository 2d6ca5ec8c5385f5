// gpuctl and a GPUd behind a real sshd, by the real ssh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "cmd/gpuctl/ssh_client.h"
#include "tests/cmd/gpuctl/health_run.h"
#include "tests/cmd/gpuctl/stub_gpud.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/servers/raw_server.h"
#include "tests/fakes/servers/ssh_server.h"

namespace gpumon::ctl {
namespace {

using process::Finished;
using testing::HasSubstr;

class RealSshTest : public HealthRun {
 protected:
  // The host gn07 of ~/.ssh/config is `server`, which lets us in.
  void LetIn(const servers::SshServer& server) {
    me_.AddHost("gn07", server);
    server.Admit(me_.public_key());
  }
  Finished RunSsh(const std::vector<std::string>& arguments, process::Environment more = {}) const {
    more.merge(process::Environment{{"PATH", me_.path_variable()},
                                    {"GPUCTL_TIMEOUT", "60s"},
                                    {"FLOW_GPUD_PORT", std::to_string(gpud_.port())}});
    return Run(arguments, more);
  }
  Finished Get(const std::string& via, process::Environment more = {}) const {
    return RunSsh({"gpud", "get", "/v1/states", "--via", via}, std::move(more));
  }
  static std::string Address(const servers::SshServer& server) {
    return std::string(servers::SshServer::kUser) + "@127.0.0.1:" + std::to_string(server.port());
  }

  const servers::SshHome me_;
  fault::FaultServer gpud_{ServeGpud};
  const std::string states_ = GpudAnswers().at("/v1/states") + '\n';
};

TEST_F(RealSshTest, AHostOfTheConfigurationIsAsked) {
  const servers::SshServer server;
  LetIn(server);
  const Finished got = Get("gn07");
  EXPECT_EQ(got.output, states_) << got.errors;
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_EQ(got.errors, "");
  const Finished health = RunSsh({"health", "--source", "gpud", "--via", "gn07"});
  EXPECT_THAT(health.output, HasSubstr("\ngpud/gn07                    healthy    100%    1   61C"))
      << health.errors;
}

TEST_F(RealSshTest, AGpudThatSpeaksTlsIsAskedOnItsLoopback) {
  const servers::SshServer server;
  const TlsGpud gpud;
  LetIn(server);
  EXPECT_EQ(Get("gn07", {{"FLOW_GPUD_PORT", gpud.port()}}).output, states_);
}

TEST_F(RealSshTest, UserAndPortMayStandInTheHost) {
  const servers::SshServer server;
  server.Admit(me_.public_key());
  me_.Know(server);
  EXPECT_EQ(Get(Address(server)).output, states_);
}

TEST_F(RealSshTest, AnotherConfigurationMayBeNamed) {
  const servers::SshServer server;
  server.Admit(me_.public_key());
  me_.Know(server);
  const std::string config = me_.Write(
      "other", "Host gn08\nHostName 127.0.0.1\nUser " + std::string(servers::SshServer::kUser) +
                   "\nPort " + std::to_string(server.port()) + '\n');
  EXPECT_EQ(Get("gn08", {{"GPUCTL_SSH_CONFIG", config}}).output, states_);
  EXPECT_EQ(RunSsh({"gpud", "get", "/v1/states", "--via", "gn08", "--ssh-config", config}).output,
            states_);
}

TEST_F(RealSshTest, WhatAShellPrintsBeforeIsNoPartOfTheAnswer) {
  const servers::SshServer server;
  LetIn(server);
  server.WriteHome(".bashrc", "echo 'Welcome to gn07'\n");
  EXPECT_EQ(Get("gn07").output, states_);
}

TEST_F(RealSshTest, AHostThatNobodyKnowsIsToBeAcceptedByHand) {
  const servers::SshServer server;
  server.Admit(me_.public_key());
  const std::string host = Address(server);
  ExpectOneLine(Get(host), 3,
                host +
                    ": its host key is not known yet (Host key verification failed.); to accept "
                    "it: ssh -p " +
                    std::to_string(server.port()) + " operator@127.0.0.1\n");
}

TEST_F(RealSshTest, AHostWithAnotherKeyIsNotTrusted) {
  const servers::SshServer server;
  const servers::SshServer other;
  LetIn(server);
  me_.Write(".ssh/known_hosts",
            "[127.0.0.1]:" + std::to_string(server.port()) + ' ' + other.host_key());
  ExpectOneLine(Get("gn07"), 3, "gn07: its host key is not the one that was known (");
}

TEST_F(RealSshTest, AKeyThatIsNotLetInIsSaid) {
  const servers::SshServer server;
  me_.AddHost("gn07", server);
  ExpectOneLine(Get("gn07"), 3,
                "gn07: ssh is not let in (operator@127.0.0.1: Permission denied (publickey).); "
                "this must work without a question: ssh gn07\n");
}

TEST_F(RealSshTest, NobodyAtThePortIsSaidAtOnce) {
  servers::SshServer server;
  LetIn(server);
  server.process().Signal(SIGKILL);
  ASSERT_TRUE(server.process().Wait(Millis(10'000)));
  ExpectOneLine(Get("gn07"), 3, "gn07: ssh does not get there (ssh: connect to host 127.0.0.1 ");
}

TEST_F(RealSshTest, AHostWithoutCurlIsSaid) {
  const servers::SshServer server({"SetEnv PATH=/nowhere"});
  LetIn(server);
  ExpectOneLine(Get("gn07"), 3, "gn07: there is no curl on that host (");
}

TEST_F(RealSshTest, AHostWithoutAGpudIsSaid) {
  const servers::SshServer server;
  LetIn(server);
  ExpectOneLine(Get("gn07", {{"FLOW_GPUD_PORT", std::to_string(servers::FreePort())}}), 3,
                "gn07: the connection was refused (curl: (7) ");
}

// Silent are the host, then what listens at GPUd's port there.
TEST_F(RealSshTest, SilenceEndsWithTheTimeout) {
  servers::SshServer server;
  LetIn(server);
  const servers::RawServer silent(std::vector<servers::Turn>{{"never said", ""}});
  const auto start = std::chrono::steady_clock::now();
  ExpectOneLine(RunSsh({"gpud", "get", "/v1/states", "--via", "gn07", "--timeout", "3s"},
                       {{"FLOW_GPUD_PORT", std::to_string(silent.port())}}),
                3, "in time");
  server.process().Signal(SIGSTOP);
  ExpectOneLine(RunSsh({"gpud", "get", "/v1/states", "--via", "gn07", "--timeout", "6s"}), 3,
                "gn07: ssh gets no answer in time (");
  EXPECT_LT(std::chrono::steady_clock::now() - start, process::Scaled(Millis(15'000)));
}

TEST_F(RealSshTest, OfSeveralHostsOneThatIsAwayIsACriticalRow) {
  const servers::SshServer server;
  LetIn(server);
  const std::string away = "127.0.0.1:" + std::to_string(servers::FreePort());
  const Finished ran = RunSsh({"health", "--via", "gn07," + away});
  EXPECT_THAT(ran.output, HasSubstr("gpud/gn07")) << ran.errors;
  EXPECT_THAT(ran.output, HasSubstr(" critical     0%    0 "));
}

TEST(SshHostTest, IsAHostWithAUserAndAPortWhereTheseAreGiven) {
  struct Row {
    std::string text;
    std::string host;
    std::string port;
  };
  for (const Row& row :
       {Row{"gn07", "gn07", ""}, Row{"me@gn07", "me@gn07", ""},
        Row{"me@gn07:2222", "me@gn07", "2222"}, Row{"fe80::1%eth0", "fe80::1%eth0", ""},
        Row{"me@[::1]:22", "me@::1", "22"}}) {
    const auto way = ParseSshHost(row.text);
    ASSERT_TRUE(way) << row.text;
    EXPECT_EQ(way->host, row.host);
    EXPECT_EQ(way->port, row.port);
    EXPECT_EQ(way->name(), row.text);
  }
  for (const char* const text : {"", "-oProxyCommand=x", "a b", "a;b", "gn07:", "gn07:0",
                                 "gn07:65536", "gn07:ssh", "[::1]22", "[::1"}) {
    EXPECT_FALSE(ParseSshHost(text)) << text;
  }
}

}  // namespace
}  // namespace gpumon::ctl
