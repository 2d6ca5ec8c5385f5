#include "internal/gpud/answers.h"

#include <gtest/gtest.h>

#include "internal/base/text.h"

namespace gpumon::gpud {
namespace {

TEST(AnswersTest, StatesAreReadWithAndWithoutATime) {
  const auto states = ReadStates(
      R"([{"component":"accelerator-nvidia-error-xid","states":[{"time":null,"name":"error_xid",)"
      R"("health":"Unhealthy","reason":"XID 79","suggested_actions":{"description":"",)"
      R"("repair_actions":["REBOOT_SYSTEM"]}}]},{"component":"cpu","states":[)"
      R"({"time":"2026-03-01T09:15:00Z","health":"Healthy","reason":"ok"},7]},)"
      R"({"component":"disk","states":null},null])");
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 3U);
  EXPECT_EQ((*states)[2].component, "disk");
  EXPECT_EQ((*states)[2].health, "");
  EXPECT_EQ((*states)[0].component, "accelerator-nvidia-error-xid");
  EXPECT_EQ((*states)[0].actions, std::vector<std::string>{"REBOOT_SYSTEM"});
  EXPECT_FALSE((*states)[0].time);
  EXPECT_EQ((*states)[1].time, ParseTime("2026-03-01T09:15:00Z"));
  EXPECT_TRUE(ReadStates("null")->empty());
}

TEST(AnswersTest, OfMetricsTheNewestOfEachSeriesCountsInSecondsOrMilliseconds) {
  const auto metrics = ReadMetrics(
      R"([{"component":"x","metrics":[)"
      R"({"unix_seconds":1772356500123,"name":"t","labels":{"uuid":"GPU-1"},"value":63},)"
      R"({"unix_seconds":1772356560123,"name":"t","labels":{"uuid":"GPU-1"},"value":64},)"
      R"({"unix_seconds":1772356440,"name":"t","labels":{"uuid":"GPU-1"},"value":62},)"
      R"({"unix_seconds":1772356500123,"name":"d","labels":{"mount_point":"/"},"value":"5"},)"
      R"({"name":"broken"}]}])");
  ASSERT_TRUE(metrics);
  ASSERT_EQ(metrics->size(), 2U);
  EXPECT_EQ((*metrics)[0].name, "d");
  EXPECT_EQ((*metrics)[0].label, "/");
  EXPECT_EQ((*metrics)[0].value, 5);
  EXPECT_EQ((*metrics)[1].value, 64);
  EXPECT_EQ((*metrics)[1].uuid, "GPU-1");
  EXPECT_EQ(FormatTime((*metrics)[1].time), "2026-03-01T09:16:00.123Z");
}

TEST(AnswersTest, EventsMayBeNull) {
  const auto events = ReadEvents(
      R"([{"component":"xid","startTime":"2026-03-01T08:00:00Z","events":[)"
      R"({"time":"2026-03-01T08:40:12Z","name":"error_xid","type":"Fatal","message":"XID 79"},)"
      R"({"time":"never","type":"Info"}]},{"component":"cpu","events":null}])");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ((*events)[0].type, "Fatal");
}

TEST(AnswersTest, TheMachineTellsOfItsGpusAndVersions) {
  const auto machine = ReadMachine(
      R"({"gpudVersion":"v0.5.1","hostname":"n1","kernelVersion":"6.1","gpuInfo":{)"
      R"("product":"NVIDIA H100","gpus":[{"uuid":"GPU-1","busID":"0000:3b:00.0","minorID":"0"},)"
      R"({"uuid":"GPU-2","minorID":1},{"uuid":"GPU-3","minorID":"/dev/nvidia7"},{"uuid":"GPU-4"}]}})");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->version, "v0.5.1");
  ASSERT_EQ(machine->gpus.size(), 4U);
  EXPECT_EQ(machine->gpus[0].index, 0);
  EXPECT_EQ(machine->gpus[1].index, 1);
  EXPECT_EQ(machine->gpus[2].index, 7);
  EXPECT_FALSE(machine->gpus[3].index);
}

TEST(AnswersTest, AllValuesOfOneMetricAreGiven) {
  const auto all = ReadAll(R"([{"component":"x","metrics":[
      {"unix_seconds":1772356440000,"name":"a","labels":{"uuid":"g"},"value":1},
      {"unix_seconds":1772356500000,"name":"a","labels":{"uuid":"g"},"value":"2"},
      {"unix_seconds":1772356500000,"name":"b","labels":{"uuid":"g"},"value":3},
      {"name":"a","value":null}]}])",
                           "a");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].value, 1);
  EXPECT_EQ((*all)[1].value, 2);
  EXPECT_EQ((*all)[1].uuid, "g");
  EXPECT_FALSE(ReadAll("{}", "a"));
}

TEST(AnswersTest, WhatIsNoAnswerIsSaidToBeNone) {
  EXPECT_EQ(ReadStates("<html>").error().code, Code::kUpstreamInvalid);
  EXPECT_EQ(ReadStates("{}").error().message, "its states are no list");
  EXPECT_FALSE(ReadEvents(""));
  for (const std::string odd :
       {R"([{"component":5,"states":"x","metrics":{"a":1},"events":7},null,3])", R"(["aaaa"])",
        "[[]]", "[{}]"}) {
    EXPECT_EQ(ReadStates(odd).error().message, "its states are no list of components with states");
    EXPECT_EQ(ReadEvents(odd).error().code, Code::kUpstreamInvalid);
    EXPECT_EQ(ReadMetrics(odd).error().code, Code::kUpstreamInvalid);
  }
  EXPECT_FALSE(ReadStates(R"([{"component":"cpu","states":[5]}])"));
  EXPECT_FALSE(ReadEvents(R"([{"component":"cpu","events":[5,{"time":"noon"}]}])"));
  EXPECT_EQ(ReadMetrics(R"([{"component":"cpu","metrics":[{"name":5}]}])").error().message,
            "its metrics are of another shape");
  EXPECT_TRUE(ReadStates(R"([{"component":"cpu"}])"));
  EXPECT_FALSE(ReadMetrics("7"));
  EXPECT_FALSE(ReadMachine("[]"));
}

}  // namespace
}  // namespace gpumon::gpud
