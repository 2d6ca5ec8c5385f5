// gpuctl top in a real terminal, against a server that answers as the API does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "internal/checks/columns.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using fault::HttpStatus;
using fault::Json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSummary =
    R"({"gpus":32,"gpus_lost":0,"busy":14,"idle_held":9,"free":9,"unhealthy":0,"unknown":0,
"utilization":34.125,"memory_used_bytes":1626858323968,"memory_total_bytes":2745750781952,
"power":5806.6,"temperature_max":87.0,"users":6,"pods_running":9,"pods_pending":1})";

std::string Envelope(const std::string& rows) {
  return R"({"success":true,"data":[)" + rows +
         R"(],"error":null,"meta":{"as_of":"2026-11-29T08:00:00Z","stale":false,"partial":false}})";
}

std::string Rows() {
  std::string rows;
  for (int i = 0; i < 32; ++i) {
    rows += (i == 0 ? "" : ",") + std::string(R"({"node_name":"gpu-node-)") +
            std::to_string(i / 8 + 1) + R"(","gpu_id":")" + std::to_string(i % 8) +
            R"(","mig":null,"gpu_name":"NVIDIA A100-SXM4-80GB","workloads":[],"utilization":)" +
            std::to_string(3 * i) + R"(,"memory_used_percent":10,"temperature":50,"power":200})";
  }
  return rows;
}

std::string Nodes() {
  std::string rows;
  for (const std::string node : {"1", "2", "3", "4"}) {
    rows += (rows.empty() ? "" : ",") + std::string(R"({"node_name":"gpu-node-)") + node +
            R"(","status":"online","level":"healthy","gpu_count":8})";
  }
  return rows;
}

class TopScreenTest : public testing::Test {
 protected:
  TopScreenTest() {
    server_.SetScript([](const fault::Request& request) {
      const bool nodes = request.target.starts_with("/api/v1/gpu/nodes");
      const bool summary = request.target.starts_with("/api/v1/gpu/summary");
      return Json(Envelope(summary ? kSummary : nodes ? Nodes() : Rows()));
    });
  }
  // Says how it ended and whether lines are read and echoed again.
  std::string Command(const std::string& variables = {}) const {
    return variables + " sh -c 'echo $$ >" + folder_.File("pid") + "; exec " + GPUMON_CTL +
           " top --interval 100ms --server " + server_.url() + "'; echo rc=$?; stty -a";
  }
  void Signal(int signal) const {
    std::ifstream file(folder_.File("pid"));
    pid_t pid = 0;
    file >> pid;
    ASSERT_GT(pid, 1);
    ASSERT_EQ(kill(pid, signal), 0);
  }
  static void ExpectFits(const std::string& screen, std::size_t columns, std::size_t rows) {
    std::istringstream lines(screen);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      EXPECT_LE(checks::DisplayWidth(line), columns) << line;
    }
    EXPECT_EQ(count, rows);
    EXPECT_THAT(screen, AllOf(HasSubstr("GPUs 32: 14 busy, 9 held idle, 9 free"),
                              HasSubstr("Enter:node q:quit\n")));
  }
  static void ExpectRestored(const Tmux& tmux, const std::string& code) {
    EXPECT_TRUE(tmux.Await("rc=" + code + "\n")) << tmux.Screen();
    EXPECT_TRUE(tmux.Await(" echo "));
    EXPECT_THAT(tmux.Screen(), AllOf(Not(HasSubstr("-icanon")), Not(HasSubstr("gpu-node"))));
  }

  fault::FaultServer server_;
  process::ScratchDirectory folder_;
};

TEST_F(TopScreenTest, FillsA80x24ScreenAndTakesKeys) {
  const Tmux tmux(80, 24, Command());
  ASSERT_TRUE(tmux.Await(" 1/32 ")) << tmux.Screen();
  ExpectFits(tmux.Screen(), 80, 24);
  tmux.Press({"u"});
  EXPECT_TRUE(tmux.Await(">gpu-node-4     7"));
  tmux.Press({"n", "Down"});
  EXPECT_TRUE(tmux.Await(" 2/4 "));
  tmux.Press({"Enter"});
  EXPECT_TRUE(tmux.Await("node gpu-node-"));
  EXPECT_THAT(tmux.Screen(), HasSubstr(" 1/8 "));
  tmux.Press({"Escape"});
  EXPECT_TRUE(tmux.Await(" 2/4 "));
  tmux.Press({"/", "4", "Enter"});
  EXPECT_TRUE(tmux.Await(" 1/1 "));
  tmux.Press({"?"});
  EXPECT_TRUE(tmux.Await("this page, or back"));
  tmux.Press({"q", "q"});
  ExpectRestored(tmux, "0");
}

