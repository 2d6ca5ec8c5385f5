// Nodes and tasks through the real server and a real Prometheus: their figures are those that
// PromQL gives when it is asked for them directly.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr char kNodes[] = "/api/v1/gpu/nodes";
constexpr char kTasks[] = "/api/v1/gpu/tasks";
constexpr Millis kLimit(20'000);

// By the value of `label`.
std::map<std::string, double> By(const Value& result, const std::string& label) {
  std::map<std::string, double> values;
  for (const Value& series : result.elements()) {
    values[TextOf(series["metric"][label])] = std::stod(TextOf(series["value"][1]));
  }
  return values;
}

std::map<std::string, double> FieldBy(const Value& rows, const std::string& key,
                                      const std::string& field) {
  std::map<std::string, double> values;
  for (const Value& row : rows.elements()) {
    if (const auto number = row[field].AsDouble()) values[TextOf(row[key])] = *number;
  }
  return values;
}

void ExpectSame(const std::map<std::string, double>& shown,
                const std::map<std::string, double>& held, const std::string& what) {
  EXPECT_FALSE(held.empty()) << what;
  ASSERT_EQ(shown.size(), held.size()) << what;
  for (const auto& [name, value] : held) {
    const auto found = shown.find(name);
    ASSERT_NE(found, shown.end()) << what << ' ' << name;
    EXPECT_NEAR(found->second, value, 1e-6 * std::fmax(1, std::fabs(value))) << what << ' ' << name;
  }
}

// The demo fleet, scraped long enough for rates.
class DemoNodesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    exporter_ = new Exporter({"--nodes", "4", "--gpus-per-node", "8", "--seed", "1"});
    prometheus_ = Prometheus::Scraping(exporter_->port(), true).release();
    server_ = new ApiServer(prometheus_->url(), {{"CACHE_TTL", "0s"}});
    ASSERT_TRUE(process::WaitUntil(
        [] {
          const Value rows = server_->Get(kNodes).Json()["data"];
          return rows.size() == 4 && rows[0]["network_rx"].AsDouble().has_value() &&
                 rows[0]["exporters"].size() > 0;
        },
        kLimit))
        << server_->Get(kNodes).body;
  }
  static void TearDownTestSuite() {
    delete server_;
    delete prometheus_;
    delete exporter_;
  }

  // An answer as of an instant that has passed, and PromQL at that instant.
  static Value At(const std::string& target, const std::string& at) {
    const Answer answer =
        server_->Get(target + (target.find('?') == std::string::npos ? "?" : "&") + "at=" + at);
    EXPECT_EQ(answer.status, 200) << answer.Text();
    return answer.Json();
  }
  static std::string Instant() { return TextOf(server_->Get(kNodes).Json()["meta"]["as_of"]); }

  static Exporter* exporter_;
  static Prometheus* prometheus_;
  static ApiServer* server_;
};
Exporter* DemoNodesTest::exporter_ = nullptr;
Prometheus* DemoNodesTest::prometheus_ = nullptr;
ApiServer* DemoNodesTest::server_ = nullptr;

