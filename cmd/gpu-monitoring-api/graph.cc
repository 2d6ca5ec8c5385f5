#include "cmd/gpu-monitoring-api/graph.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "cmd/gpu-monitoring-api/upstream.h"
#include "handlers/health.h"
#include "internal/base/log.h"
#include "internal/gpu/alerts.h"
#include "internal/gpu/command.h"
#include "internal/gpu/node_queries.h"
#include "internal/gpu/pods.h"
#include "internal/gpu/tasks.h"
#include "internal/http/descriptor_plan.h"
#include "version.h"

namespace gpumon::api {
namespace {

// Memory of a refresh's peak goes back to the system when no refresh came for so long: giving it
// back after each would cost more than the refresh itself.
constexpr std::chrono::seconds kIdleBeforeRelease{5};

// No call of a server thread takes so long unless it will never end.
constexpr Millis kHang{8'000};

constexpr std::chrono::hours kNoMaxAge{24 * 365};

constexpr Millis kPollWithoutTtl{1'000};

gpu::CommandStyle StyleOf(config::ProcessCommands commands) {
  switch (commands) {
    case config::ProcessCommands::kFull:
      return gpu::CommandStyle::kFull;
    case config::ProcessCommands::kName:
      return gpu::CommandStyle::kName;
    case config::ProcessCommands::kHidden:
      return gpu::CommandStyle::kHidden;
    case config::ProcessCommands::kRedacted:
      break;
  }
  return gpu::CommandStyle::kRedacted;
}

handlers::DebugAccess AccessOf(config::DebugEndpoints endpoints) {
  switch (endpoints) {
    case config::DebugEndpoints::kLoopback:
      return handlers::DebugAccess::kLoopback;
    case config::DebugEndpoints::kEverybody:
      return handlers::DebugAccess::kEverybody;
    case config::DebugEndpoints::kOff:
      break;
  }
  return handlers::DebugAccess::kOff;
}

handlers::Settings SettingsOf(const config::ServerConfig& config) {
  handlers::Settings settings;
  settings.version = kVersion;
  settings.prometheus_hosts = PrometheusHostsOf(config);
  settings.request_timeout = config.request_timeout;
  settings.ready_requires_prometheus = config.ready_requires_prometheus;
  settings.debug = AccessOf(config.debug_endpoints);
  settings.allowed_hosts = config.allowed_hosts;
  settings.cors_origins = config.cors_allowed_origins;
  settings.base_path = config.base_path;
  settings.asks_for_token = !config.api_bearer_token_file.empty();
  settings.metrics_dir = config.metrics_dir;
  settings.commands_hidden = config.process_commands == config::ProcessCommands::kHidden;
  for (const auto& argument : profile::CommandLine()) {
    settings.command_line.push_back(gpu::ShowCommand(argument, gpu::CommandStyle::kRedacted));
  }
  return settings;
}

http::ServerOptions HttpOptionsOf(const config::ServerConfig& config) {
  http::ServerOptions options;
  options.address = config.listen_host;
  options.port = config.port;
  options.threads = config.threads;
  options.base_path = config.base_path;
  options.routes = handlers::Api::HttpRoutes(AccessOf(config.debug_endpoints));
  options.limits.connection_max_age =
      config.connection_max_age.count() == 0 ? kNoMaxAge : config.connection_max_age;
  // A handler answers by its own deadline; the transport's limit is for one that is broken.
  options.limits.handler_timeout = config.request_timeout + Millis(5000);
  return options;
}

handlers::LiveOptions LiveOptionsOf(const config::ServerConfig& config) {
  handlers::LiveOptions options;
  // Others need connections too. Where there are too few files nobody is served anyway.
  const auto plan = http::PlanDescriptors(http::Limits().connections, config.threads);
  options.max_clients = std::min(config.stream_max_clients, plan ? plan->connections / 2 : 0);
  options.request_timeout = config.request_timeout;
  // With a CACHE_TTL of 0 each question is a refresh.
  if (config.cache_ttl.count() == 0) options.poll = kPollWithoutTtl;
  return options;
}

double Milliseconds(double seconds) {
  return std::round(seconds * 10'000) / 10;
}

std::size_t Workers() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 8);
}

// What a window was read by is free when it ends, and an answer is to be made then.
gpu::RangeDone ReleasingFirst(gpu::RangeDone done) {
  return [done = std::move(done)](Result<gpu::RangeEnd> end) {
    profile::ReleaseMemory();
    done(std::move(end));
  };
}

}  // namespace

void CountingObserver::QueryDone(const std::string& query, std::string_view result, double seconds,
                                 std::size_t bytes) {
  metrics_.CountQuery(query, result, seconds, bytes);
  if (!log::Enabled(log::Level::kDebug)) return;
  log::Debug(
      "query",
      {{"query", query}, {"result", result}, {"ms", Milliseconds(seconds)}, {"bytes", bytes}});
}

void CountingObserver::RefreshDone(models::Part part, std::string_view result, double seconds,
                                   std::size_t rows) {
  metrics_.CountRefresh(models::NameOf(part), result, seconds);
  if (!log::Enabled(log::Level::kDebug)) return;
  log::Debug("refresh", {{"part", models::NameOf(part)},
                         {"result", result},
                         {"rows", rows},
                         {"ms", Milliseconds(seconds)}});
}

void CountingObserver::Joined(const gpu::JoinCounts& counts) {
  struct Row {
    std::string_view reason;
    std::size_t count;
  };
  const std::array rows = {
      Row{"no_gpu_label", counts.no_gpu_label},
      Row{"bad_pid", counts.bad_pid},
      Row{"invalid_value", counts.bad_value},
      Row{"undecodable", counts.undecodable},
      Row{"duplicate", counts.duplicates},
      Row{"stale", counts.stale},
      Row{"blank", counts.blank},
  };
  for (const auto& row : rows) {
    if (row.count == 0) continue;
    metrics_.CountDropped(row.reason, row.count);
    if (!log::Enabled(log::Level::kDebug)) continue;
    log::Debug("samples dropped", {{"reason", row.reason}, {"count", row.count}});
  }
}

Graph::Graph(const config::ServerConfig& config)
    : config_(config),
      settings_(SettingsOf(config)),
      metrics_(clock_, kVersion),
      upstream_clock_(clock_),
      observer_(metrics_),
      watchdog_(clock_, kHang),
      last_release_(clock_.Steady()) {}

Graph::~Graph() {
  Stop();
}

Result<std::unique_ptr<Graph>> Graph::Make(const config::ServerConfig& config) {
  std::unique_ptr<Graph> graph(new Graph(config));
  if (auto built = graph->Build(); !built) return Error(built.error());
  return graph;
}

Result<void> Graph::LoadSchemas() {
  auto registry = OwnSchemas(config_);
  if (!registry) return Error(registry.error());
  own_registry_ = *std::move(registry);
  return {};
}

Result<void> Graph::ReadFleetRules() {
  auto rules = HealthRulesOf(config_);
  if (!rules) return Error(rules.error());
  settings_.health_rules = *rules;
  auto prices = fleet::Prices::Parse(config_.gpu_prices);
  if (!prices) {
    return Error(Code::kInvalidParameter, "--gpu-prices (GPU_PRICES): " + prices.error().message);
  }
  settings_.gpu_prices = *std::move(prices);
  return {};
}

Result<void> Graph::BuildDstack() {
  auto options = DstackOptionsOf(config_);
  if (!options) return Error(options.error());
  dstack_ = std::make_unique<dstack::Backend>(*options, clock_, [this] {
    // Prometheus's credentials are not for others.
    fetch::ClientOptions own;
    own.connect_timeout = config_.request_timeout;
    own.max_connections_per_host = 1;
    return fetch::MakeClient(own, clock_);
  });
  return {};
}

Result<void> Graph::Build() {
  if (auto loaded = LoadSchemas(); !loaded) return Error(loaded.error());
  if (auto read = ReadFleetRules(); !read) return Error(read.error());
  if (auto built = BuildDstack(); !built) return Error(built.error());
  pool_ = std::make_unique<ThreadPool>(Workers(), "worker");
  if (!config_.api_bearer_token_file.empty()) {
    auto token = handlers::TokenFile::Open(config_.api_bearer_token_file, clock_, *pool_);
    if (!token) return Error(token.error());
    token_ = std::move(*token);
  }
  auto hakuriver = HakuRiverPart::Make(config_, StyleOf(config_.process_commands), clock_, *pool_);
  if (!hakuriver) return Error(hakuriver.error());
  hakuriver_ = *std::move(hakuriver);
  auto fetch = fetch::MakeClient(FetchOptionsOf(config_), clock_);
  if (!fetch) return Error(fetch.error());
  fetch_ = std::move(*fetch);
  auto prometheus = prom::MakeApiClient(ApiOptionsOf(config_), *fetch_, *pool_, clock_);
  if (!prometheus) return Error(prometheus.error());
  prometheus_ = std::move(*prometheus);
  collector_ = std::make_unique<gpu::Collector>(*prometheus_, clock_, upstream_clock_, observer_,
                                                StyleOf(config_.process_commands),
                                                config_.prometheus_max_concurrency, registry());
  explainer_ = std::make_unique<gpu::Explainer>(*collector_, *prometheus_);
  settings_.queries = [this] { return Queries(); };
  gpu::CacheOptions cache;
  cache.ttl = config_.cache_ttl;
  cache.max_stale = config_.max_stale;
  cache.upstream_timeout = config_.prometheus_timeout;
  source_ = std::make_unique<gpu::CachedSource>(*collector_, clock_, cache,
                                                [this] { refreshed_since_release_ = true; });
  live_feed_ = std::make_unique<handlers::LiveFeed>(*source_, clock_, *pool_, metrics_,
                                                    LiveOptionsOf(config_));
  probe_ = std::make_unique<gpu::UpstreamProbe>(*prometheus_, clock_, upstream_clock_);
  services_ = std::make_unique<handlers::Services>(handlers::Services{
      settings_,
      registry(),
      clock_,
      *pool_,
      slow_pool_,
      *source_,
      [this] { return probe_->Last(); },
      lifecycle_,
      render_cache_,
      *live_feed_,
      metrics_,
      finding_ages_,
      seen_gpus_,
      cpu_profiler_,
      [this] { return token_ ? token_->Token() : std::string(); },
      [this](const auto&... what) { explainer_->Explain(what...); },
      [this](const auto& want, Deadline deadline, auto each, auto done) {
        collector_->Walk(want, deadline, std::move(each), ReleasingFirst(std::move(done)));
      },
      [this](const auto&... what) { collector_->FindActivity(what...); },
      [this](auto got) { dstack_->Get(std::move(got)); },
      hakuriver_ ? &hakuriver_->host() : nullptr});
  api_ = std::make_unique<handlers::Api>(*services_);
  server_ = http::MakeServer(HttpOptionsOf(config_), *api_);
  metrics_.SetReadings([this] { return ReadCounters(); });
  return {};
}

std::vector<std::pair<std::string, std::string>> Graph::Queries() const {
  std::vector<std::pair<std::string, std::string>> queries;
  const gpu::DetectedPtr detected = collector_->detected();
  if (!detected) return queries;
  for (const auto part : {models::Part::kGpus, models::Part::kProcesses}) {
    for (const auto& query : detected->plan(part)) {
      queries.emplace_back(std::string(models::NameOf(part)) + '/' + query.name, query.promql);
    }
  }
  queries.emplace_back(
      std::string(models::NameOf(models::Part::kPods)) + '/' + std::string(gpu::kPodsQueryName),
      gpu::PodsQuery(detected->subjects));
  for (std::size_t i = 0; i < gpu::kNodeQueries; ++i) {
    const auto query = static_cast<gpu::NodeQuery>(i);
    queries.emplace_back(
        std::string(models::NameOf(models::Part::kNodes)) + '/' + std::string(gpu::NameOf(query)),
        gpu::PromqlOf(query, *detected));
  }
  for (std::size_t i = 0; i < gpu::kTaskQueries; ++i) {
    const auto query = static_cast<gpu::TaskQuery>(i);
    queries.emplace_back(
        std::string(models::NameOf(models::Part::kTasks)) + '/' + std::string(gpu::NameOf(query)),
        gpu::PromqlOf(query));
  }
  for (std::size_t i = 0; i < gpu::kAlertQueries; ++i) {
    const auto query = static_cast<gpu::AlertQuery>(i);
    queries.emplace_back(
        std::string(models::NameOf(models::Part::kAlerts)) + '/' + std::string(gpu::NameOf(query)),
        gpu::PromqlOf(query));
  }
  return queries;
}

telemetry::Readings Graph::ReadCounters() const {
  const http::ServerStats stats = server_->stats();
  telemetry::Readings readings;
  readings.connections = stats.connections;
  readings.in_flight = stats.in_flight;
  readings.refused = stats.refused;
  readings.log_lines_dropped = log::Dropped();
  readings.stream_clients = live_feed_->clients();
  for (const auto part : models::kParts) {
    readings.parts.push_back(
        {std::string(models::NameOf(part)), source_->Age(part), source_->Rows(part)});
  }
  return readings;
}

Result<std::uint16_t> Graph::Start() {
  auto port = server_->Start();
  if (!port) return port;
  if (config_.grpc_health_port != 0) {
    grpc_ = std::make_unique<grpc::HealthServer>();
    const auto health_port = grpc_->Start(config_.listen_host, config_.grpc_health_port);
    if (!health_port) return Error(health_port.error());
    grpc_->SetLiveness(true);
  }
  probe_->Start();
  return port;
}

void Graph::StartFirstRefresh() {
  first_refresh_asked_ = true;
  const Deadline deadline = Deadline::After(clock_, config_.prometheus_timeout);
  source_->Get({}, deadline,
               [this](const Result<gpu::Got>&) { lifecycle_.first_refresh_ended = true; });
}

void Graph::Tick() {
  // After the first check: from then on Prometheus's clock is known.
  if (!first_refresh_asked_ && probe_->Last().checked) StartFirstRefresh();
  source_->Tick();
  live_feed_->Tick();
  dstack_->Tick();
  if (token_) token_->LookAgain();
  if (grpc_) {
    const bool ready = handlers::IsReady(*services_);
    if (ready != ready_said_) grpc_->SetReadiness(ready);
    ready_said_ = ready;
    const bool live = watchdog_.Alive(server_->stats().beats);
    if (live != live_said_) {
      grpc_->SetLiveness(live);
      log::Error(live ? "the server's threads go on" : "a thread of the server hangs",
                 {{"liveness", live ? "serving" : "not serving"}});
    }
    live_said_ = live;
  }
  const SteadyTime now = clock_.Steady();
  if (refreshed_since_release_.exchange(false)) {
    last_release_ = now;
  } else if (last_release_ != SteadyTime() && now - last_release_ > kIdleBeforeRelease) {
    last_release_ = SteadyTime();  // nothing to give back until the next refresh
    source_->DropExpired();
    pool_->Post([] { profile::ReleaseMemory(); });
  }
}

void Graph::FailReadiness() {
  lifecycle_.draining = true;
  if (grpc_) grpc_->SetReadiness(false);
  ready_said_ = false;
}

void Graph::Stop() {
  if (stopped_) return;
  stopped_ = true;
  lifecycle_.draining = true;
  cpu_profiler_.Cancel();
  if (server_) server_->Stop();
  if (grpc_) grpc_->Stop(Millis(500));
  metrics_.SetReadings({});
  // What still waits for Prometheus is told so, on the pool, before the pool ends. That may ask
  // anew: the client is there to refuse it.
  probe_.reset();
  if (dstack_) dstack_->Stop();
  if (prometheus_) prometheus_->Stop();
  fetch_.reset();
  slow_pool_.Stop();
  if (pool_) pool_->Stop();
  hakuriver_.reset();
}

}  // namespace gpumon::api
