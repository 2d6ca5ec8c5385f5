#include "internal/checks/docker_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpumon::checks {
namespace {

using testing::ElementsAre;

std::string Judged(const std::string& state, const std::string& more = "") {
  const auto inspected = json::ParseDocument("{\"State\":" + state + more + "}");
  EXPECT_TRUE(inspected) << state;
  const Outcome outcome = JudgeContainer(*inspected, "db");
  EXPECT_EQ(outcome.error.empty(), outcome.status == Status::kHealthy);
  return std::string(NameOf(outcome.status)) + ": " + outcome.details;
}

TEST(DockerStateTest, WhatRunsWithoutAHealthCheckIsHealthy) {
  EXPECT_EQ(Judged(R"({"Status":"running","StartedAt":"2025-07-28T08:00:12.345678901Z"})"),
            "Healthy: Running since 2025-07-28T08:00");
  EXPECT_EQ(Judged(R"({"Status":"running","StartedAt":"2025-07-28T08:00:12Z",
                       "Health":{"Status":"none"}})"),
            "Healthy: Running since 2025-07-28T08:00");
}

TEST(DockerStateTest, ZeroTimeIsNoTime) {
  EXPECT_EQ(Judged(R"({"Status":"running","StartedAt":"0001-01-01T00:00:00Z"})"),
            "Healthy: Running");
}

TEST(DockerStateTest, HealthIsJudgedByWholeWords) {
  EXPECT_EQ(Judged(R"({"Status":"running","Health":{"Status":"healthy"}})"), "Healthy: Running");
  EXPECT_EQ(Judged(R"({"Status":"running","Health":{"Status":"unhealthy","FailingStreak":6}})"),
            "Unhealthy: Unhealthy: its health check failed 6 times");
  EXPECT_EQ(Judged(R"({"Status":"running","Health":{"Status":"starting","Log":[]}})"),
            "Degraded: Starting: its health check has not passed yet");
  EXPECT_EQ(Judged(R"({"Status":"running","Health":{"Status":"HEALTHY"}})"),
            "Unknown: Its health is a word that is not known: \"HEALTHY\"");
}

TEST(DockerStateTest, AFailingProbeIsQuoted) {
  const auto inspected = json::ParseDocument(
      R"({"State":{"Status":"running","Health":{"Status":"unhealthy","FailingStreak":2,
          "Log":[{"Output":"old\n"},{"Output":"no route\nto host\n"}]}}})");
  EXPECT_EQ(JudgeContainer(*inspected, "db").error,
            "container db: unhealthy: its health check failed 2 times; its probe says: to host");
}

TEST(DockerStateTest, RunningTrueIsNotEnough) {
  EXPECT_EQ(Judged(R"({"Status":"paused","Running":true,"Paused":true})"), "Degraded: Paused");
  EXPECT_EQ(Judged(R"({"Status":"restarting","Running":true,"Restarting":true,"ExitCode":5})",
                   R"(,"RestartCount":6)"),
            "Unhealthy: Restarting again and again (exit code: 5), restarts: 6");
}

TEST(DockerStateTest, WhatDoesNotRunIsUnhealthy) {
  EXPECT_EQ(Judged(R"({"Status":"exited","ExitCode":7})"), "Unhealthy: Stopped (exit code: 7)");
  EXPECT_EQ(Judged(R"({"Status":"exited","ExitCode":137,"OOMKilled":true})"),
            "Unhealthy: Stopped (exit code: 137, out of memory)");
  EXPECT_EQ(Judged(R"({"Status":"created","StartedAt":"0001-01-01T00:00:00Z"})"),
            "Unhealthy: Created, but never started");
  EXPECT_EQ(Judged(R"({"Status":"dead"})"), "Unhealthy: Dead: it could not be removed");
  EXPECT_EQ(Judged(R"({"Status":"removing"})"), "Unhealthy: Being removed");
}

TEST(DockerStateTest, WordsThatNobodyKnowsAreUnknown) {
  EXPECT_EQ(Judged(R"({"Status":"resting"})"),
            "Unknown: Its state is a word that is not known: \"resting\"");
  for (const std::string state : {"{}", "null", "[]", "3", R"({"Status":null})",
                                  R"({"Status":["running"]})", R"({"Status":{}})"}) {
    EXPECT_EQ(Judged(state), "Unknown: Docker does not say its state") << state;
  }
}

std::string Frame(char stream, std::string_view text) {
  std::string frame = {stream, 0, 0, 0};
  const auto size = static_cast<unsigned>(text.size());
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    frame += static_cast<char>((size >> shift) & 0xFFU);
  }
  return frame.append(text);
}

TEST(DockerLogTest, FramesOfBothStreamsAreOneText) {
  const std::string stream = Frame(1, "one\ntw") + Frame(1, "o\n") + Frame(2, "three\r\n");
  EXPECT_THAT(LogLines(stream, 20), ElementsAre("one", "two", "three"));
}

TEST(DockerLogTest, OnlyTheLastLinesAreKept) {
  EXPECT_THAT(LogLines(Frame(1, "a\nb\nc\n"), 2), ElementsAre("b", "c"));
  EXPECT_THAT(LogLines(Frame(1, ""), 2), ElementsAre());
  EXPECT_THAT(LogLines("", 2), ElementsAre());
}

TEST(DockerLogTest, ATerminalHasNoFrames) {
  EXPECT_THAT(LogLines("plain\ntext", 20), ElementsAre("plain", "text"));
}

TEST(DockerLogTest, AFrameThatIsCutGivesWhatIsThere) {
  const std::string whole = Frame(1, "one\ntwo\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    LogLines(std::string_view(whole).substr(0, size), 20);
  }
  EXPECT_THAT(LogLines(whole.substr(0, 14), 20), ElementsAre("one", "tw"));
  EXPECT_THAT(LogLines(std::string("\1\0\0\0\xff\xff\xff\xffx", 9), 20), ElementsAre("x"));
}

TEST(DockerLogTest, ALongLineIsCut) {
  EXPECT_EQ(LogLines(std::string(5000, 'x'), 20)[0].size(), 400U);
}

}  // namespace
}  // namespace gpumon::checks