TEST_F(DemoNodesTest, FiguresAreThoseOfPromQl) {
  const std::string at = Instant();
  const Value document = At(kNodes, at);
  const Value& rows = document["data"];
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_FALSE(*document["meta"]["partial"].AsBool()) << document["warnings"][0].AsString();
  const std::vector<std::pair<std::string, std::string>> figures = {
      {"gpu_count", "count by(node)(nvidia_gpu_total_memory_bytes)"},
      {"utilization", "avg by(node)(nvidia_gpu_utilization_percent)"},
      {"utilization_max", "max by(node)(nvidia_gpu_utilization_percent)"},
      {"temperature_max", "max by(node)(nvidia_gpu_temperature_celsius)"},
      {"memory_used_bytes", "sum by(node)(nvidia_gpu_used_memory_bytes)"},
      {"gpus_capacity", "kube_node_status_capacity{resource=\"nvidia_com_gpu\"}"},
      {"gpus_allocatable", "kube_node_status_allocatable{resource=\"nvidia_com_gpu\"}"},
      {"gpus_requested",
       "sum by(node)(kube_pod_container_resource_requests{resource=\"nvidia_com_gpu\",node!=\"\"} "
       "and on(namespace,pod) (kube_pod_status_phase{phase=~\"Pending|Running\"} == 1)) or "
       "max by(node)(0 * kube_node_info)"},
      {"cores_total", "count by(node)(node_cpu_seconds_total{mode=\"idle\"})"},
      {"cores_available",
       "max by(node)(kube_node_status_allocatable{resource=\"cpu\"}) - on(node) (sum by(node)("
       "kube_pod_container_resource_requests{resource=\"cpu\",node!=\"\"} and on(namespace,pod) "
       "(kube_pod_status_phase{phase=~\"Pending|Running\"} == 1)) or max by(node)(0 * "
       "kube_node_info))"},
      {"load1", "node_load1"},
      {"load15", "node_load15"},
      {"host_memory_total_bytes", "node_memory_MemTotal_bytes"},
      {"host_memory_available_bytes", "node_memory_MemAvailable_bytes"},
      {"host_memory_used_percent",
       "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)"},
      {"network_rx", "sum by(node)(rate(node_network_receive_bytes_total[5m]))"},
      {"network_tx", "sum by(node)(rate(node_network_transmit_bytes_total[5m]))"},
      {"host_temperature", "max by(node)(node_hwmon_temp_celsius)"}};
  for (const auto& [field, promql] : figures) {
    ExpectSame(FieldBy(rows, "node_name", field), By(prometheus_->Query(promql, at), "node"),
               field);
  }
  const auto sizes = prometheus_->Query("node_filesystem_size_bytes{node=\"gpu-node-1\"}", at);
  ExpectSame(FieldBy(rows[0]["disks"], "mountpoint", "size_bytes"), By(sizes, "mountpoint"),
             "size");
  ExpectSame(
      FieldBy(rows[0]["disks"], "mountpoint", "available_bytes"),
      By(prometheus_->Query("node_filesystem_avail_bytes{node=\"gpu-node-1\"}", at), "mountpoint"),
      "available");
  EXPECT_EQ(rows[0]["numa_nodes"].size(), 2U);
  // Of a fleet this young a rate over five minutes is a fraction of what it will be, and its
  // counters tell hundredths of a second of a few.
  const auto busy = By(
      prometheus_->Query("100 * (1 - sum by(node)(rate(node_cpu_seconds_total{mode=\"idle\"}[5m])) "
                         "/ sum by(node)(rate(node_cpu_seconds_total[5m])))",
                         at),
      "node");
  const auto cpu = FieldBy(rows, "node_name", "cpu");
  ASSERT_EQ(cpu.size(), busy.size());
  for (const auto& [node, percent] : busy) EXPECT_NEAR(cpu.at(node), percent, 3) << node;
}

// A relabelling rule may keep the idle mode alone: what all modes take together is not known then.
TEST(NodeCpuTest, IdleTimeAloneIsNoLoadOfZero) {
  const fault::FaultServer exporter([](const fault::Request&) {
    const std::string now = std::to_string(100000 + 0.5 * static_cast<double>(std::time(nullptr)));
    return fault::HttpStatus(
        200,
        "node_uname_info{nodename=\"n1\"} 1\nnode_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} " +
            now +
            "\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-5f1c0a2e-77aa-4c1d-9e10-0a1b2c3d4e50\","
            "modelName=\"NVIDIA H100\",Hostname=\"n1\"} 75\n",
        "text/plain");
  });
  const auto prometheus = Prometheus::Scraping(exporter.port(), true);
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
  // Two scrapes make a rate.
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        return prometheus
                   ->Query("rate(node_cpu_seconds_total[5m])", std::to_string(std::time(nullptr)))
                   .size() == 1;
      },
      kLimit));
  Value row;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        row = server.Get(kNodes).Json()["data"][0];
        return TextOf(row["node_name"]) == "n1" && row["cores_total"].AsDouble() == 1;
      },
      kLimit));
  EXPECT_TRUE(row["cpu"].is_null()) << row["cpu"].AsDouble().value_or(-1);
}

