#include "tests/e2e/documents/world.h"

#include <unistd.h>

#include <array>
#include <string_view>

#include "internal/base/text.h"
#include "internal/store/snapshot.h"
#include "tests/fakes/nvml/fake_nvml.h"

namespace gpumon::e2e {
namespace {

using fault::HttpStatus;
using fault::Json;
using fault::Reply;

constexpr std::array<std::string_view, 10> kContainers = {
    "postgres", "redis", "etcd",      "prometheus",    "grafana",
    "loki",     "tempo", "pyroscope", "node-exporter", "otel-collector"};

// All of them run, in the shapes of the Docker Engine, API 1.41.
Reply AsDocker(const fault::Request& request) {
  if (request.target == "/version") return Json(R"({"Version":"20.10.24","ApiVersion":"1.41"})");
  if (request.target.starts_with("/containers/json")) {
    std::string list;
    for (const std::string_view name : kContainers) {
      list += (list.empty() ? R"([{"Id":"a)" : R"(,{"Id":"a)") + std::to_string(list.size()) +
              R"(","Names":["/backend.ai-halfstack-)" + std::string(name) + R"(-1"],"Labels":{}})";
    }
    return Json(list + ']');
  }
  return Json(R"({"State":{"Status":"running","Running":true,)"
              R"("StartedAt":"2025-07-28T08:00:01.5Z"}})");
}

// What the document's own example shows.
constexpr std::string_view kGpu = R"(driver 535.183.01
cuda 12020
gpu
name NVIDIA GeForce RTX 4090
uuid GPU-11111111-2222-3333-4444-555555555555
memory 25757220864 402653184 22133342208 3221225472
utilization 45 18
temperature 65
power 180500
limit 450000
)";

Reply AsGpud(const fault::Request& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/v1/events") return Json("[]");
  if (path == "/v1/metrics") return Json("[]");
  if (path == "/v1/states") {
    return Json(R"([{"component":"cpu","states":[{"time":"2026-03-01T09:15:00Z",)"
                R"("health":"Healthy","reason":"ok"}]}])");
  }
  if (path == "/machine-info") {
    return Json(R"({"gpudVersion":"v0.5.1","hostname":"gn07","gpuInfo":{"product":"NVIDIA L40S",)"
                R"("gpus":[{"uuid":"GPU-a","minorID":"0"}]}})");
  }
  return HttpStatus(404, "404 page not found");
}

constexpr std::string_view kVmm =
    R"({"gpus":[{"slot":"18:00.0","product_id":"10de:2335",)"
    R"("description":"NVIDIA Corporation GH100 [H200 SXM 141GB]","is_free":true}],)"
    R"("allow_attach_all":true})";

// One snapshot of task-abc123, of a moment ago.
void Store(const ScratchDirectory& folder) {
  store::Snapshot snapshot;
  snapshot.id = store::NewId();
  snapshot.task_id = "task-abc123";
  snapshot.task_name = "training-job";
  snapshot.instance_id = "gn07";
  snapshot.instance_type = "h100.8xlarge";
  snapshot.timestamp = SystemClock().Wall() - std::chrono::seconds(30);
  snapshot.health_score = 0.95;
  snapshot.health_status = "healthy";
  snapshot.gpu_metrics.resize(1);
  snapshot.gpu_metrics[0].gpu_utilization_pct = 93.5;
  std::string day = FormatTime(snapshot.timestamp).substr(0, 10);
  std::erase(day, '-');
  folder.Write("health-metrics-" + day + ".jsonl", store::EncodeLine(snapshot) + '\n');
}

std::string Local(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

World::World(const std::string& prometheus_url)
    : prometheus_url_(prometheus_url), docker_(AsDocker), gpud_(AsGpud) {
  grafana_.SetReply(Json(R"({"database":"ok","version":"10.4.2"})"));
  vmm_.SetReply(Json(std::string(kVmm)));
  Store(home_);
  // Of a process that there is, as the driver has it.
  const std::string pid = std::to_string(getpid());
  home_.Write("gpu", "command " + pid + " python\n" + std::string(kGpu) + "compute " + pid +
                         " 2147483648\n");
}

Environment World::server_variables() const {
  return {
      {"DSTACK_URL", vmm_.url()}, {"HAKURIVER_URL", haku_.url()}, {"METRICS_DIR", home_.path()}};
}

Environment World::command_variables() const {
  return {{"HOME", home_.path()},
          {"DOCKER_HOST", "tcp://" + Local(docker_.port())},
          {"CHECK_POSTGRES", Local(postgres_.port())},
          {"CHECK_REDIS", Local(redis_.port())},
          {"CHECK_ETCD", etcd_.url()},
          {"CHECK_MANAGER", "http://127.0.0.1:1"},
          {"CHECK_PROMETHEUS", prometheus_url_},
          {"CHECK_GRAFANA", grafana_.url()},
          {"CHECK_SLOW_AFTER", "0s"},
          {"CHECK_CONFIG_DIR", home_.path()},
          {"NVML_LIBRARY", fake_nvml::kLibrary},
          {fake_nvml::kScriptVariable, home_.File("gpu")},
          {"HAKURIVER_URL", haku_.url()},
          {"FLOW_GPUD_PORT", std::to_string(gpud_.port())}};
}

}  // namespace gpumon::e2e
