#include "tests/handlers/fixture.h"

#include <algorithm>
#include <array>

#include "internal/dashboard/assets.h"
#include "internal/http/router.h"
#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using models::ProcessQuantity;
using models::Quantity;
using models::Text;

constexpr double kAsOf = 1704110400;  // 2024-01-01T12:00:00Z
constexpr double kGiB = 1024.0 * 1024 * 1024;

void Set(models::GpuMetrics& row, Quantity quantity, double value) {
  row.readings.Set(static_cast<std::size_t>(quantity), value);
}

models::GpuMetrics Gpu(std::string_view node, std::string_view id, int index, double utilization) {
  models::GpuMetrics row;
  row.set_text(Text::kNode, node);
  row.set_text(Text::kGpuId, id);
  row.set_text(Text::kGpuName, "NVIDIA Tesla V100");
  row.set_text(Text::kSource, "nvidia_gpu");
  row.gpu_index = index;
  Set(row, Quantity::kUtilization, utilization);
  Set(row, Quantity::kMemoryUsed, 8 * kGiB);
  Set(row, Quantity::kMemoryTotal, 16 * kGiB);
  Set(row, Quantity::kMemoryFree, 8 * kGiB);
  Set(row, Quantity::kMemoryUtilization, 50.5);
  Set(row, Quantity::kMemoryUsedPercent, 50);
  row.newest = kAsOf - 1;
  row.oldest = kAsOf - 1.5;
  return row;
}

models::GpuProcess Process(std::int64_t pid, std::string_view user, double memory) {
  models::GpuProcess row;
  row.set_text(Text::kNode, "gpu-node-1");
  row.set_text(Text::kGpuId, "0");
  row.set_text(Text::kProcessName, "python");
  row.set_text(Text::kUser, user);
  row.set_text(Text::kCommand, "python train.py");
  row.set_text(Text::kSource, "nvidia_gpu");
  row.gpu_index = 0;
  row.pid = pid;
  row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kGpuMemory), memory);
  row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kCpu), 8.5);
  row.readings.Set(static_cast<std::size_t>(ProcessQuantity::kMemory), 15.2);
  row.newest = row.oldest = kAsOf;
  return row;
}

// By what the path ends with, the first that does.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kHakuRiver = {{
    {"/auth/status", R"({"auth_enabled":false,"session_expire_hours":null})"},
    {"/nodes", R"([{"hostname":"gn01","status":"online","total_cores":32,"cores_in_use":8,)"
               R"("available_cores":24,"last_heartbeat":"2026-03-01T09:15:02.418233",)"
               R"("numa_topology":{"0":{"cores":[0,1],"memory_bytes":1024}},)"
               R"("gpu_info":[{"gpu_id":0,"name":"NVIDIA L40S","fan_speed":-1}]}])"},
    {"/health", R"({"nodes":[[{"hostname":"gn01","status":"online","cpu_percent":23.5,)"
                R"("memory_percent":41.2,"numa_topology":null,"gpu_info":[]}]],)"
                R"("aggregate":[{"lastUpdated":"2026-03-01T09:15:02.418233"}]})"},
    {"/vps/status", R"([{"task_id":"2","status":"running","required_gpus":[1],)"
                    R"("submitted_at":"2026-03-01T09:15:02.418233","ssh_port":40022}])"},
    {"/tasks", R"([{"task_id":"1","task_type":"command","command":"python","arguments":["a.py"],)"
               R"("status":"running","required_gpus":[0],"env_vars":{"A":"b"}}])"},
    {"/status/1", R"({"task_id":"1","task_type":"command","status":"running"})"},
    {"/stdout", "a line\n"},
    {"/stderr", "an error\n"},
}};

}  // namespace

void CannedHakuRiver::Fetch(fetch::Request request, Deadline, fetch::Done done) {
  const std::string path = request.url.substr(0, request.url.find('?'));
  fetch::Response response{
      .status = 404, .content_type = {}, .date = {}, .retry_after = {}, .body = {}};
  for (const auto& [end, text] : kHakuRiver) {
    if (!path.ends_with(end)) continue;
    response.status = 200;
    response.content_type = text.ends_with('\n') ? "text/plain; charset=utf-8" : "application/json";
    response.body = text;
    break;
  }
  executor_.Post([done = std::move(done), response] { done(response); });
}