// What was told until a moment ago says less of each next minute: a rate over it would tell of an
// ever busier machine.
TEST(NodeCpuTest, IdleTimeThatNobodyTellsAnyMoreIsNoLoad) {
  const auto idle = [](std::int64_t at) { return std::to_string(0.5 * static_cast<double>(at)); };
  std::atomic<bool> told = true;
  const fault::FaultServer exporter([&](const fault::Request&) {
    return fault::HttpStatus(
        200,
        "node_uname_info{nodename=\"n1\"} 1\n" +
            (told ? "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} " + idle(std::time(nullptr))
                  : std::string()) +
            "\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-5f1c0a2e-77aa-4c1d-9e10-0a1b2c3d4e50\","
            "modelName=\"NVIDIA H100\",Hostname=\"n1\"} 75\n",
        "text/plain");
  });
  std::string past;
  const std::int64_t now = std::time(nullptr);
  for (std::int64_t at = now - 1800; at < now - 10; at += 30) {
    past += "node_cpu_seconds_total{job=\"gpu\",instance=\"demo\",cpu=\"0\",mode=\"idle\"} " +
            idle(at) + ' ' + std::to_string(at) + '\n';
  }
  const auto prometheus =
      Prometheus::Scraping(exporter.port(), true, "instance: \"demo\"", past + "# EOF\n");
  const auto count = [&](const std::string& promql) {
    return prometheus->Query(promql, std::to_string(std::time(nullptr))).size();
  };
  ASSERT_TRUE(process::WaitUntil(
      [&] { return count("count_over_time(node_cpu_seconds_total[5s]) > 1") == 1; }, kLimit));
  told = false;
  ASSERT_TRUE(process::WaitUntil([&] { return count("node_cpu_seconds_total") == 0; }, kLimit));
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
  Value row;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        row = server.Get(kNodes).Json()["data"][0];
        return TextOf(row["node_name"]) == "n1";
      },
      kLimit));
  EXPECT_TRUE(row["cpu"].is_null()) << row["cpu"].AsDouble().value_or(-1);
  EXPECT_EQ(count("rate(node_cpu_seconds_total[5m])"), 1U) << "though there is a rate";
}

// The past of machines: each step's value is that of its end.
TEST_F(DemoNodesTest, TheirHistoryIsThatOfPromQl) {
  const std::string at = Instant();
  const std::vector<std::pair<std::string, std::string>> metrics = {
      {"load1", "node_load1"},
      {"host_memory_used_percent",
       "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)"},
      {"network_rx", "sum by(node)(rate(node_network_receive_bytes_total[5m]))"},
      {"host_temperature", "max by(node)(node_hwmon_temp_celsius)"}};
  for (const auto& [metric, promql] : metrics) {
    SCOPED_TRACE(metric);
    const std::string target = "/api/v1/gpu/history?window=5m&step=60s&metric=" + metric;
    const auto truth = By(prometheus_->Query(promql, at), "node");
    ASSERT_EQ(truth.size(), 4U);
    const Value document = At(target, at);
    const Value& rows = document["data"];
    ASSERT_EQ(rows.size(), 4U);
    double sum = 0;
    for (const Value& row : rows.elements()) {
      const std::string node = TextOf(row["node_name"]);
      EXPECT_TRUE(row["gpus"].is_null());
      ASSERT_EQ(row["avg"].size(), 5U);
      EXPECT_NEAR(row["avg"][4].AsDouble().value_or(-1), truth.at(node), 1e-6) << node;
      EXPECT_TRUE(row["min"][4].is_null());
      sum += truth.at(node);
    }
    const Value all = At(target + "&aggregate=cluster", at)["data"];
    ASSERT_EQ(all.size(), 1U);
    EXPECT_NEAR(all[0]["avg"][4].AsDouble().value_or(-1), sum / 4, 1e-6);
    EXPECT_NEAR(all[0]["sum"][4].AsDouble().value_or(-1), sum, 1e-6 * sum);
    EXPECT_EQ(all[0]["known"][4].AsDouble(), 4);
    EXPECT_EQ(At(target + "&node=gpu-node-*2", at)["data"].size(), 1U);
  }
  for (const char* const wrong : {"metric=cpu&gpu=0", "metric=cpu&model=A100", "metric=cpu&uuid=x",
                                  "metric=cpu&aggregate=model"}) {
    EXPECT_EQ(server_->Get(std::string("/api/v1/gpu/history?") + wrong).status, 400) << wrong;
  }
}

