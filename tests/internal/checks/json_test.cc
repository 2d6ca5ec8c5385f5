#include "internal/checks/json.h"

#include <gtest/gtest.h>

#include "internal/json/document.h"
#include "tests/internal/checks/fixture.h"

namespace gpumon::checks {
namespace {

// The document shows one of its nine checks.
Report Example() {
  Report report;
  report.at = *ParseTime("2025-07-28T10:30:00.250Z");
  report.overall = Status::kDegraded;
  report.counts = {8, 1, 0, 0};
  report.checks = {Row("PostgreSQL", Status::kHealthy, 125, "Connected - PostgreSQL 15.3")};
  return report;
}

TEST(CheckJsonTest, IsTheDocumentsOwn) {
  EXPECT_EQ(JsonText(Example(), false), R"({
  "timestamp": "2025-07-28T10:30:00Z",
  "overall_status": "Degraded",
  "total_checks": 9,
  "healthy_count": 8,
  "unhealthy_count": 1,
  "degraded_count": 0,
  "unknown_count": 0,
  "checks": [
    {
      "service_name": "PostgreSQL",
      "status": "Healthy",
      "response_time_ms": 125,
      "details": "Connected - PostgreSQL 15.3",
      "timestamp": "2025-07-28T10:30:00Z",
      "error_message": null
    }
  ],
  "summary": "Health Check Summary: 8 healthy, 1 unhealthy, 0 degraded, 0 unknown out of 9 total services"
}
)");
}

TEST(CheckJsonTest, TheLineIsTheSameDocument) {
  Report report = DocumentReport();
  report.checks[0].outcome.details = "a \"b\", {c}: [d]\n\\\x1b\xFF";
  const std::string line = JsonLine(report, true);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto of_line = json::ParseDocument(line);
  const auto of_text = json::ParseDocument(JsonText(report, true));
  ASSERT_TRUE(of_line);
  ASSERT_TRUE(of_text);
  EXPECT_EQ((*of_text)["checks"][0]["details"].AsString()->substr(0, 16), "a \"b\", {c}: [d]\n");
  EXPECT_EQ(*(*of_line)["checks"][0]["details"].AsString(),
            *(*of_text)["checks"][0]["details"].AsString());
  EXPECT_EQ((*of_text)["checks"].size(), 6U);
}

TEST(CheckJsonTest, VerboseAddsMembersToWhatIsNotHealthy) {
  Report report = DocumentReport();
  report.checks[4].outcome.hint = "docker ps";
  report.checks[4].outcome.steps = {"asked"};
  const auto plain = *json::ParseDocument(JsonText(report, false));
  EXPECT_EQ(plain["checks"][4].size(), 6U);
  EXPECT_EQ(*plain["checks"][4]["error_message"].AsString(), "Manager API: Connection refused");
  const auto verbose = *json::ParseDocument(JsonText(report, true));
  EXPECT_EQ(verbose["checks"][0].size(), 6U) << "healthy";
  EXPECT_EQ(*verbose["checks"][4]["hint"].AsString(), "docker ps");
  EXPECT_EQ(*verbose["checks"][4]["steps"][0].AsString(), "asked");
  EXPECT_TRUE(verbose["checks"][4]["logs"].is_array());
}

TEST(CheckJsonTest, MoreForMachinesStandsAsItIs) {
  Report report = DocumentReport();
  report.checks[5].outcome.extra = R"({"utilization_per_watt":0.25})";
  EXPECT_EQ(
      *(*json::ParseDocument(JsonText(report, false)))["checks"][5]["extra"]["utilization_per_watt"]
           .AsDouble(),
      0.25);
}

TEST(CheckJsonTest, NoChecksAreAnEmptyList) {
  EXPECT_NE(JsonText(MakeReport({}, WallTime()), false).find("\"checks\": [],\n"),
            std::string::npos);
}

}  // namespace
}  // namespace gpumon::checks
