// Every way in which Prometheus can fail or be odd, and which test holds what a client then sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/odd_answer.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/e2e/upstream_fault.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using json::Value;

// Two tests hold their rows of a table: these look at it, without a snapshot and with one.
constexpr char kFaults[] = "e2e/UpstreamFaultTest.ServesTheLastSnapshotMarkedStale";
constexpr char kOdd[] = "e2e/OddAnswerTest.IsTheSameWithASnapshotAndWithout";

struct MatrixRow {
  int number;
  const char* fault;
  std::vector<std::string> tests;  // FOLDER/SUITE.NAME, or FOLDER/FILE.py:NAME
};

const std::vector<MatrixRow>& Matrix() {
  static const std::vector<MatrixRow> rows = {
      {1, "connection refused", {kFaults, "e2e/FaultTest.ARefusedConnectionIsAnsweredAtOnce"}},
      {2,
       "packets dropped",
       {kFaults, "e2e/FaultTest.APortThatDropsPacketsIsGivenUpAfterTheConnectTime"}},
      {3,
       "accepted, never answered",
       {kFaults, "e2e/SharingTest.LivenessAnswersWhileTwoHundredClientsWaitForAFrozenPrometheus"}},
      {4,
       "kept connections whose peer is gone",
       {"e2e/FaultTest.KeptConnectionsThatFallSilentCostOneAnswerEach"}},
      {5, "slow heads and bodies", {kFaults, "e2e/FaultTest.ASlowBodyCannotOutlastTheTotalTime"}},
      {6,
       "one query slow",
       {"e2e/FaultTest.ASlowQueryNullsItsFieldAloneInTime",
        "e2e/FaultTest.ASlowQueryHoldsUpNobodyWhoHasASnapshot"}},
      {7, "500, 502, 504", {kFaults}},
      {8, "503 as plain text", {kFaults}},
      {9, "503 of its own time-out", {kFaults}},
      {10, "422 execution", {kFaults}},
      {11, "400 bad_data", {kFaults}},
      {12, "429", {kFaults, "e2e/FaultTest.AThrottlingPrometheusIsLeftAloneForAsLongAsItSays"}},
      {13, "401, 403", {kFaults, "e2e/FaultTest.CredentialsReachPrometheusAndNobodyElse"}},
      {14, "404, a login page, no HTTP", {kFaults}},
      {15, "redirects", {kFaults, "e2e/FaultTest.RedirectsAreNotFollowed"}},
      {16, "nothing in the answer", {kFaults}},
      {17, "errors with status 200", {kFaults}},
      {18, "another type of result", {kFaults}},
      {19, "JSON that is cut", {kFaults, "e2e/FaultTest.JsonCutAtAnyByteIsNeverASuccess"}},
      {20,
       "answers that are cut",
       {kFaults, "internal/prom/ApiClientTest.TriesOnceMoreWhenTheAnswerWasCut"}},
      {21,
       "answers beyond the cap",
       {kFaults, "e2e/MemoryTest.AGzipBombCostsNoMoreMemoryThanTheCapAllows",
        "e2e/MemoryTest.EndlessAnswersCostTwoAndAHalfTimesTheCapTogether"}},
      {22,
       "deep nesting, long numbers",
       {kFaults, "internal/prom/DecodeTest.SurvivesHostileNestingAndNumbers"}},
      {23, "wrong types and texts", {kFaults, "e2e/FaultTest.HostileLabelsStayValidUtf8Json"}},
      {24, "NaN and infinities", {kOdd}},
      {25,
       "samples that are none",
       {kOdd, "e2e/FaultTest.AValueThatIsNoNumberIsInvalidAndItsRowStays"}},
      {26, "impossible values", {kOdd, "e2e/TruthTest.ImpossibleValuesAreNullWithTheirReason"}},
      {27,
       "duplicate series",
       {kOdd, "internal/gpu/OrderTest.AThousandShufflesOfMixedExportersGiveTheSameBytes"}},
      {28, "labels missing or no numbers", {kOdd}},
      {29, "other names of labels", {kOdd, "e2e/CaptureTest.GivesItsGoldenRows"}},
      {30, "a metric absent", {kOdd, "e2e/TruthTest.NoFieldBecomesZeroWhateverMetricsAreMissing"}},
      {31, "everything absent", {kOdd}},
      {32,
       "warnings of Prometheus",
       {kOdd, "e2e/FaultTest.UpstreamWarningsArePassedOnAndShortenTheCache"}},
      {33, "cut by a limit", {kOdd}},
      {34,
       "stale samples",
       {"e2e/ReasonsTest.ARowIsAsNewAsItsNewestAndAsOldAsItsOldestSample",
        "e2e/ReasonsTest.WhatAnExporterShowedBeforeItWentDownIsMissingForThatReason"}},
      {35, "clocks an hour apart", {"e2e/ConsistencyTest.AClockThatJumpsTearsNoRow"}},
      {36,
       "a clock set back, a scrape amid a set",
       {"e2e/ConsistencyTest.AClockThatJumpsTearsNoRow",
        "e2e/ConsistencyTest.OfAHundredThousandAnswersUnderFaultsNoneIsOfTwoScrapes"}},
      {37,
       "names that do not resolve, or change",
       {"e2e/names_test.py:test_a_name_that_is_not_there",
        "e2e/names_test.py:test_a_name_server_that_fails",
        "e2e/names_test.py:test_a_name_server_that_is_silent",
        "e2e/names_test.py:test_an_address_that_changes",
        "e2e/names_test.py:test_an_address_of_ipv6_alone",
        "e2e/names_test.py:test_the_first_of_many_addresses_is_dead"}},
      {38,
       "TLS that cannot be trusted",
       {"e2e/FaultTest.TlsThatCannotBeTrustedIsNeverGivenUpFor",
        "internal/fetch/TlsTest.RefusesOldProtocols",
        "internal/fetch/TlsTest.TheCertificateMustNameTheHost",
        "internal/fetch/TlsTest.SaysThatAClientCertificateIsAskedFor"}},
      {39,
       "credentials that rotate",
       {"internal/fetch/CredentialFilesTest.FollowsARenameAndASymlinkSwap",
        "internal/fetch/ClientTest.RotatesATokenWithoutAFailedRequest",
        "internal/fetch/TlsTest.FollowsACaFileThatIsReplaced"}},
      {40,
       "Prometheus restarts",
       {"e2e/LifeTest.PrometheusMayComeAndGo", "e2e/FaultTest.RecoversASecondAfterPrometheusHas"}},
      {41, "a very large fleet", {"e2e/MemoryTest.SixteenThousandGpusAndFiftyThousandProcesses"}},
      {42,
       "no descriptors left",
       {"e2e/FaultTest.WithoutAFreeDescriptorItSaysSoAndRecovers",
        "e2e/LifeTest.WithTooFewFilesItDoesNotStartAndSaysHowManyItNeeds",
        "e2e/LifeTest.WithJustEnoughFilesItAnswersBesideIdleConnections"}},
      {43, "everything at once", {"e2e/ChaosTest.EveryAnswerIsOneThatTheFaultsAllow"}},
  };
  return rows;
}

