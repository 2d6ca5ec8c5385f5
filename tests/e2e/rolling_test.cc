// One server after the other is replaced behind a load balancer, nginx, while clients go on asking.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::WaitUntil;

constexpr char kMetrics[] = "/api/v1/gpu/metrics";
constexpr char kDrainDelay[] = "3s";  // the balancer has to have looked away by then

using Ports = std::vector<std::uint16_t>;

// nginx, told of its servers as an ingress controller tells it. It never tries a request twice, so
// what a server fails to answer the client sees.
class Balancer {
 public:
  explicit Balancer(const Ports& servers) : port_(FreePort()) {
    const std::string config = directory_.Write("nginx.conf", Config(servers));
    child_ = std::make_unique<ChildProcess>(
        GPUMON_SOURCE_DIR "/scripts/tool.sh",
        std::vector<std::string>{"nginx", "-p", directory_.path(), "-e", Log(), "-c", config});
    if (!WaitUntil([this] { return Connection(port_).connected() || !child_->Running(); },
                   Millis(10'000)) ||
        !child_->Running()) {
      throw std::runtime_error("nginx did not start: " + child_->Errors());
    }
  }

  ~Balancer() {
    child_->Signal(SIGTERM);
    child_->Wait(Millis(10'000));
  }

  std::uint16_t port() const { return port_; }

  // From now on these. True once nothing of it knows of the others any more.
  bool Serve(const Ports& servers) {
    directory_.Write("nginx.conf", Config(servers));
    const std::size_t before = EndedWorkers();
    child_->Signal(SIGHUP);
    return WaitUntil([&] { return EndedWorkers() > before; }, Millis(10'000));
  }

  // "PORT STATUS" of the server that was asked, and how often.
  std::map<std::string, std::size_t> Asked() const {
    std::map<std::string, std::size_t> asked;
    std::istringstream lines(process::ReadFile(directory_.File("access.log")));
    for (std::string line; std::getline(lines, line);) ++asked[line.substr(line.find(':') + 1)];
    return asked;
  }

 private:
  std::string Log() const { return directory_.File("error.log"); }

  std::size_t EndedWorkers() const {
    constexpr std::string_view kEnded = "exited with code 0";
    const std::string log = process::ReadFile(Log());
    std::size_t count = 0;
    for (auto at = log.find(kEnded); at != std::string::npos; at = log.find(kEnded, at + 1)) {
      ++count;
    }
    return count;
  }

  std::string Config(const Ports& servers) const {
    std::string upstream;
    for (const auto server : servers) {
      upstream += "server 127.0.0.1:" + std::to_string(server) + " max_fails=0; ";
    }
    std::string folders;
    for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      folders += "  " + kind + "_temp_path " + directory_.File(kind) + ";\n";
    }
    return std::string(geteuid() == 0 ? "user root;\n" : "") +
           "daemon off;\nworker_processes 1;\npid " + directory_.File("pid") + ";\nerror_log " +
           Log() + " notice;\nevents { worker_connections 256; }\nhttp {\n" + folders +
           "  log_format asked '$upstream_addr $upstream_status';\n  access_log " +
           directory_.File("access.log") + " asked;\n  upstream api { " + upstream +
           "keepalive 16; }\n  server {\n    listen 127.0.0.1:" + std::to_string(port_) +
           ";\n    location / {\n      proxy_pass http://api;\n      proxy_http_version 1.1;\n"
           "      proxy_set_header Connection '';\n      proxy_next_upstream off;\n    }\n  }\n}\n";
  }

  const std::uint16_t port_;
  process::ScratchDirectory directory_;
  std::unique_ptr<ChildProcess> child_;
};

std::unique_ptr<ApiServer> StartServer(const FaultServer& upstream) {
  auto server = std::make_unique<ApiServer>(
      upstream.url(), Environment{{"CACHE_TTL", "50ms"}, {"DRAIN_DELAY", kDrainDelay}});
  if (!server->AwaitReady()) throw std::runtime_error("not ready: " + server->log());
  return server;
}

TEST(RollingTest, OneServerAfterTheOtherIsReplacedAndNoRequestFails) {
  FaultServer upstream(FleetReply);
  std::array servers = {StartServer(upstream), StartServer(upstream)};
  Ports all = {servers[0]->port(), servers[1]->port()};
  Balancer balancer(all);
  Load load({.port = balancer.port(),
             .clients = 8,
             .target = kMetrics,
             .pause = Millis(5),
             .right = [](const Answer& answer) {
               return answer.body.find("\"success\":true") != std::string::npos;
             }});
  const auto await_more = [&load](std::size_t more) {
    const std::size_t from = load.answered();
    return WaitUntil([&load, from, more] { return load.answered() >= from + more; },
                     Millis(20'000));
  };
  ASSERT_TRUE(await_more(100));
  for (std::size_t i = 0; i < servers.size(); ++i) {
    ApiServer& old = *servers[i];
    old.process().Signal(SIGTERM);
    ASSERT_TRUE(WaitUntil([&old] { return old.Get("/readyz").status == 503; }, Millis(2000)));
    ASSERT_TRUE(balancer.Serve({servers[1 - i]->port()}));
    const auto ended = old.process().Wait(Millis(20'000));
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->exit_code, 0) << old.log();
    ASSERT_TRUE(await_more(20));
    servers[i] = StartServer(upstream);
    all.push_back(servers[i]->port());
    ASSERT_TRUE(balancer.Serve({servers[0]->port(), servers[1]->port()}));
    ASSERT_TRUE(await_more(100));
  }
  LoadReport report = load.Stop();
  EXPECT_EQ(report.dropped + report.refused + report.wrong, 0U) << report.Text();
  EXPECT_EQ(report.answers.size(), 1U) << report.Text();
  EXPECT_EQ(report.answers.count(200), 1U) << report.Text();
  const auto asked = balancer.Asked();
  EXPECT_EQ(asked.size(), all.size());
  for (const auto port : all) {
    const auto found = asked.find(std::to_string(port) + " 200");
    EXPECT_TRUE(found != asked.end() && found->second > 10) << port;
  }
}

}  // namespace
}  // namespace gpumon::e2e