TEST_F(TopScreenTest, FillsA200x60ScreenAndFollowsItsSize) {
  const Tmux tmux(200, 60, Command());
  ASSERT_TRUE(tmux.Await(" 1/32 ")) << tmux.Screen();
  ExpectFits(tmux.Screen(), 200, 60);
  EXPECT_THAT(tmux.Screen(), HasSubstr("NVIDIA A100-SXM4-80GB"));
  tmux.Resize(80, 24);
  EXPECT_TRUE(process::WaitUntil([&] { return tmux.Screen().find("SXM4") == std::string::npos; },
                                 Millis(10'000)));
  ASSERT_TRUE(tmux.Await("q:quit\n"));
  ExpectFits(tmux.Screen(), 80, 24);
  tmux.Press({"C-c"});
  EXPECT_TRUE(tmux.Await("rc=0\n"));
}

TEST_F(TopScreenTest, TheTerminalIsPutRightWhateverEndsIt) {
  for (const auto& [signal, code] : {std::pair(SIGTERM, "0"), std::pair(SIGHUP, "0"),
                                     std::pair(SIGSEGV, "139"), std::pair(SIGABRT, "134")}) {
    const Tmux tmux(80, 24, Command());
    ASSERT_TRUE(tmux.Await(" 1/32 ")) << tmux.Screen();
    Signal(signal);
    ExpectRestored(tmux, code);
  }
}

TEST_F(TopScreenTest, WhoStopsItHasTheTerminalUntilItGoesOn) {
  const Tmux tmux(80, 24, Command());
  ASSERT_TRUE(tmux.Await(" 1/32 ")) << tmux.Screen();
  Signal(SIGTSTP);
  EXPECT_TRUE(process::WaitUntil(
      [&] { return tmux.Screen().find("gpu-node") == std::string::npos; }, Millis(10'000)));
  Signal(SIGCONT);
  EXPECT_TRUE(tmux.Await(" 1/32 "));
  tmux.Press({"q"});
  ExpectRestored(tmux, "0");
}

TEST_F(TopScreenTest, AServerThatGoesAwayIsABannerOverTheLastNumbers) {
  const Tmux tmux(80, 24, Command());
  ASSERT_TRUE(tmux.Await(" 1/32 ")) << tmux.Screen();
  server_.SetReply(HttpStatus(503));
  EXPECT_TRUE(tmux.Await("\nAWAY: http://127.0.0.1:"));
  ExpectFits(tmux.Screen(), 80, 24);
}

TEST_F(TopScreenTest, WithoutColourNothingIsPainted) {
  const Tmux plain(80, 24, Command("NO_COLOR=1"));
  const Tmux painted(80, 24, Command());
  ASSERT_TRUE(plain.Await(" 1/32 "));
  ASSERT_TRUE(painted.Await(" 1/32 "));
  EXPECT_THAT(plain.PaintedScreen(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(painted.PaintedScreen(), HasSubstr("\x1b[7m"));
}

TEST_F(TopScreenTest, WithoutATerminalItSaysWhatToDo) {
  const auto ran = process::Run(GPUMON_CTL, {"top", "--server", fault::RefusingUrl()});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.errors,
            "gpuctl: top needs a terminal; without one there is gpuctl get gpus --watch\n");
}

TEST_F(TopScreenTest, GetSaysOnATerminalThatItWaits) {
  server_.SetReply(Json(Envelope(Rows())).Held());
  const Tmux tmux(80, 40, GPUMON_CTL + std::string(" get gpus --server ") + server_.url());
  EXPECT_TRUE(tmux.Await("gpuctl: asking " + server_.url() + ", ")) << tmux.Screen();
  server_.Release();
  EXPECT_TRUE(tmux.Await("\ngpu-node-4  7 ")) << tmux.Screen();
  EXPECT_THAT(tmux.Screen(), Not(HasSubstr("asking")));
}

TEST_F(TopScreenTest, AServerThatIsNotThereIsSaidInALineThatStays) {
  const Tmux tmux(
      80, 24, GPUMON_CTL + std::string(" top --server ") + fault::RefusingUrl() + "; echo rc=$?");
  EXPECT_TRUE(tmux.Await("rc=3\n"));
  EXPECT_THAT(tmux.Screen(), HasSubstr("the connection was refused"));
}

}  // namespace
}  // namespace gpumon::ctl