TEST_F(DemoNodesTest, StatesAddUpAndNodesAreOnline) {
  const Value rows = server_->Get(kNodes).Json()["data"];
  for (const Value& row : rows.elements()) {
    double sum = 0;
    for (const char* const state : {"busy", "idle_held", "free", "unhealthy", "unknown"}) {
      sum += row[state].AsDouble().value_or(-100);
    }
    EXPECT_EQ(sum, row["gpu_count"].AsDouble());
    EXPECT_EQ(TextOf(row["status"]), "online");
    EXPECT_TRUE(*row["ready"].AsBool());
    EXPECT_EQ(row["exporters"].size(), 2U) << "its own metrics, and node-exporter's";
    for (const Value& exporter : row["exporters"].elements()) {
      EXPECT_EQ(TextOf(exporter["state"]), "up");
      EXPECT_LT(exporter["age_seconds"].AsDouble().value_or(100), 30);
    }
  }
  const Value one = server_->Get(std::string(kNodes) + "/gpu-node-2").Json();
  EXPECT_EQ(TextOf(one["data"]["node_name"]), "gpu-node-2");
  EXPECT_EQ(server_->Get(std::string(kNodes) + "/gpu-node-99").status, 404);
  EXPECT_EQ(server_->Get(std::string(kNodes) + "/gpu-node-%2a").status, 400);
  EXPECT_EQ(server_->Get(std::string(kNodes) + "/a%2Fb").status, 400);
  const std::string metrics = server_->Get("/metrics").body;
  EXPECT_TRUE(Holds(metrics, "route=\"/api/v1/gpu/nodes/{node}\"")) << metrics;
  EXPECT_FALSE(Holds(metrics, "gpu-node-99")) << "a value is no label";
}

TEST_F(DemoNodesTest, TasksAreThoseOfPromQl) {
  const std::string at = Instant();
  const Value rows = At(kTasks, at)["data"];
  std::map<std::string, double> pods_by_phase;
  std::map<std::string, double> requested;
  std::map<std::string, double> jobs;
  for (const Value& row : rows.elements()) {
    const bool pod = TextOf(row["kind"]) == "Pod";
    if (!pod) jobs[TextOf(row["name"])] = row["pods_active"].AsDouble().value_or(-1);
    if (!pod) continue;
    pods_by_phase[TextOf(row["phase"])] += 1;
    requested[TextOf(row["name"])] = row["gpus_requested"].AsDouble().value_or(-1);
  }
  ExpectSame(pods_by_phase,
             By(prometheus_->Query("count by(phase)(kube_pod_status_phase == 1)", at), "phase"),
             "phase");
  ExpectSame(requested,
             By(prometheus_->Query(
                    "kube_pod_container_resource_requests{resource=\"nvidia_com_gpu\"}", at),
                "pod"),
             "requested");
  ExpectSame(jobs, By(prometheus_->Query("kube_job_status_active", at), "job_name"), "active");
}

