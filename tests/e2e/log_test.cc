// A log whose reader stalls holds up nobody.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using process::WaitUntil;

// A program's standard error that nobody reads until told to.
class UnreadPipe {
 public:
  UnreadPipe() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  ~UnreadPipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void Fill() const {
    const std::string bytes(std::size_t{4} << 10U, '.');
    while (!Full()) ASSERT_GT(write(ends_[1], bytes.data(), bytes.size()), 0);
  }
  bool Full() const {
    pollfd room{ends_[1], POLLOUT, 0};
    return poll(&room, 1, 0) == 0;
  }
  // All that came so far, until a line with `text` has come.
  const std::string& ReadUntil(const std::string& text) {
    std::string more(std::size_t{64} << 10U, '\0');
    const auto come = [&] {
      const std::size_t at = all_.find(text);
      return at != std::string::npos && all_.find('\n', at) != std::string::npos;
    };
    WaitUntil(
        [&] {
          pollfd some{ends_[0], POLLIN, 0};
          while (!come() && poll(&some, 1, 0) == 1) {
            const ssize_t n = read(ends_[0], more.data(), more.size());
            all_.append(more, 0, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
          }
          return come();
        },
        Millis(10'000));
    return all_;
  }

 private:
  int ends_[2] = {-1, -1};
  std::string all_;
};

// On one connection, a few at a time.
void AskManyTimes(std::uint16_t port, int times, const std::string& target,
                  const Headers& headers = {}) {
  constexpr int kAtOnce = 20;
  Connection connection(port);
  std::string requests;
  for (int i = 0; i < kAtOnce; ++i) requests += RequestText("GET", target, headers);
  for (int asked = 0; asked < times; asked += kAtOnce) {
    ASSERT_TRUE(connection.Send(requests));
    for (int i = 0; i < kAtOnce; ++i) {
      ASSERT_NE(connection.Read(false, Millis(5000)).status, 0) << "after " << asked;
    }
  }
}

TEST(LogTest, AReaderThatStallsStopsNeitherAnswersNorTheEnd) {
  UnreadPipe log;
  ApiServer server(fault::RefusingUrl(), {{"DRAIN_DELAY", "200ms"}}, {}, log.writer());
  AskManyTimes(server.port(), 2000, "/livez");
  EXPECT_TRUE(log.Full());
  server.process().Signal(SIGTERM);
  const auto ended = server.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0);
}

TEST(LogTest, AReaderThatStallsDoesNotDelayASecondSignal) {
  UnreadPipe log;
  ApiServer server(fault::RefusingUrl(), {{"DRAIN_DELAY", "60s"}}, {}, log.writer());
  AskManyTimes(server.port(), 2000, "/livez");
  EXPECT_TRUE(log.Full());
  server.process().Signal(SIGTERM);
  EXPECT_TRUE(WaitUntil(
      [&] { return server.Get("/readyz").body.find("shutting down") != std::string::npos; },
      Millis(5000)));
  EXPECT_TRUE(server.process().Running());
  server.process().Signal(SIGTERM);
  const auto ended = server.process().Wait(Millis(2000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 1);
}

bool HasThread(pid_t pid, const std::string& name) {
  std::error_code ended;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ended)) {
    std::string line;
    std::getline(std::ifstream(task.path() / "comm"), line);
    if (line == name) return true;
  }
  return false;
}

TEST(LogTest, AReaderThatStallsDoesNotDelayASecondSignalAfterTheDrain) {
  const UnreadPipe log;
  ApiServer server(fault::RefusingUrl(), {}, {}, log.writer());
  AskManyTimes(server.port(), 2000, "/livez");
  EXPECT_TRUE(log.Full());
  const auto works = [&] { return HasThread(server.process().pid(), "worker"); };
  ASSERT_TRUE(works());
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(WaitUntil([&] { return !works(); }, Millis(10'000)));
  server.process().Signal(SIGTERM);
  const auto ended = server.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 1);
}

TEST(LogTest, AReaderThatStallsHoldsAFailedStartUpButNoSignal) {
  const UnreadPipe log;
  log.Fill();
  const ApiServer first(fault::RefusingUrl());
  ChildProcess second(ApiProgram(), {"--listen-addr", "127.0.0.1"},
                      {{"PORT", std::to_string(first.port())}, {"GRPC_HEALTH_PORT", "0"}},
                      log.writer());
  EXPECT_TRUE(WaitUntil(
      [&] {
        second.Signal(SIGTERM);
        return !second.Running();
      },
      Millis(5000)));
}

TEST(LogTest, ClosedDescriptorsAreNobodyElses) {
  const ScratchDirectory directory;
  const std::string port_file = directory.path() + "/port";
  ChildProcess server(
      "/bin/sh", {"-c", "exec \"$0\" --port-file \"$1\" 0<&- 1>&- 2>&-", ApiProgram(), port_file},
      {{"PORT", "0"}, {"GRPC_HEALTH_PORT", "0"}, {"LISTEN_ADDR", "127.0.0.1"}});
  ASSERT_TRUE(WaitUntil([&] { return std::filesystem::exists(port_file); }, Millis(10'000)));
  for (const std::string descriptor : {"0", "1", "2"}) {
    const std::string link = "/proc/" + std::to_string(server.pid()) + "/fd/" + descriptor;
    EXPECT_EQ(std::filesystem::read_symlink(link), "/dev/null") << descriptor;
  }
}

TEST(LogTest, LastLinesComeOutBeforeTheEnd) {
  UnreadPipe log;
  ApiServer server(fault::RefusingUrl(), {{"DRAIN_DELAY", "60s"}}, {}, log.writer());
  server.process().Signal(SIGTERM);
  log.ReadUntil("msg=draining");
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().Wait(Millis(5000)).has_value());
  EXPECT_TRUE(Holds(log.ReadUntil("ending at once"), "second signal: ending at once"));

  UnreadPipe other;
  ApiServer second(fault::RefusingUrl(), {}, {}, other.writer());
  EXPECT_EQ(second.Stop(), 0);
  EXPECT_TRUE(Holds(other.ReadUntil("msg=ended"), "msg=ended\n"));
}

// What the server's own metrics say.
std::string LinesDropped(const ApiServer& server) {
  const std::string name = "gpu_monitoring_log_lines_dropped_total ";
  std::istringstream metrics(server.Get("/metrics").body);
  std::string dropped;
  for (std::string line; std::getline(metrics, line);) {
    if (line.starts_with(name)) dropped = line.substr(name.size());
  }
  return dropped;
}

TEST(LogTest, LinesThatNobodyTookAreCountedInTheLogAndInTheMetrics) {
  UnreadPipe log;
  const ApiServer server(fault::RefusingUrl(), {}, {}, log.writer());
  const Headers long_id = {{"X-Request-Id", std::string(128, 'x')}};
  AskManyTimes(server.port(), 8000, "/" + std::string(250, 'n'), long_id);
  const std::string dropped = LinesDropped(server);
  EXPECT_NE(dropped, "0");
  EXPECT_NE(dropped, "");
  const std::string note = "level=warn msg=\"log lines dropped\" count=";
  const std::string& text = log.ReadUntil(note);
  const std::size_t at = text.find(note);
  ASSERT_NE(at, std::string::npos) << text.substr(0, 1000);
  // The server's own lines, and that of the request for the metrics, may be among those.
  const int noted = std::stoi(text.substr(at + note.size()));
  EXPECT_GE(noted, std::stoi(dropped));
  EXPECT_LE(noted, std::stoi(LinesDropped(server)));
}

TEST(LogTest, TheExporterDoesNotWaitForItsReaderEither) {
  UnreadPipe log;
  Exporter exporter({"--log-level", "debug", "--nodes", "1", "--gpus-per-node", "1"}, log.writer());
  AskManyTimes(exporter.port(), 2000, "/nothing");
  EXPECT_TRUE(log.Full());
  exporter.process().Signal(SIGTERM);
  const auto ended = exporter.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0);
}

TEST(LogTest, ASecondSignalEndsTheExporterWhileItWaitsForItsReader) {
  const UnreadPipe log;
  Exporter exporter({"--log-level", "debug", "--nodes", "1", "--gpus-per-node", "1"}, log.writer());
  AskManyTimes(exporter.port(), 2000, "/nothing");
  EXPECT_TRUE(log.Full());
  const auto works = [&] { return HasThread(exporter.process().pid(), "scrape"); };
  ASSERT_TRUE(works());
  exporter.process().Signal(SIGTERM);
  ASSERT_TRUE(WaitUntil([&] { return !works(); }, Millis(10'000)));
  exporter.process().Signal(SIGTERM);
  const auto ended = exporter.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 1);
}

}  // namespace
}  // namespace gpumon::e2e