HandlersTest::HandlersTest()
    : services_{settings_,
                schema::Registry::BuiltIn(),
                clock_,
                pool_,
                slow_pool_,
                source_,
                [this] { return reachability_; },
                lifecycle_,
                render_cache_,
                live_feed_,
                metrics_,
                finding_ages_,
                seen_gpus_,
                cpu_profiler_,
                [this] { return token_; },
                [this](const auto& name, const auto& snapshot, auto, const auto& done) {
                  explained_ = name;
                  explained_at_ = snapshot->as_of;
                  done(explanation_);
                },
                [this](const auto& want, auto, const auto& each, const auto& done) {
                  Walk(want, each, done);
                },
                [this](const auto& want, auto, const auto& done) {
                  activity_wants_.push_back(want);
                  done(activity_);
                },
                [this](const auto& done) { done(dstack_); },
                &canned_host_},
      api_(services_) {
  log::SetLevel(log::Level::kOff);
  settings_.version = "1.2.3";
  settings_.prometheus_hosts = "prometheus:9090";
  reachability_ = {true, true, 1.5, clock_.Wall(), {}};
  lifecycle_.first_refresh_ended = true;
}

void HandlersTest::Walk(const gpu::RangeWant& want, const gpu::EachInstant& each,
                        const gpu::RangeDone& done) {
  if (want.parts.size() == 1 && want.step * static_cast<double>(want.steps) == 86'400) {
    return WalkDay(want, each, done);
  }
  walks_.push_back(want);
  if (walk_fails_) return done(Error(*walk_fails_));
  const std::vector<gpu::SnapshotPtr> none(want.parts.size(), std::make_shared<models::Snapshot>());
  for (std::size_t i = 0; i < want.steps; ++i) {
    auto snapshots = walk_.empty() ? none : walk_[std::min(i, walk_.size() - 1)];
    snapshots.resize(want.parts.size(), none.front());
    if (!each(i, snapshots)) return done(Error(Code::kDraining, ""));
  }
  done(gpu::RangeEnd{{"nvidia_gpu"}, {}});
}

void HandlersTest::WalkDay(const gpu::RangeWant& want, const gpu::EachInstant& each,
                           const gpu::RangeDone& done) {
  days_.push_back(want);
  const Result<gpu::Got>& got = source_.past_at ? source_.past : source_.gpus;
  if (!got) return done(Error(got.error()));
  const gpu::SnapshotPtr past = got->snapshot;
  for (std::size_t i = 0; i < want.steps; ++i) {
    if (!each(i, std::vector<gpu::SnapshotPtr>{past})) return done(Error(Code::kDraining, ""));
  }
  done(gpu::RangeEnd{{"nvidia_gpu"}, {}});
}

int HandlersTest::RouteOf(std::string_view path) {
  const auto routes = Routes();
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].path == path) return static_cast<int>(i);
  }
  ADD_FAILURE() << "no route " << path;
  return 0;
}

http::Request HandlersTest::RequestOf(const std::string& target, http::Headers headers) {
  http::Request request;
  request.method = "GET";
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  request.headers = std::move(headers);
  return request;
}

Answer HandlersTest::Get(const std::string& target, http::Headers headers) {
  return Ask(RequestOf(target, std::move(headers)));
}

std::future<http::Response> HandlersTest::Begin(http::Request request,
                                                std::shared_ptr<http::Stream> stream) {
  request.received_at = clock_.Steady();
  static const http::Router router(Api::HttpRoutes(DebugAccess::kEverybody), "");
  const http::Verdict verdict = router.Find("GET", request.path);
  EXPECT_EQ(verdict.kind, http::Verdict::Kind::kMatch) << request.path;
  const http::Match match = verdict.route == nullptr ? http::Match{0, {}} : verdict.match;
  std::promise<http::Response> promise;
  auto answer = promise.get_future();
  api_.Handle(std::move(request), match,
              std::make_shared<FakeResponder>(std::move(promise), std::move(stream)));
  return answer;
}

std::shared_ptr<models::Snapshot> HandlersTest::ThreeGpus() {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->as_of = kAsOf;
  snapshot->sources = {"nvidia_gpu"};
  auto full = Gpu("a", "0", 0, 75.5);
  Set(full, Quantity::kTemperature, 65);
  full.set_text(Text::kNamespace, "ml");
  full.set_text(Text::kPod, "train-0");
  auto cold = Gpu("a", "1", 1, 0);
  auto odd = Gpu("b", "x", models::GpuMetrics::kNoIndex, 12.25);
  Set(odd, Quantity::kTemperature, 40);
  full.workload_count = 1;
  snapshot->workloads = {{.name_space = "ml", .pod = "train-0", .container = {}}};
  snapshot->gpus = {full, cold, odd};
  return snapshot;
}

std::shared_ptr<models::Snapshot> HandlersTest::TwoProcesses() {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kProcesses;
  snapshot->as_of = kAsOf;
  snapshot->sources = {"nvidia_gpu"};
  snapshot->processes = {Process(1234, "alice", 1024.0 * 1024 * 1024),
                         Process(1235, "bob", 512.0 * 1024 * 1024)};
  return snapshot;
}