TEST_F(DemoNodesTest, TasksThatWaitAndThatFailedSayWhy) {
  const Value waiting = server_->Get(std::string(kTasks) + "?kind=Pod&phase=Pending").Json();
  ASSERT_GT(waiting["data"].size(), 0U);
  EXPECT_EQ(TextOf(waiting["data"][0]["reason"]), "Unschedulable");
  EXPECT_TRUE(waiting["data"][0]["started"].is_null());
  const Value failed = server_->Get(std::string(kTasks) + "?phase=Failed&sort=kind").Json();
  ASSERT_GT(failed["data"].size(), 1U) << "a Job and its pod";
  for (const Value& row : failed["data"].elements()) {
    EXPECT_FALSE(TextOf(row["error"]).empty());
    // kube-state-metrics tells that of runs which another followed.
    EXPECT_TRUE(row["exit_code"].is_null());
    EXPECT_EQ(TextOf(row["null_reasons"]["exit_code"]), "not_exported");
  }
  const Value& job = failed["data"][0];
  EXPECT_EQ(TextOf(job["kind"]), "Job");
  const Value detail =
      server_->Get(std::string(kTasks) + '/' + TextOf(job["namespace"]) + '/' + TextOf(job["name"]))
          .Json();
  ASSERT_GT(detail["data"]["pods"].size(), 0U);
  EXPECT_EQ(TextOf(detail["data"]["pods"][0]["phase"]), "Failed");
  EXPECT_EQ(server_->Get(std::string(kTasks) + "/ml-team/none").status, 404);
}

// A cluster of three scrape jobs: dcgm-exporter, kube-state-metrics, and a node-exporter that is
// known by its address alone.
constexpr char kDcgm[] =
    "DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H100\",Hostname=\"gpu-a01\"} 40\n"
    "DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H100\",Hostname=\"gpu-a01\"} 100\n";
constexpr char kHost[] =
    "node_uname_info{nodename=\"gpu-a01.example.com\"} 1\n"
    "node_load1 12.4\n"
    "node_memory_numa_MemTotal{node=\"0\"} 1000\n"
    "node_filesystem_size_bytes{device=\"t\",fstype=\"tmpfs\",mountpoint=\"/tmp\"} 5\n"
    "node_filesystem_size_bytes{device=\"/dev/a\",fstype=\"ext4\",mountpoint=\"/\"} 100\n";
constexpr char kKube[] =
    "kube_node_info{node=\"gpu-a01\",internal_ip=\"10.20.0.11\"} 1\n"
    "kube_node_info{node=\"gpu-b02\",internal_ip=\"10.20.0.12\"} 1\n"
    "kube_node_info{node=\"cpu-01\",internal_ip=\"10.20.0.13\"} 1\n"
    "kube_node_status_condition{node=\"gpu-a01\",condition=\"Ready\",status=\"true\"} 1\n"
    "kube_node_status_condition{node=\"gpu-b02\",condition=\"Ready\",status=\"true\"} 0\n"
    "kube_node_status_condition{node=\"cpu-01\",condition=\"Ready\",status=\"true\"} 1\n"
    "kube_node_status_allocatable{node=\"gpu-a01\",resource=\"nvidia_com_gpu\"} 8\n"
    "kube_node_status_allocatable{node=\"gpu-b02\",resource=\"nvidia_com_gpu\"} 4\n"
    "kube_node_status_allocatable{node=\"cpu-01\",resource=\"cpu\"} 4\n"
    "kube_node_status_allocatable{node=\"gpu-a01\",resource=\"cpu\"} 64\n"
    "kube_pod_container_resource_requests{namespace=\"n\",pod=\"p\",uid=\"u\",container=\"c\","
    "node=\"gpu-a01\",resource=\"nvidia_com_gpu\"} 3\n"
    "kube_pod_container_resource_requests{namespace=\"n\",pod=\"old\",uid=\"v\",container=\"c\","
    "node=\"gpu-a01\",resource=\"nvidia_com_gpu\"} 4\n"
    "kube_pod_status_phase{namespace=\"n\",pod=\"p\",uid=\"u\",phase=\"Running\"} 1\n"
    "kube_pod_status_phase{namespace=\"n\",pod=\"old\",uid=\"v\",phase=\"Succeeded\"} 1\n";

class World {
 public:
  World(bool with_host, bool with_kube) {
    Serve(kDcgm, dcgm_is_up_);
    if (with_host) Serve(kHost, always_);
    if (with_kube) Serve(kKube, always_);
    std::vector<std::uint16_t> ports;
    for (const auto& target : targets_) ports.push_back(target->port());
    prometheus_ = Prometheus::ScrapingEach(ports);
    server_ = std::make_unique<ApiServer>(prometheus_->url(), Environment{{"CACHE_TTL", "0s"}});
    EXPECT_TRUE(Await([&](const Value& document) {
      return document["data"].size() == (with_kube ? 2U : 1U) &&
             document["data"][0]["load1"].is_null() != with_host &&
             document["data"][0]["exporters"].size() == (with_host ? 2U : 1U);
    })) << server_->Get(kNodes).body;
  }

