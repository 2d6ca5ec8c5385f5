// The probe against what answers in other ways than a healthy PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "internal/checks/postgres.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"
#include "tests/fakes/servers/raw_server.h"

namespace gpumon::checks {
namespace {

using servers::After;
using servers::RawServer;
using servers::Turn;
using testing::HasSubstr;
using testing::StartsWith;

std::string Number(std::size_t value) {
  std::string bytes;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    bytes += static_cast<char>((value >> (shift - 8)) & 0xFFU);
  }
  return bytes;
}

std::string Message(char type, const std::string& body) {
  return type + Number(body.size() + 4) + body;
}

std::string ErrorOf(const std::string& severity, const std::string& state,
                    const std::string& text) {
  std::string body;
  for (const std::string& field : {"S" + severity, "C" + state, "M" + text}) body += field + '\0';
  return Message('E', body + '\0');
}

std::string Row(const std::string& text) {
  const std::string name = "version";
  return Message('T', std::string("\0\1", 2) + name + '\0' + Number(0) + std::string("\0\0", 2) +
                          Number(25) + std::string("\xff\xff", 2) + Number(~std::size_t{0}) +
                          std::string("\0\0", 2)) +
         Message('D', std::string("\0\1", 2) + Number(text.size()) + text) +
         Message('C', std::string("SELECT 1\0", 9)) + Message('Z', "I");
}

const Turn kNoTls = {"\x04\xd2\x16\x2f", "N"};
const Turn kWelcome = {"database", Message('R', Number(0)) + Message('Z', "I")};

Turn OnLogin(std::string say) {
  return {"database", std::move(say)};
}
Turn OnQuery(std::string say) {
  return {"SELECT version()", std::move(say)};
}

class PostgresAnswersTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PGPASSWORD", "PGSSLMODE"}) unsetenv(name);
    setenv("PGPASSFILE", "/no/such/pgpass", 1);
  }
  Outcome ProbePort(int port, Millis budget = Millis(20'000)) {
    target_.port = static_cast<std::uint16_t>(port);
    return PostgresProbe(target_)(clock_, Deadline::After(clock_, process::Scaled(budget)));
  }
  Outcome ProbeOf(std::vector<Turn> turns, After after = After::kClose,
                  Millis budget = Millis(20'000)) {
    const RawServer server(std::move(turns), after);
    return ProbePort(server.port(), budget);
  }

  SystemClock clock_;
  PostgresTarget target_;
};

TEST_F(PostgresAnswersTest, AnotherProgramIsNotPostgres) {
  std::string page = "HTTP/1.1 400 Bad Request\r\n\r\n<html>";
  page.resize(10'000'000, 'x');
  for (const auto& turns : std::vector<std::vector<Turn>>{
           {{"", page}},
           {kNoTls, OnLogin(page)},
           {kNoTls, OnLogin(Message('R', "x"))},
           {kNoTls, OnLogin(std::string("R\x7f\xff\xff\xff", 5))},
           {kNoTls, OnLogin(Message('Q', "x"))},
       }) {
    const Outcome outcome = ProbeOf(turns);
    EXPECT_EQ(outcome.status, Status::kUnhealthy);
    EXPECT_EQ(outcome.details, "Not PostgreSQL") << outcome.error;
    EXPECT_THAT(outcome.error, StartsWith("PostgreSQL connection failed: "));
    EXPECT_THAT(outcome.hint, StartsWith("another program listens there: see which with "));
  }
}

TEST_F(PostgresAnswersTest, AConnectionThatEndsIsUnhealthy) {
  const std::string half = Message('R', Number(0)).substr(0, 5);
  for (const auto& turns : std::vector<std::vector<Turn>>{
           {}, {kNoTls, OnLogin("")}, {kNoTls, OnLogin(half)}, {kNoTls, kWelcome, OnQuery("D")}}) {
    const Outcome closed = ProbeOf(turns);
    EXPECT_EQ(closed.status, Status::kUnhealthy);
    EXPECT_EQ(closed.details, "Connection closed by the server") << closed.error;
  }
  // libpq makes no difference.
  const Outcome reset = ProbeOf({{"\x04\xd2\x16\x2f", ""}}, After::kReset);
  EXPECT_EQ(reset.status, Status::kUnhealthy);
  EXPECT_EQ(reset.details, "Connection closed by the server") << reset.error;
}

TEST_F(PostgresAnswersTest, SilenceEndsWithTheDeadline) {
  const std::pair<std::vector<Turn>, std::string> kCases[] = {
      {{}, "the connection was accepted, and the login not answered in time"},
      {{kNoTls}, "the connection was accepted, and the login not answered in time"},
      {{kNoTls, OnLogin("R")}, "the connection was accepted, and the login not answered in time"},
      {{kNoTls, kWelcome}, "SELECT version() was not answered in time"},
  };
  for (const auto& [turns, why] : kCases) {
    const Outcome outcome = ProbeOf(turns, After::kHold, Millis(100));
    EXPECT_EQ(outcome.status, Status::kUnhealthy);
    EXPECT_EQ(outcome.details, "No answer in time");
    EXPECT_THAT(outcome.error, HasSubstr(why));
  }
  const fault::BlackHole hole;
  const std::string url = hole.url();
  const Outcome outcome = ProbePort(std::stoi(url.substr(url.rfind(':') + 1)), Millis(100));
  EXPECT_EQ(outcome.details, "No answer in time");
  EXPECT_THAT(outcome.error, HasSubstr("the connection was not accepted in time"));
}

TEST_F(PostgresAnswersTest, OneThatStartsOrEndsIsDegraded) {
  for (const std::string text :
       {"the database system is starting up", "the database system is in recovery mode"}) {
    const Outcome outcome = ProbeOf({kNoTls, OnLogin(ErrorOf("FATAL", "57P03", text))});
    EXPECT_EQ(outcome.status, Status::kDegraded);
    EXPECT_EQ(outcome.details, text);
    EXPECT_THAT(outcome.error, HasSubstr(text + ", SQLSTATE 57P03"));
  }
  const std::string text = "terminating connection due to administrator command";
  const Outcome outcome = ProbeOf({kNoTls, kWelcome, OnQuery(ErrorOf("FATAL", "57P01", text))});
  EXPECT_EQ(outcome.status, Status::kDegraded) << outcome.error;
  EXPECT_EQ(outcome.details, text);
}

TEST_F(PostgresAnswersTest, AQueryThatFailsIsDegraded) {
  const Outcome outcome = ProbeOf(
      {kNoTls, kWelcome,
       OnQuery(ErrorOf("ERROR", "42501", "permission denied for version") + Message('Z', "I"))});
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "Query failed");
  EXPECT_THAT(outcome.error,
              HasSubstr("SELECT version(): permission denied for version, SQLSTATE 42501"));
  EXPECT_EQ(ProbeOf({kNoTls, kWelcome, OnQuery(Row(""))}).status, Status::kDegraded);
}