std::shared_ptr<models::Snapshot> HandlersTest::OneNode() {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kNodes;
  snapshot->as_of = kAsOf;
  snapshot->sources = {"node_exporter", "kube_state_metrics"};
  models::Node& node = snapshot->nodes.emplace_back();
  node.name = "a";
  node.in_kubernetes = node.has_gpus = true;
  const auto set = [&](models::NodeQuantity quantity, double value) {
    node.readings.Set(static_cast<std::size_t>(quantity), value);
  };
  set(models::NodeQuantity::kCpu, 12.5);
  set(models::NodeQuantity::kLoad1, 3);
  set(models::NodeQuantity::kCores, 16);
  set(models::NodeQuantity::kReady, 1);
  set(models::NodeQuantity::kGpusCapacity, 4);
  set(models::NodeQuantity::kGpusAllocatable, 3);
  set(models::NodeQuantity::kGpusRequested, 2);
  set(models::NodeQuantity::kCoresAllocatable, 15.5);
  set(models::NodeQuantity::kCoresRequested, 4);
  node.readings.SetAbsent(static_cast<std::size_t>(models::NodeQuantity::kNetworkRx),
                          models::NullReason::kInvalidValue);
  snapshot->disks = {{"/", "/dev/sda1", "ext4", 1000, 400}};
  snapshot->numa = {{"0", 64 * kGiB, 32 * kGiB}};
  snapshot->targets = {
      {"dcgm", "gpu", "10.0.0.1:9400", models::TargetState::kFrozen, true, false, kAsOf - 15},
      {"node_exporter", "node", "10.0.0.1:9100", models::TargetState::kUp, false, false,
       kAsOf - 5}};
  node.parts = {{0, 1}, {0, 1}, {0, 2}};
  return snapshot;
}

void HandlersTest::ServeOneLost(const std::shared_ptr<models::Snapshot>& gpus,
                                const std::shared_ptr<models::Snapshot>& past) {
  past->as_of = gpus->as_of - 3600;
  auto& row = past->gpus.emplace_back();
  row.set_text(models::Text::kNode, "b");
  row.set_text(models::Text::kGpuId, "9");
  row.set_text(models::Text::kGpuName, "L40");
  auto nodes = OneNode();
  nodes->nodes[0].name = "b";
  nodes->targets[0].state = models::TargetState::kUp;
  source_.past_at = wire::ToWallTime(past->as_of);
  source_.past = gpu::Got{.snapshot = past, .why = {}};
  Serve(gpus);
  Serve(nodes);
}

std::shared_ptr<models::Snapshot> HandlersTest::TwoTasks() {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kTasks;
  snapshot->as_of = kAsOf;
  snapshot->sources = {"kube_state_metrics"};
  models::Task job;
  job.kind = "Job";
  job.name_space = "ml";
  job.name = "train";
  job.phase = models::kRunning;
  job.owner_kind = "CronJob";
  job.owner_name = "nightly";
  job.gpus = 2;
  job.active = 1;
  job.submitted = job.started = kAsOf - 100;
  models::Task pod = job;
  pod.kind = "Pod";
  pod.name = "train-0";
  pod.node = "a";
  pod.job = "train";
  pod.cores = 4;
  pod.restarts = 1;
  pod.error = "OOMKilled";
  pod.exit_code = 137;
  snapshot->tasks = {job, pod};
  return snapshot;
}

// Of a build without a page there is none.
static const char* FileOfPage() {
  static const std::string kName = [] {
    const auto assets = dashboard::Assets();
    return assets.empty() ? std::string("none.js") : std::string(assets.back().name);
  }();
  return kName.c_str();
}

std::string HandlersTest::Filled(std::string_view path) {
  std::string filled(path);
  for (const auto& [name, value] :
       {std::pair("{node}", "a"), std::pair("{namespace}", "ml"), std::pair("{name}", "train"),
        std::pair("{id}", "1"), std::pair("{file}", FileOfPage())}) {
    const auto at = filled.find(name);
    if (at != std::string::npos) filled.replace(at, std::string_view(name).size(), value);
  }
  return filled;
}

void HandlersTest::Serve(std::shared_ptr<const models::Snapshot> snapshot) {
  gpu::Got got;
  got.snapshot = std::move(snapshot);
  const std::array answers = {&source_.gpus,  &source_.processes, &source_.pods,
                              &source_.nodes, &source_.tasks,     &source_.alerts};
  *answers[static_cast<std::size_t>(got.snapshot->part)] = got;
}

}  // namespace gpumon::handlers