// All sources of a folder of tests, without white space.
std::string Sources(const std::string& folder) {
  std::string all;
  const std::string path = std::string(GPUMON_SOURCE_DIR) + "/tests/" + folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".cc") all += process::ReadFile(entry.path().string());
  }
  all.erase(std::remove_if(all.begin(), all.end(), [](char c) { return c == ' ' || c == '\n'; }),
            all.end());
  return all;
}

bool Exists(const std::string& test) {
  const std::size_t colon = test.find(':');
  if (colon != std::string::npos) {
    const std::string file = std::string(GPUMON_SOURCE_DIR) + "/tests/" + test.substr(0, colon);
    return Holds(process::ReadFile(file), "    def " + test.substr(colon + 1) + "(self");
  }
  const std::size_t slash = test.rfind('/');
  const std::size_t dot = test.find('.', slash);
  const std::string arguments =
      '(' + test.substr(slash + 1, dot - slash - 1) + ',' + test.substr(dot + 1) + "){";
  const std::string sources = Sources(test.substr(0, slash));
  for (const char* const macro : {"TEST", "TEST_F", "TEST_P"}) {
    if (Holds(sources, macro + arguments)) return true;
  }
  return false;
}

TEST(FaultMatrixTest, EveryRowIsHeldByTestsThatAreThere) {
  std::set<int> faults;
  std::set<int> odd;
  for (const auto& list : {TransportFaults(), ContentFaults()}) {
    for (const auto& fault : list) faults.insert(fault.row);
  }
  for (const auto& answer : OddAnswers()) odd.insert(answer.row);
  ASSERT_EQ(Matrix().size(), 43U);
  int number = 0;
  for (const MatrixRow& row : Matrix()) {
    EXPECT_EQ(row.number, ++number);
    EXPECT_FALSE(row.tests.empty()) << number;
    for (const std::string& test : row.tests) EXPECT_TRUE(Exists(test)) << number << ' ' << test;
    const auto names = [&](const char* test) {
      return std::find(row.tests.begin(), row.tests.end(), test) != row.tests.end();
    };
    EXPECT_EQ(names(kFaults), faults.count(number) == 1) << number << ' ' << row.fault;
    EXPECT_EQ(names(kOdd), odd.count(number) == 1) << number << ' ' << row.fault;
  }
  EXPECT_FALSE(Exists("e2e/FaultMatrixTest.ThatIsNotThere"));
  EXPECT_FALSE(Exists("e2e/names_test.py:test_that_is_not_there"));
}