TEST_F(PostgresAnswersTest, ThatOthersSpeakItsProtocolIsSaid) {
  EXPECT_EQ(ProbeOf({kNoTls, kWelcome, OnQuery(Row("CockroachDB CCL v23.1 (x86)"))}).details,
            "Connected - CockroachDB CCL");
  EXPECT_EQ(ProbeOf({kNoTls, kWelcome, OnQuery(Row("Own\x1b[31m"))}).details,
            "Connected - Own?[31m");
}

TEST_F(PostgresAnswersTest, AServerThatTellsThePasswordIsNotQuoted) {
  const process::ScratchDirectory folder;
  target_.password_file = folder.Write("password", "hunter2");
  const RawServer server({kNoTls,
                          OnLogin(Message('R', Number(3))),
                          {"hunter2", ErrorOf("SCHWER", "28P01", "not \xff\x1b hunter2")}});
  const Outcome outcome = ProbePort(server.port());
  EXPECT_THAT(server.received(), HasSubstr("hunter2"));
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "not \uFFFD? ***");
  for (const std::string& line : outcome.steps) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
  EXPECT_THAT(outcome.error + outcome.hint, Not(HasSubstr("hunter2")));
}

TEST_F(PostgresAnswersTest, ANameWithoutAddressIsUnhealthy) {
  target_.host = "no..name";
  const Outcome outcome = ProbePort(1);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "Address not found");
  target_.host = "/no/such/folder";
  const Outcome socket = ProbePort(1);
  EXPECT_EQ(socket.status, Status::kUnhealthy);
  EXPECT_THAT(socket.error, HasSubstr("No such file or directory (/no/such/folder)"));
}

}  // namespace
}  // namespace gpumon::checks