  bool Await(const std::function<bool(const Value&)>& holds) const {
    return process::WaitUntil([&] { return holds(server_->Get(kNodes).Json()); }, kLimit);
  }
  Value Rows() const { return server_->Get(kNodes).Json()["data"]; }
  void StopDcgm() { dcgm_is_up_ = false; }

 private:
  void Serve(const char* text, const std::atomic<bool>& up) {
    targets_.push_back(std::make_unique<fault::FaultServer>([text, &up](const fault::Request&) {
      return up ? fault::HttpStatus(200, text, "text/plain")
                : fault::HttpStatus(500, "down", "text/plain");
    }));
  }

  std::atomic<bool> dcgm_is_up_{true};
  const std::atomic<bool> always_{true};
  std::vector<std::unique_ptr<fault::FaultServer>> targets_;
  std::unique_ptr<Prometheus> prometheus_;
  std::unique_ptr<ApiServer> server_;
};

TEST(NodesWorldTest, SourcesMeetOnOneRowAndKubernetesAloneIsARowToo) {
  World world(true, true);
  const Value rows = world.Rows();
  ASSERT_EQ(rows.size(), 2U) << "cpu-01 has no GPU";
  const Value& a = rows[0];
  EXPECT_EQ(TextOf(a["node_name"]), "gpu-a01") << "Kubernetes's name, without the domain";
  EXPECT_EQ(a["gpu_count"].AsDouble(), 1);
  EXPECT_EQ(a["load1"].AsDouble(), 12.4);
  EXPECT_EQ(a["gpus_allocatable"].AsDouble(), 8);
  EXPECT_EQ(a["gpus_requested"].AsDouble(), 3) << "one of its pods has ended";
  EXPECT_EQ(a["gpus_free"].AsDouble(), 5);
  EXPECT_EQ(a["cores_available"].AsDouble(), 64);
  ASSERT_EQ(a["disks"].size(), 1U) << "a tmpfs is memory";
  EXPECT_EQ(TextOf(a["numa_nodes"][0]["id"]), "0");
  EXPECT_TRUE(a["cpu"].is_null());
  EXPECT_EQ(TextOf(a["null_reasons"]["cpu"]), "");
  const Value& b = rows[1];
  EXPECT_EQ(TextOf(b["node_name"]), "gpu-b02");
  EXPECT_EQ(TextOf(b["status"]), "offline");
  EXPECT_TRUE(b["gpu_count"].is_null());
  EXPECT_EQ(b["gpus_free"].AsDouble(), 4);
}

TEST(NodesWorldTest, WithoutNodeExporterOrKubernetesTheirFieldsAreNull) {
  const World bare(false, false);
  const Value rows = bare.Rows();
  ASSERT_EQ(rows.size(), 1U);
  for (const char* const field : {"load1", "cpu", "disks", "gpus_allocatable", "gpus_requested",
                                  "gpus_free", "ready", "cores_available", "host_temperature"}) {
    EXPECT_TRUE(rows[0][field].is_null()) << field;
  }
  EXPECT_EQ(TextOf(rows[0]["status"]), "online");
  EXPECT_EQ(rows[0]["gpu_count"].AsDouble(), 1);
}

TEST(NodesWorldTest, ANodeWhoseExportersAreDownIsOffline) {
  World world(false, false);
  const double seen = static_cast<double>(world.Rows().size());
  ASSERT_EQ(seen, 1);
  world.StopDcgm();
  EXPECT_TRUE(world.Await([](const Value& document) {
    const Value& row = document["data"][0];
    return document["data"].size() == 1 && TextOf(row["status"]) == "offline" &&
           TextOf(row["exporters"][0]["state"]) == "down";
  }));
  const Value row = world.Rows()[0];
  EXPECT_EQ(TextOf(row["status_reason"]), "its exporters are down");
  EXPECT_EQ(TextOf(row["node_name"]), "gpu-a01");
  EXPECT_TRUE(row["gpu_count"].is_null());
}

