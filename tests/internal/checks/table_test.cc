#include "internal/checks/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "internal/checks/columns.h"
#include "tests/internal/checks/fixture.h"

namespace gpumon::checks {
namespace {

// As it stands there: the right border of four of its rows is a column too far to the left.
constexpr std::string_view kDocument = R"(Backend.AI Health Check Report
Timestamp: 2025-07-28 10:30:00 UTC
Overall Status: ✓ Healthy

┌─────────────────────────────────────┬─────────────┬───────────────┬──────────────────────────────────┐
│ Service                             │ Status      │ Response Time │ Details                          │
├─────────────────────────────────────┼─────────────┼───────────────┼──────────────────────────────────┤
│ backend.ai-halfstack-postgres-1     │ ✓ Healthy   │ 45ms          │ Running since 2025-07-28T08:00  │
│ backend.ai-halfstack-redis-1        │ ✓ Healthy   │ 32ms          │ Running since 2025-07-28T08:00  │
│ PostgreSQL                          │ ✓ Healthy   │ 125ms         │ Connected - PostgreSQL 15.3     │
│ Redis                               │ ✓ Healthy   │ 18ms          │ PING successful                  │
│ Manager API                         │ ✗ Unhealthy │ 5000ms        │ Connection refused               │
│ NVIDIA GPU 0                        │ ✓ Healthy   │ 156ms         │ RTX 4090 - GPU: 45%, Mem: 12.5% │
└─────────────────────────────────────┴─────────────┴───────────────┴──────────────────────────────────┘

Health Check Summary: 9 healthy, 1 unhealthy, 0 degraded, 0 unknown out of 10 total services
)";

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(CheckTableTest, IsTheDocumentsOwnWithItsBorderStraight) {
  const std::vector<std::string> expected = LinesOf(kDocument);
  const std::vector<std::string> lines = LinesOf(TableText(DocumentReport(), {}));
  ASSERT_EQ(lines.size(), expected.size());
  const std::size_t width = DisplayWidth(expected[4]);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line = expected[i];
    if (line.ends_with("│") && DisplayWidth(line) < width) {
      line.insert(line.size() - std::string_view("│").size(), 1, ' ');
      ++moved;
    }
    EXPECT_EQ(lines[i], line);
  }
  EXPECT_EQ(moved, 4U);
}

TEST(CheckTableTest, GrowsWithItsTextsAndStaysStraight) {
  Report report = DocumentReport();
  report.checks.push_back(Row("backend.ai-halfstack-otel-collector-1", Status::kUnknown, 7,
                              "데이터베이스가 응답하지 않습니다 " + std::string(90, 'x') + " end"));
  report.checks.push_back(Row("e\xCC\x81tcd", Status::kDegraded, 1, ""));
  const std::vector<std::string> lines = LinesOf(TableText(report, {}));
  const std::size_t width = DisplayWidth(lines[4]);
  EXPECT_EQ(width, 37 + 2 + 13 + 15 + 62 + 5U);
  std::size_t rows = 0;
  for (const std::string& line : lines) {
    if (!line.starts_with("│") && !line.starts_with("┌")) continue;
    EXPECT_EQ(DisplayWidth(line), width) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 1 + 1 + 6 + 3 + 1U) << "the long text goes on in lines of its own";
}

TEST(CheckTableTest, NothingOfACheckedSystemReachesTheTerminalAsAnOrder) {
  Report report = DocumentReport();
  report.checks[0].name =
      "a\x1b[2Jb\nc\xC2\x9B"
      "d\xFF";
  report.checks[0].outcome.details = "x\r\x07y\xE2\x80\xAEz";
  report.checks[0].outcome.status = Status::kUnknown;
  report.checks[0].outcome.error = "\x1b]0;title\x07";
  report.checks[0].outcome.hint = "\x1b[31m";
  report.checks[0].outcome.steps = {"step\x1b"};
  report.checks[0].outcome.log_lines = {"line\x1b\n"};
  for (const std::string& text :
       {TableText(report, {false, true}), SummaryText(report, {false, true})}) {
    for (const std::string& line : LinesOf(text)) EXPECT_FALSE(HasHiddenCharacter(line)) << line;
    EXPECT_TRUE(IsValidUtf8(text));
  }
  EXPECT_NE(TableText(report, {}).find("a?[2Jb?c?d\xEF\xBF\xBD"), std::string::npos);
}

TEST(CheckTableTest, ColourIsOnTheStatusAlone) {
  const std::string text = TableText(DocumentReport(), {true, false});
  EXPECT_NE(text.find("Overall Status: \x1b[32m✓ Healthy\x1b[0m\n"), std::string::npos);
  EXPECT_NE(text.find("│ \x1b[31m✗ Unhealthy\x1b[0m │ 5000ms"), std::string::npos);
  EXPECT_EQ(TableText(DocumentReport(), {}).find('\x1b'), std::string::npos);
}

TEST(CheckTableTest, TheSummaryIsTheDocumentsOwn) {
  EXPECT_EQ(SummaryText(DocumentReport(), {}), R"(Backend.AI Health Status - 10:30:00
backend.ai-halfstack-postgres-1: ✓ Healthy (45ms)
backend.ai-halfstack-redis-1: ✓ Healthy (32ms)
PostgreSQL: ✓ Healthy (125ms)
Redis: ✓ Healthy (18ms)
Manager API: ✗ Unhealthy (5000ms)
NVIDIA GPU 0: ✓ Healthy (156ms)
Health Check Summary: 9 healthy, 1 unhealthy, 0 degraded, 0 unknown out of 10 total services
)");
}

TEST(CheckTableTest, VerboseExplainsWhatIsNotHealthyBeneath) {
  Report report = DocumentReport();
  Outcome& outcome = report.checks[4].outcome;
  outcome.hint = "verify that containers run: docker ps";
  outcome.steps = {"GET /health: Connection refused"};
  outcome.log_lines = {"one", "two"};
  report.checks[0].outcome.steps = {"not shown"};
  const std::string text = SummaryText(report, {false, true});
  EXPECT_EQ(text.substr(text.find("total services\n") + 15), R"(
Manager API: ✗ Unhealthy
  Why: Manager API: Connection refused
  Next: verify that containers run: docker ps
  Steps:
    GET /health: Connection refused
  Last log lines:
    one
    two
)");
}

}  // namespace
}  // namespace gpumon::checks