class OddAnswerTest : public testing::TestWithParam<OddAnswer> {};

void ExpectOdd(const Answer& answer, const OddAnswer& odd) {
  ASSERT_EQ(answer.status, 200) << answer.Text();
  EXPECT_TRUE(IsValidUtf8(answer.body));
  const Value document = answer.Json();
  ASSERT_TRUE(document.is_object()) << answer.Text();
  EXPECT_EQ(document["success"].AsBool(), true);
  EXPECT_EQ(document["meta"]["stale"].AsBool(), false);
  EXPECT_EQ(document["meta"]["partial"].AsBool(), odd.partial) << answer.Text();
  ASSERT_EQ(document["data"].size(), odd.rows) << answer.Text();
  const std::string warning = odd.warning;
  bool warned = warning.empty() && document["warnings"].size() == 0;
  for (const Value& one : document["warnings"].elements()) {
    warned |= !warning.empty() && Holds(TextOf(one), warning);
  }
  EXPECT_TRUE(warned) << odd.warning << " in " << answer.Text();
  for (const Value& row : document["data"].elements()) {
    for (const char* const field :
         {"utilization", "memory_used", "memory_total", "memory_free", "temperature"}) {
      if (std::string(field) != odd.null_field) {
        EXPECT_FALSE(row[field].is_null()) << field << " of " << answer.Text();
        continue;
      }
      EXPECT_TRUE(row[field].is_null()) << field << " of " << answer.Text();
      const std::string own = TextOf(row["null_reasons"][field]);
      EXPECT_EQ(own.empty() ? TextOf(document["meta"]["null_reasons"][field]) : own, odd.reason);
    }
  }
}

TEST_P(OddAnswerTest, IsTheSameWithASnapshotAndWithout) {
  const OddAnswer& odd = GetParam();
  FaultServer upstream(odd.script);
  const Environment variables = {{"CACHE_TTL", "0s"}, {"LOG_LEVEL", "off"}};
  const ApiServer first(upstream.url(), variables);
  ASSERT_TRUE(first.AwaitReady());
  ExpectOdd(first.Get(kMetrics), odd);

  upstream.SetScript(FleetReply);
  const ApiServer second(upstream.url(), variables);
  ASSERT_TRUE(second.AwaitReady());
  ASSERT_EQ(second.Get(kMetrics).Json()["data"].size(), kScriptedGpus);
  upstream.SetScript(odd.script);
  ExpectOdd(second.Get(kMetrics), odd);
  EXPECT_EQ(second.Get("/livez").status, 200);
}

INSTANTIATE_TEST_SUITE_P(Answers, OddAnswerTest, testing::ValuesIn(OddAnswers()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace gpumon::e2e
