// The real programs: the server, the exporter and Prometheus.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/json/document.h"
#include "tests/e2e/http_client.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::e2e {

using process::ChildProcess;
using process::Ended;
using process::Environment;
using process::ScratchDirectory;

// A loopback port that was free a moment ago.
std::uint16_t FreePort();

// gpu-monitoring-api on a loopback port of the kernel's choice. gRPC is off unless `variables`
// give its port; DRAIN_DELAY is 0s unless they say otherwise. With `errors_fd` its log goes there.
class ApiServer {
 public:
  explicit ApiServer(const std::string& prometheus_url, Environment variables = {},
                     std::vector<std::string> arguments = {}, int errors_fd = -1);

  // Throws std::runtime_error, with what it printed, when it ended instead of listening.
  std::uint16_t port() const { return port_; }
  // Waits until /readyz answers 200: the first refresh has ended.
  bool AwaitReady(Millis limit = Millis(20'000)) const;
  Answer Get(std::string_view target, const Headers& headers = {}) const {
    return Fetch(port_, target, headers);
  }
  // SIGTERM, then the exit code; -1 when it did not end within Scaled(`limit`).
  int Stop(Millis limit = Millis(20'000));
  ChildProcess& process() { return *child_; }
  std::string log() const { return child_->Errors(); }

 private:
  ScratchDirectory directory_;
  std::string base_path_;
  std::unique_ptr<ChildProcess> child_;
  std::uint16_t port_ = 0;
};

// gpu-exporter --demo with more `arguments`.
class Exporter {
 public:
  explicit Exporter(std::vector<std::string> arguments = {}, int errors_fd = -1);
  std::uint16_t port() const { return port_; }
  ChildProcess& process() { return *child_; }

 private:
  ScratchDirectory directory_;
  std::unique_ptr<ChildProcess> child_;
  std::uint16_t port_ = 0;
};

// What the server asks: a real program that answers PromQL on a loopback port.
class Upstream {
 public:
  virtual ~Upstream() = default;
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // data.result of an instant query at `time`, Unix seconds as text. Throws std::runtime_error
  // when it is not answered with success.
  json::Value Query(const std::string& promql, const std::string& time) const;

 protected:
  Upstream() = default;
  // Tries `start` with ports that are free until it succeeds or says that it was not the port.
  // Throws std::runtime_error, with what `name` printed, when none will do.
  void StartAtFreePort(const std::string& name, const std::function<bool(std::uint16_t)>& start);

  ScratchDirectory directory_;
  std::unique_ptr<ChildProcess> child_;
  std::uint16_t port_ = 0;
};

// Scrapes `exporter_port` every second; `target_labels` are YAML, like `node: "x"`.
std::string ScrapeConfig(std::uint16_t exporter_port, bool honor_labels,
                         const std::string& target_labels = "");

// A real prometheus.
class Prometheus : public Upstream {
 public:
  // With ScrapeConfig. With `open_metrics` it holds those samples from its start.
  static std::unique_ptr<Prometheus> Scraping(std::uint16_t exporter_port, bool honor_labels,
                                              const std::string& target_labels = "",
                                              const std::string& open_metrics = "");
  // Scrapes each of the ports by a job of its own, every second.
  static std::unique_ptr<Prometheus> ScrapingEach(const std::vector<std::uint16_t>& ports);
  // Holds the samples of an OpenMetrics text, and scrapes nothing.
  static std::unique_ptr<Prometheus> Holding(const std::string& open_metrics);
  // The same, and evaluates these rules (YAML) every second.
  static std::unique_ptr<Prometheus> Ruling(const std::string& open_metrics,
                                            const std::string& rules);

  ChildProcess& process() { return *child_; }
  // Kills it, calls `meanwhile`, and starts it again with the same data on the same port.
  void Restart(const std::function<void()>& meanwhile);

 private:
  Prometheus() = default;
  void Import(const std::string& open_metrics);
  void Start(const std::string& config);
  bool StartAt(std::uint16_t port);
};

// Debian's victoria-metrics with its defaults, but for an endless retention and a bound on its
// memory.
class VictoriaMetrics : public Upstream {
 public:
  // With ScrapeConfig. A first scrape has ended well.
  static std::unique_ptr<VictoriaMetrics> Scraping(std::uint16_t exporter_port, bool honor_labels);
  // Holds the samples of an OpenMetrics text, and scrapes nothing.
  static std::unique_ptr<VictoriaMetrics> Holding(const std::string& open_metrics);

 private:
  explicit VictoriaMetrics(const std::string& config);
  bool StartAt(std::uint16_t port);
  void AwaitScrape() const;
};

// The program that ApiServer starts, the exporter's, and gpuctl.
std::string ApiProgram();
std::string CtlProgram();
std::string ExporterProgram();

// `prometheus`, `promtool` or `victoria-metrics`. Throws std::runtime_error, saying what to do,
// when it is missing.
std::string PrometheusProgram(const std::string& name);

}  // namespace gpumon::e2e