// Of `instance` "one" a pod took another's place; "all" is what a relabelling made of each target.
TEST(NodesWorldTest, ATargetIsDownUnlessAnotherPodTookItsPlace) {
  const auto now = static_cast<long long>(std::time(nullptr));
  const auto at = [](const std::string& labels, const char* value, long long when) {
    return labels + ' ' + value + ' ' + std::to_string(when) + '\n';
  };
  const auto shows = [](const std::string& instance, const std::string& node) {
    return "DCGM_FI_DEV_GPU_UTIL{job=\"dcgm\",instance=\"" + instance + "\",node=\"" + node +
           "\",gpu=\"0\",UUID=\"GPU-" + node + "\"}";
  };
  const std::string text =
      "# TYPE up gauge\n" + at(R"(up{job="dcgm",instance="one",node="a",pod="new"})", "1", now) +
      at(R"(up{job="dcgm",instance="one",node="a",pod="old"})", "0", now) +
      at(R"(up{job="dcgm",instance="all",node="b"})", "1", now - 900) +
      at(R"(up{job="dcgm",instance="all",node="b"})", "0", now) +
      at(R"(up{job="dcgm",instance="all",node="c"})", "1", now) +
      "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n" + at(shows("one", "a"), "7", now) +
      at(shows("all", "b"), "8", now - 900) + at(shows("all", "c"), "9", now) + "# EOF\n";
  const auto prometheus = Prometheus::Holding(text);
  ApiServer server(prometheus->url(), {});
  ASSERT_TRUE(server.AwaitReady());
  std::string states;
  const Answer nodes = server.Get(kNodes);
  const Value rows = nodes.Json()["data"];
  for (const Value& row : rows.elements()) {
    states += TextOf(row["node_name"]) + ' ' + TextOf(row["exporters"][0]["state"]) + "; ";
  }
  EXPECT_EQ(states, "a up; b down; c up; ") << nodes.body;
  const Value gpus = server.Get("/api/v1/gpu/metrics").Json();
  std::string warnings;
  for (const Value& warning : gpus["warnings"].elements()) warnings += TextOf(warning) + "; ";
  EXPECT_EQ(warnings,
            "dcgm: a scrape target is down, what only it showed is missing (job dcgm, all); ");
  EXPECT_EQ(gpus["data"].size(), 2U);
}

// Down for eight minutes, but for one scrape in between.
TEST(NodeStateTest, ADownExporterIsAsOldAsItsLastGoodScrape) {
  constexpr std::int64_t kNow = 1'704'110'400;
  std::string up = "# TYPE up gauge\n";
  std::string busy = "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n";
  for (std::int64_t at = kNow - 1200; at <= kNow + 300; at += 5) {
    const bool is_up = at < kNow - 480 || at == kNow - 95;
    const std::string end = ' ' + std::to_string(at) + '\n';
    up += std::string(R"(up{job="dcgm",instance="a:1",node="a"} )") + (is_up ? "1" : "0") + end;
    if (!is_up) continue;
    busy +=
        R"(DCGM_FI_DEV_GPU_UTIL{job="dcgm",instance="a:1",node="a",gpu="0",UUID="GPU-a"} 7)" + end;
  }
  const auto prometheus = Prometheus::Holding(up + busy + "# EOF\n");
  ApiServer server(prometheus->url(), {});
  ASSERT_TRUE(server.AwaitReady());
  for (const int later : {0, 180}) {
    const Answer answer = server.Get(kNodes + ("?at=" + std::to_string(kNow + later)));
    const Value exporter = answer.Json()["data"][0]["exporters"][0];
    ASSERT_EQ(TextOf(exporter["state"]), "down") << answer.body;
    EXPECT_EQ(exporter["age_seconds"].AsDouble(), 95 + later) << answer.body;
  }
}

}  // namespace
}  // namespace gpumon::e2e
