#include "tests/e2e/programs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "internal/http/encoding.h"

namespace gpumon::e2e {
namespace {

// Waits until the child has written its port.
std::uint16_t AwaitPortFile(const ChildProcess& child, const std::string& path) {
  std::string text;
  process::WaitUntil(
      [&] {
        text = process::ReadFile(path);
        return !text.empty() || !child.Running();
      },
      Millis(20'000));
  if (text.empty()) throw std::runtime_error("the program did not start: " + child.Errors());
  return static_cast<std::uint16_t>(std::atoi(text.c_str()));
}

}  // namespace

std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

ApiServer::ApiServer(const std::string& prometheus_url, Environment variables,
                     std::vector<std::string> arguments, int errors_fd) {
  variables.try_emplace("PROMETHEUS_URL", prometheus_url);
  variables.try_emplace("PORT", "0");
  variables.try_emplace("LISTEN_ADDR", "127.0.0.1");
  variables.try_emplace("GRPC_HEALTH_PORT", "0");
  variables.try_emplace("DRAIN_DELAY", "0s");
  base_path_ = variables["BASE_PATH"];
  arguments.insert(arguments.end(), {"--port-file", directory_.File("port")});
  child_ = std::make_unique<ChildProcess>(ApiProgram(), std::move(arguments), variables, errors_fd);
  port_ = AwaitPortFile(*child_, directory_.File("port"));
}

bool ApiServer::AwaitReady(Millis limit) const {
  return process::WaitUntil([&] { return Get(base_path_ + "/readyz").status == 200; }, limit);
}

int ApiServer::Stop(Millis limit) {
  child_->Signal(SIGTERM);
  const auto ended = child_->Wait(limit);
  return ended ? ended->exit_code : -1;
}

Exporter::Exporter(std::vector<std::string> arguments, int errors_fd) {
  arguments.insert(arguments.end(), {"--demo", "--listen-addr", "127.0.0.1", "--port", "0",
                                     "--port-file", directory_.File("port")});
  child_ = std::make_unique<ChildProcess>(ExporterProgram(), std::move(arguments), Environment{},
                                          errors_fd);
  port_ = AwaitPortFile(*child_, directory_.File("port"));
}

std::string ApiProgram() {
  return GPUMON_API;
}

std::string CtlProgram() {
  return GPUMON_CTL;
}

std::string ExporterProgram() {
  return GPUMON_EXPORTER;
}

std::string PrometheusProgram(const std::string& name) {
  const char* const given = std::getenv("GPUMON_PROMETHEUS");
  const std::string prometheus = given == nullptr ? GPUMON_PROMETHEUS : given;
  const std::string path = prometheus.substr(0, prometheus.rfind('/') + 1) + name;
  if (access(path.c_str(), X_OK) == 0) return path;
  throw std::runtime_error(path +
                           " is missing; unpack it with `scripts/deps.sh test`, or name "
                           "another prometheus in GPUMON_PROMETHEUS");
}

void Upstream::StartAtFreePort(const std::string& name,
                               const std::function<bool(std::uint16_t)>& start) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    if (start(FreePort())) return;
    if (child_->Errors().find("address already in use") == std::string::npos) break;
  }
  throw std::runtime_error(name + " did not start: " + child_->Errors());
}

json::Value Upstream::Query(const std::string& promql, const std::string& time) const {
  // As the server asks: without nocache VictoriaMetrics says nothing of the last 30 s.
  const Answer answer = Fetch(
      port_, "/api/v1/query?nocache=1&time=" + time + "&query=" + http::PercentEncode(promql));
  const json::Value document = answer.Json();
  const std::string* const status = document["status"].AsString();
  if (status == nullptr || *status != "success") {
    throw std::runtime_error("a query was answered " + answer.Text());
  }
  return document["data"]["result"];
}

std::string ScrapeConfig(std::uint16_t exporter_port, bool honor_labels,
                         const std::string& target_labels) {
  std::string config =
      "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
      "scrape_configs:\n"
      "  - job_name: gpu\n"
      "    honor_labels: " +
      std::string(honor_labels ? "true" : "false") +
      "\n"
      "    static_configs:\n"
      "      - targets: [\"127.0.0.1:" +
      std::to_string(exporter_port) + "\"]\n";
  if (!target_labels.empty()) config += "        labels: {" + target_labels + "}\n";
  return config;
}

bool Prometheus::StartAt(std::uint16_t port) {
  port_ = port;
  child_ = std::make_unique<ChildProcess>(
      PrometheusProgram("prometheus"),
      std::vector<std::string>{"--config.file=" + directory_.File("prometheus.yml"),
                               "--storage.tsdb.path=" + directory_.File("data"),
                               "--storage.tsdb.retention.time=100y",
                               "--web.listen-address=127.0.0.1:" + std::to_string(port)});
  return process::WaitUntil(
             [&] { return !child_->Running() || Fetch(port, "/-/ready").status == 200; },
             Millis(20'000)) &&
         child_->Running();
}

void Prometheus::Start(const std::string& config) {
  directory_.Write("prometheus.yml", config);
  StartAtFreePort("prometheus", [this](std::uint16_t port) { return StartAt(port); });
}

void Prometheus::Restart(const std::function<void()>& meanwhile) {
  child_->Signal(SIGKILL);
  child_->Wait(Millis(5000));
  meanwhile();
  if (!StartAt(port_)) throw std::runtime_error("prometheus did not start: " + child_->Errors());
}

std::unique_ptr<Prometheus> Prometheus::Scraping(std::uint16_t exporter_port, bool honor_labels,
                                                 const std::string& target_labels,
                                                 const std::string& open_metrics) {
  std::unique_ptr<Prometheus> prometheus(new Prometheus);
  if (!open_metrics.empty()) prometheus->Import(open_metrics);
  prometheus->Start(ScrapeConfig(exporter_port, honor_labels, target_labels));
  return prometheus;
}

std::unique_ptr<Prometheus> Prometheus::ScrapingEach(const std::vector<std::uint16_t>& ports) {
  std::unique_ptr<Prometheus> prometheus(new Prometheus);
  std::string config =
      "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
      "scrape_configs:\n";
  for (const std::uint16_t port : ports) {
    const std::string number = std::to_string(port);
    config += "  - {job_name: job-" + number +
              ", static_configs: [{targets: [\"127.0.0.1:" + number + "\"]}]}\n";
  }
  prometheus->Start(config);
  return prometheus;
}

void Prometheus::Import(const std::string& open_metrics) {
  // One block for all: with the usual two hours a block, far apart samples take minutes.
  const auto imported = process::Run(
      PrometheusProgram("promtool"),
      {"tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=192h",
       directory_.Write("samples.txt", open_metrics), directory_.File("data")});
  if (imported.exit_code != 0) {
    throw std::runtime_error("promtool: " + imported.output + imported.errors);
  }
}

std::unique_ptr<Prometheus> Prometheus::Holding(const std::string& open_metrics) {
  std::unique_ptr<Prometheus> prometheus(new Prometheus);
  prometheus->Import(open_metrics);
  prometheus->Start("global: {}\n");
  return prometheus;
}

std::unique_ptr<Prometheus> Prometheus::Ruling(const std::string& open_metrics,
                                               const std::string& rules) {
  std::unique_ptr<Prometheus> prometheus(new Prometheus);
  prometheus->Import(open_metrics);
  prometheus->Start("global: {evaluation_interval: 1s}\nrule_files: [" +
                    prometheus->directory_.Write("rules.yml", rules) + "]\n");
  return prometheus;
}

VictoriaMetrics::VictoriaMetrics(const std::string& config) {
  directory_.Write("scrape.yml", config);
  StartAtFreePort("victoria-metrics", [this](std::uint16_t port) { return StartAt(port); });
}

bool VictoriaMetrics::StartAt(std::uint16_t port) {
  port_ = port;
  child_ = std::make_unique<ChildProcess>(
      PrometheusProgram("victoria-metrics"),
      std::vector<std::string>{"-httpListenAddr=127.0.0.1:" + std::to_string(port),
                               "-storageDataPath=" + directory_.File("data"),
                               "-promscrape.config=" + directory_.File("scrape.yml"),
                               "-retentionPeriod=100y", "-memory.allowedBytes=64MB"});
  return process::WaitUntil(
             [&] { return !child_->Running() || Fetch(port, "/health").status == 200; },
             Millis(20'000)) &&
         child_->Running();
}

// Who asks for series before they are there is told for ten seconds that there are none.
void VictoriaMetrics::AwaitScrape() const {
  const bool scraped = process::WaitUntil(
      [&] {
        const Answer answer = Fetch(port_, "/api/v1/targets");
        const json::Value target = answer.Json()["data"]["activeTargets"][0];
        return target["lastSamplesScraped"].AsDouble().value_or(0) > 0;
      },
      Millis(20'000));
  if (!scraped || Fetch(port_, "/internal/force_flush").status != 200) {
    throw std::runtime_error("victoria-metrics scraped nothing: " + child_->Errors());
  }
}

std::unique_ptr<VictoriaMetrics> VictoriaMetrics::Scraping(std::uint16_t exporter_port,
                                                           bool honor_labels) {
  std::unique_ptr<VictoriaMetrics> upstream(
      new VictoriaMetrics(ScrapeConfig(exporter_port, honor_labels)));
  upstream->AwaitScrape();
  return upstream;
}

std::unique_ptr<VictoriaMetrics> VictoriaMetrics::Holding(const std::string& open_metrics) {
  std::unique_ptr<VictoriaMetrics> upstream(new VictoriaMetrics("global: {}\n"));
  // It takes Prometheus's older text: times are milliseconds.
  std::string text;
  std::istringstream lines(open_metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t time = line.rfind(' ') + 1;
    const double seconds = std::strtod(line.c_str() + time, nullptr);
    text += line.substr(0, time) + std::to_string(std::llround(seconds * 1000)) + '\n';
  }
  const Answer imported = Fetch(upstream->port_, "/api/v1/import/prometheus", {}, "POST", text);
  if (imported.status != 204) throw std::runtime_error("not imported: " + imported.Text());
  if (Fetch(upstream->port_, "/internal/force_flush").status != 200) {
    throw std::runtime_error("what was imported is not to be seen");
  }
  return upstream;
}

}  // namespace gpumon::e2e
