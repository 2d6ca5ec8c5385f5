#include "cmd/gpu-monitoring-api/collect_graph.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <utility>

#include "cmd/gpu-monitoring-api/upstream.h"
#include "internal/base/log.h"

namespace gpumon::api {
namespace {

constexpr std::size_t kWorkers = 2;
// How long the end goes on sending; --once has nothing else to do.
constexpr Millis kFlushLimit{10'000};
constexpr Millis kOnceLimit{600'000};
// How long the first round waits to hear what time it is at Prometheus.
constexpr Millis kFirstProbe{2'000};
constexpr std::chrono::minutes kUpkeepInterval{10};

push::Format FormatOf(config::MetricsFormat format) {
  switch (format) {
    case config::MetricsFormat::kPushgateway:
      return push::Format::kPushgateway;
    case config::MetricsFormat::kDatadog:
      return push::Format::kDatadog;
    case config::MetricsFormat::kJson:
      break;
  }
  return push::Format::kJson;
}

}  // namespace

CollectGraph::CollectGraph(const config::CollectConfig& config)
    : config_(config), upstream_clock_(clock_) {}

CollectGraph::~CollectGraph() {
  Stop();
}

Result<std::unique_ptr<CollectGraph>> CollectGraph::Make(const config::CollectConfig& config) {
  std::unique_ptr<CollectGraph> graph(new CollectGraph(config));
  if (auto built = graph->Build(); !built) return Error(built.error());
  return graph;
}

Result<void> CollectGraph::BuildPrometheus() {
  auto registry = OwnSchemas(config_.prometheus);
  if (!registry) return Error(registry.error());
  own_registry_ = *std::move(registry);
  pool_ = std::make_unique<ThreadPool>(kWorkers, "worker");
  auto fetch = fetch::MakeClient(FetchOptionsOf(config_.prometheus), clock_);
  if (!fetch) return Error(fetch.error());
  fetch_ = *std::move(fetch);
  auto prometheus = prom::MakeApiClient(ApiOptionsOf(config_.prometheus), *fetch_, *pool_, clock_);
  if (!prometheus) return Error(prometheus.error());
  prometheus_ = *std::move(prometheus);
  collector_ = std::make_unique<gpu::Collector>(
      *prometheus_, clock_, upstream_clock_, observer_, gpu::CommandStyle::kHidden,
      config_.prometheus.prometheus_max_concurrency, this->registry());
  gpu::CacheOptions cache;
  // A round asks for what is there then.
  cache.ttl = Millis(0);
  cache.max_stale = Millis(0);
  cache.upstream_timeout = config_.prometheus.prometheus_timeout;
  source_ = std::make_unique<gpu::CachedSource>(*collector_, clock_, cache);
  probe_ = std::make_unique<gpu::UpstreamProbe>(*prometheus_, clock_, upstream_clock_);
  return {};
}

Result<void> CollectGraph::BuildSender() {
  if (config_.endpoint.empty()) return {};
  fetch::ClientOptions options;
  options.name_prefix = "--metrics-";
  options.ca_file = config_.ca_file;
  options.connect_timeout = std::min(config_.send_timeout, Millis(5'000));
  auto remote = fetch::MakeClient(options, clock_);
  if (!remote) return Error(remote.error());
  remote_ = *std::move(remote);
  push::Spool::Limits limits;
  limits.max_bytes = config_.spool_bytes;
  spool_ = std::make_unique<push::Spool>(config_.metrics_dir, limits);
  spool_->Load();
  push::SenderOptions sending;
  sending.receiver = {config_.endpoint, config_.auth_token, FormatOf(config_.format)};
  sending.timeout = config_.send_timeout;
  sending.first_wait = config_.first_wait;
  constexpr int kLongest = 60;
  sending.longest_wait = config_.first_wait * kLongest;
  sender_ = std::make_unique<push::Sender>(sending, *spool_, *remote_, clock_);
  const push::Spool::Counts waiting = spool_->counts();
  if (waiting.batches > 0) {
    log::Info("snapshots of an earlier run wait to be sent",
              {{"batches", waiting.batches}, {"snapshots", waiting.snapshots}});
  }
  return {};
}

Result<void> CollectGraph::Build() {
  auto rules = HealthRulesOf(config_.prometheus);
  if (!rules) return Error(rules.error());
  writer_ = std::make_unique<store::Writer>(config_.metrics_dir);
  if (auto opened = writer_->Open(); !opened && opened.error().code == Code::kForbidden) {
    return opened;
  }
  if (auto built = BuildPrometheus(); !built) return built;
  if (auto built = BuildSender(); !built) return built;
  auto plain = fetch::MakeClient({}, clock_);
  if (!plain) return Error(plain.error());
  plain_ = *std::move(plain);
  gpud_ = std::make_unique<gpud::Client>(*plain_, config_.gpud_bind, config_.gpud_port);
  collect::RoundOptions options;
  options.prometheus_timeout = config_.prometheus.prometheus_timeout;
  options.interval = config_.interval;
  options.batch_size = config_.batch_size;
  options.rules = *rules;
  round_ =
      std::make_unique<collect::Round>(options, *source_, *gpud_, *writer_, spool_.get(), clock_);
  return {};
}

void CollectGraph::Start() {
  probe_->Start();
  if (sender_) sender_->Start();
  rounds_ = std::thread([this] { RunRounds(); });
  pthread_setname_np(rounds_.native_handle(), "rounds");
  upkeep_ = std::thread([this] { RunUpkeep(); });
  pthread_setname_np(upkeep_.native_handle(), "upkeep");
}

// False: it is time to end.
bool CollectGraph::AwaitNext(SteadyTime until) {
  const MutexLock lock(mutex_);
  while (!stopping_ && clock_.Steady() < until) changed_.WaitUntil(mutex_, until);
  return !stopping_;
}

void CollectGraph::RunRounds() {
  // From then on Prometheus's clock is known.
  probe_->AwaitFirst(Deadline::After(clock_, kFirstProbe));
  SteadyTime next = clock_.Steady();
  do {
    const collect::RoundReport report = round_->Run();
    good_ = report.snapshots > 0 && report.stored;
    if (sender_) sender_->Wake();
    if (config_.once) break;
    next += config_.interval;
    // A round that took too long is followed by the next that is due, not by all it held up.
    while (next <= clock_.Steady()) next += config_.interval;
  } while (AwaitNext(next));
  ended_ = true;
}

void CollectGraph::LookAfterFiles() {
  const store::UpkeepReport report =
      writer_->Upkeep(clock_.Wall(), config_.compress_after, config_.keep, stop_upkeep_);
  for (const std::string& problem : report.problems) {
    log::Error("a file of the store is left as it is", {{"why", problem}});
  }
  if (report.compressed + report.deleted == 0) return;
  log::Info("looked after the store",
            {{"compressed", report.compressed}, {"deleted", report.deleted}});
}

void CollectGraph::RunUpkeep() {
  do {
    LookAfterFiles();
  } while (!config_.once && AwaitNext(clock_.Steady() + kUpkeepInterval));
}

bool CollectGraph::Stop() {
  if (stopped_) return good_;
  stopped_ = true;
  const bool was_over = ended_;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  // --once waits for what there is to be looked after.
  stop_upkeep_ = !was_over;
  if (upkeep_.joinable()) upkeep_.join();
  // What a round waits for is refused: it ends with what has come. It may still wait for the probe,
  // which hears the same.
  if (prometheus_) prometheus_->Stop();
  fetch_.reset();
  if (rounds_.joinable()) rounds_.join();
  probe_.reset();
  if (pool_) pool_->Stop();
  if (sender_ && !sender_->Stop(was_over ? kOnceLimit : kFlushLimit)) {
    const push::Spool::Counts waiting = spool_->Save();
    if (const std::size_t kept = waiting.snapshots - waiting.in_memory; kept > 0) {
      log::Warning("not all snapshots were sent; the next run goes on with them",
                   {{"snapshots", kept}});
    }
    if (waiting.in_memory > 0) {
      log::Error("snapshots are lost to the endpoint: they were not sent and cannot be written",
                 {{"snapshots", waiting.in_memory}});
    }
  }
  return good_;
}

}  // namespace gpumon::api
