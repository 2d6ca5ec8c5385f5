// gpuctl doctor against the real server over a real Prometheus.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

std::string Capture(const std::string& name) {
  std::ifstream in(GPUMON_SOURCE_DIR "/tests/captures/" + name + ".prom");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

process::Finished Doctor(std::uint16_t port, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"doctor", "--server",
                                        "http://127.0.0.1:" + std::to_string(port)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return process::Run(CtlProgram(), arguments);
}

void ExpectFits(const std::string& table) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
}

// A server over one exporter's text.
class Cluster {
 public:
  Cluster(const std::string& text, bool honor_labels, const std::string& target_labels = "",
          Environment variables = {{"CACHE_TTL", "0s"}, {"DEBUG_ENDPOINTS", "true"}})
      : exporter_(
            [text](const fault::Request&) { return fault::HttpStatus(200, text, "text/plain"); }),
        prometheus_(Prometheus::Scraping(exporter_.port(), honor_labels, target_labels)) {
    EXPECT_TRUE(process::WaitUntil(
        [&] {
          return prometheus_->Query("up{job=\"gpu\"} == 1", std::to_string(std::time(nullptr) + 1))
                     .size() > 0;
        },
        Millis(20'000)));
    server_ = std::make_unique<ApiServer>(prometheus_->url(), std::move(variables));
    EXPECT_TRUE(process::WaitUntil([&] { return server_->Get(kMetrics).Json()["data"].size() > 0; },
                                   Millis(20'000)));
  }
  ApiServer& server() { return *server_; }
  std::uint16_t port() { return server_->port(); }

 private:
  fault::FaultServer exporter_;
  std::unique_ptr<Prometheus> prometheus_;
  std::unique_ptr<ApiServer> server_;
};

TEST(DoctorTest, AnExportersOwnPodIsAFinding) {
  // As dcgm-exporter shows it, scraped with honor_labels false by a target that has a pod itself.
  Cluster cluster(
      "DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-5f1c0a2e-77aa-4c1d-9e10-0a1b2c3d4e50\","
      "modelName=\"NVIDIA H100\",Hostname=\"gpu-a01\",container=\"trainer\",namespace=\"ml\","
      "pod=\"bert-0\"} 75\n"
      "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-5f1c0a2e-77aa-4c1d-9e10-0a1b2c3d4e50\","
      "modelName=\"NVIDIA H100\",Hostname=\"gpu-a01\",container=\"trainer\",namespace=\"ml\","
      "pod=\"bert-0\"} 9223372036854775794\n",
      false, "namespace: gpu-operator, pod: nvidia-dcgm-exporter-x7k2p");
  const auto all = Doctor(cluster.port());
  EXPECT_EQ(all.exit_code, 1) << all.output << all.errors;
  EXPECT_TRUE(Holds(all.output, "WARNING  honorLabels is false for dcgm: 1 GPU carries"))
      << all.output;
  EXPECT_TRUE(Holds(all.output, "using exported_pod")) << all.output;
  EXPECT_FALSE(Holds(all.output, "SAMPLES")) << all.output;
  ExpectFits(all.output);
  const auto one = Doctor(cluster.port(), {"--node", "gpu-a01", "--gpu", "0"});
  EXPECT_EQ(one.exit_code, 1);
  EXPECT_TRUE(Holds(one.output, "SAMPLES of gpu-a01 GPU 0")) << one.output;
  EXPECT_TRUE(Holds(one.output, "used    utilization")) << one.output;
  EXPECT_TRUE(Holds(one.output, "75 from dcgm DCGM_FI_DEV_GPU_UTIL 75")) << one.output;
  EXPECT_TRUE(Holds(one.output, "dropped temperature")) << one.output;
  ExpectFits(one.output);
  const auto json =
      Doctor(cluster.port(), {"--uuid", "GPU-5f1c0a2e-77aa-4c1d-9e10-0a1b2c3d4e50", "-f", "json"});
  const auto document = json::ParseDocument(json.output);
  ASSERT_TRUE(document) << json.output << json.errors;
  const Value& samples = (*document)["rows"][0]["samples"];
  EXPECT_EQ(samples.size(), 2U);
  EXPECT_EQ(TextOf(samples[0]["outcome"]), "dropped");
  EXPECT_TRUE(Holds(TextOf(samples[0]["rule"]), "blank value"));
  EXPECT_EQ(TextOf(samples[1]["labels"]["exported_pod"]), "bert-0");
  EXPECT_TRUE(samples[1]["age_seconds"].AsDouble().has_value());
  EXPECT_EQ(TextOf((*document)["findings"][0]["severity"]), "warning");
}

TEST(DoctorTest, ACaptureThatWasStoredWithoutHonorLabelsIsAFinding) {
  Cluster cluster(Capture("dcgm_4_9-honor_false"), true);
  const auto finished = Doctor(cluster.port());
  EXPECT_EQ(finished.exit_code, 1) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "honorLabels is false for dcgm_4_9")) << finished.output;
  ExpectFits(finished.output);
}

TEST(DoctorTest, EveryCaptureIsExplainedWithoutAFailedCheck) {
  for (const std::string name : {"dcgm-mig", "nvidia_smi", "hami", "amd"}) {
    const std::string text = Capture(name);
    const bool stored = text.substr(0, text.find('\n')).find("as stored") != std::string::npos;
    Cluster cluster(text, stored);
    const Value row = cluster.server().Get(kMetrics).Json()["data"][0];
    std::vector<std::string> gpu = {"-f", "json"};
    if (TextOf(row["uuid"]).empty()) {
      gpu.insert(gpu.end(), {"--node", TextOf(row["node_name"]), "--gpu", TextOf(row["gpu_id"])});
    } else {
      gpu.insert(gpu.end(), {"--uuid", TextOf(row["uuid"])});
    }
    const auto finished = Doctor(cluster.port(), gpu);
    EXPECT_LE(finished.exit_code, 1) << name << finished.errors;
    const auto document = json::ParseDocument(finished.output);
    ASSERT_TRUE(document) << name << finished.output << finished.errors;
    EXPECT_GT((*document)["rows"].size(), 0U) << name;
    std::size_t used = 0;
    for (const Value& sample : (*document)["rows"][0]["samples"].elements()) {
      used += TextOf(sample["outcome"]) == "used" ? 1U : 0U;
    }
    EXPECT_GT(used, 0U) << name;
    EXPECT_FALSE(Holds(finished.output, "could not be checked")) << name << finished.output;
  }
}

TEST(DoctorTest, AHealthyFleetHasNoWarning) {
  Exporter exporter({"--nodes", "2", "--gpus-per-node", "4"});
  const auto prometheus = Prometheus::Scraping(exporter.port(), false);
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        return prometheus
                   ->Query("nvidia_gpu_process_cpu_percent", std::to_string(std::time(nullptr)))
                   .size() > 0;
      },
      Millis(20'000)));
  ApiServer server(prometheus->url(), {{"DEBUG_ENDPOINTS", "true"}});
  ASSERT_TRUE(server.AwaitReady());
  const auto finished = Doctor(server.port(), {"--node", "gpu-node-1", "--gpu", "0"});
  EXPECT_EQ(finished.exit_code, 0) << finished.output << finished.errors;
  EXPECT_TRUE(Holds(finished.output, "8 GPUs at")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "nvidia_gpu_utilization_percent")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "0 warnings")) << finished.output;
  ExpectFits(finished.output);
}

TEST(DoctorTest, ExportersThatAreDownOrFrozenAreNamed) {
  constexpr int kMinutes = 20;
  const auto now = static_cast<long>(std::time(nullptr));
  std::string text = "# TYPE DCGM_FI_DEV_POWER_USAGE gauge\n";
  const auto power = [&](int gpu, const auto& at) {
    for (int minute = 0; minute <= kMinutes; ++minute) {
      text += "DCGM_FI_DEV_POWER_USAGE{job=\"dcgm\",instance=\"e" + std::to_string(gpu) +
              "\",Hostname=\"n\",gpu=\"" + std::to_string(gpu) + "\"} " + at(minute) + ' ' +
              std::to_string(now - 60L * (kMinutes - minute)) + '\n';
    }
  };
  power(0, [](int minute) { return std::to_string(100 + minute); });
  power(1, [](int) { return std::string("100"); });
  power(2, [](int) { return std::string("100.5"); });
  text += "# TYPE up gauge\nup{job=\"dcgm\",instance=\"e0\"} 0 " + std::to_string(now) +
          "\nup{job=\"dcgm\",instance=\"e1\"} 1 " + std::to_string(now) +
          "\nup{job=\"dcgm\",instance=\"e2\"} 1 " + std::to_string(now) +
          "\nup{job=\"other\",instance=\"x\"} 0 " + std::to_string(now) + "\n# EOF\n";
  const auto prometheus = Prometheus::Holding(text);
  ApiServer server(prometheus->url(), {{"DEBUG_ENDPOINTS", "true"}});
  ASSERT_TRUE(server.AwaitReady());
  const auto finished = Doctor(server.port());
  EXPECT_EQ(finished.exit_code, 1) << finished.output << finished.errors;
  // A board that moves by whole watts may well be idle; half a watt that never moves is proof.
  EXPECT_TRUE(Holds(finished.output, "WARNING  1 scrape target is frozen")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "dcgm, e2")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "1 scrape target of a GPU exporter is down: job dcgm, e0"))
      << finished.output;
  EXPECT_TRUE(Holds(finished.output, "info     1 scrape target shows the same values for 15"))
      << finished.output;
  EXPECT_TRUE(Holds(finished.output, "dcgm, e1")) << finished.output;
}

TEST(DoctorTest, WithoutAGpuTheNextStepIsAnExporter) {
  const auto prometheus = Prometheus::Holding("# TYPE up gauge\nup{job=\"x\",instance=\"y\"} 1 " +
                                              std::to_string(std::time(nullptr)) + "\n# EOF\n");
  ApiServer server(prometheus->url(), {{"DEBUG_ENDPOINTS", "true"}});
  ASSERT_TRUE(server.AwaitReady());
  const auto finished = Doctor(server.port());
  EXPECT_EQ(finished.exit_code, 1) << finished.output << finished.errors;
  EXPECT_TRUE(Holds(finished.output, "no series of a known GPU exporter")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "next: check that an exporter runs")) << finished.output;
  EXPECT_FALSE(Holds(finished.output, "debug endpoints")) << finished.output;
}

TEST(DoctorTest, WithoutTheDebugRouteItSaysHowToSwitchItOn) {
  Subject subject;
  const auto finished = Doctor(subject.server.port());
  EXPECT_LE(finished.exit_code, 1) << finished.errors;
  EXPECT_TRUE(Holds(finished.output, "DEBUG_ENDPOINTS=true")) << finished.output;
  EXPECT_TRUE(Holds(finished.output, "EXPORTERS")) << finished.output;
}

TEST(DoctorTest, WhatPrometheusDidNotAnswerIsNoMatterOfDebugEndpoints) {
  Subject subject(Environment{{"CACHE_TTL", "0s"}});
  subject.upstream.SetScript([](const fault::Request& request) {
    return Asks(request, "nvidia_gpu_temperature_celsius") ? fault::HttpStatus(500)
                                                           : FleetReply(request);
  });
  const auto finished = Doctor(subject.server.port(), {"-f", "json"});
  EXPECT_EQ(finished.exit_code, 1) << finished.errors;
  const auto document = json::ParseDocument(finished.output);
  ASSERT_TRUE(document) << finished.output;
  const Value& failed = (*document)["findings"][0];
  EXPECT_EQ(TextOf(failed["finding"]),
            "nvidia_gpu_temperature_celsius: query failed (upstream_error)");
  EXPECT_TRUE(Holds(TextOf(failed["next_step"]), "the server's log")) << finished.output;
}

TEST(DoctorTest, AGpuThatIsNotThereIsWrongUsage) {
  Subject subject(Environment{{"DEBUG_ENDPOINTS", "true"}});
  const auto finished = Doctor(subject.server.port(), {"--node", "nowhere", "--gpu", "0"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_TRUE(Holds(finished.errors, "there is no such GPU")) << finished.errors;
}

TEST(DoctorTest, AServerThatCannotBeAskedIsOneLine) {
  const auto unreachable = Doctor(FreePort());
  EXPECT_EQ(unreachable.exit_code, 3);
  EXPECT_EQ(unreachable.output, "");
  EXPECT_TRUE(Holds(unreachable.errors, "cannot be asked")) << unreachable.errors;
  EXPECT_EQ(std::count(unreachable.errors.begin(), unreachable.errors.end(), '\n'), 1);
  fault::FaultServer other(
      [](const fault::Request&) { return fault::HttpStatus(200, "hello", "text/plain"); });
  const auto wrong = Doctor(other.port());
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_TRUE(Holds(wrong.errors, "is this a gpu-monitoring-api?")) << wrong.errors;
}

TEST(DoctorTest, AnotherServerIsNoEmptyCluster) {
  const std::string schema =
      R"({"success":true,"data":{"as_of":"2024-01-01T12:00:00Z","gpus":1,"exporters":[],"fields":[]}})";
  const auto says = [](const std::string& schemas, const std::string& metrics) {
    fault::FaultServer server([=](const fault::Request& request) {
      const bool of_schema = request.target.find("/schema") != std::string::npos;
      return fault::HttpStatus(200, of_schema ? schemas : metrics, "application/json");
    });
    const auto finished = Doctor(server.port());
    EXPECT_EQ(finished.exit_code, 3) << finished.output;
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(finished.errors.ends_with("; is this a gpu-monitoring-api?\n")) << finished.errors;
    return finished.errors;
  };
  for (const std::string data :
       {R"({"success":true})", R"({"success":true,"data":[]})",
        R"({"success":true,"data":{"exporters":[],"fields":[]}})",
        R"({"success":true,"data":{"as_of":"x","gpus":1,"exporters":5,"fields":"x"}})",
        R"({"success":true,"data":{"as_of":"x","gpus":1,"exporters":[5],"fields":[]}})",
        R"({"success":true,"data":{"as_of":"x","exporters":[],"fields":[]}})",
        R"({"success":true,"data":{"as_of":"x","gpus":-1,"exporters":[],"fields":[]}})"}) {
    EXPECT_TRUE(Holds(says(data, data), "/api/v1/gpu/schema answered without ")) << data;
  }
  for (const std::string data :
       {R"({"success":true,"data":{}})", R"({"success":true,"data":[7],"meta":{"total":1}})"}) {
    EXPECT_TRUE(Holds(says(schema, data), "/api/v1/gpu/metrics answered without ")) << data;
  }
  const std::string row = R"({"success":true,"data":[{"uuid":"u"}],"meta":{"total":1}})";
  EXPECT_TRUE(Holds(says(schema, row), "/api/v1/debug/join answered without "));
}

TEST(DoctorTest, ATokenIsShownToTheServer) {
  const process::ScratchDirectory directory;
  const std::string token = directory.Write("token", "s3cret\n");
  Subject subject(Environment{{"API_BEARER_TOKEN_FILE", token}});
  EXPECT_EQ(Doctor(subject.server.port()).exit_code, 3);
  EXPECT_LE(Doctor(subject.server.port(), {"--token-file", token}).exit_code, 1);
}

TEST(DoctorTest, WrongUsageIsOneLineThatNamesIt) {
  struct Row {
    std::vector<std::string> arguments;
    std::string says;
  };
  const std::vector<Row> rows = {
      {{}, "gpuctl: a command is missing; see gpuctl --help\n"},
      {{"qwertz"}, "gpuctl: unexpected command \"qwertz\"; see gpuctl --help\n"},
      {{"--help=1"}, "gpuctl: --help takes no value; see gpuctl --help\n"},
      {{"help", "qwertz"}, "gpuctl: unexpected command \"qwertz\"; see gpuctl --help\n"},
      {{"docter"},
       "gpuctl: unexpected command \"docter\", the nearest is doctor; see gpuctl --help\n"},
      {{"--server=http://me:hidden-word@x"},
       "gpuctl: unknown flag \"--server\"; the command comes first: gpuctl COMMAND [flags]; see "
       "gpuctl --help\n"},
      {{"help", "doctor", "x"}, "\"x\""},
      {{"doctor", "--nod", "x"}, "\"--nod\""},
      {{"doctor", "--node", "x"}, "--node"},
      {{"doctor", "--uuid", "x", "--gpu", "1"}, "--uuid"},
      {{"doctor", "-f", "xml"}, "\"xml\""},
      {{"doctor", "--server", "localhost:8080"}, "\"localhost:8080\""},
      {{"doctor", "--server", "http://127.0.0.1:1/?x=1"},
       " has a query; allowed: an http or https URL without query and fragment\n"},
      {{"doctor", "--server", "http://127.0.0.1:1/#x"}, "has a fragment"},
      {{"doctor", "--server", "http://"}, "has no valid host name"}};
  for (const Row& row : rows) {
    const auto finished = process::Run(CtlProgram(), row.arguments);
    EXPECT_EQ(finished.exit_code, 2) << finished.output << finished.errors;
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(Holds(finished.errors, row.says)) << finished.errors;
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
        << finished.errors;
  }
}

TEST(DoctorTest, HelpIsWholeAndFits) {
  const auto help = process::Run(CtlProgram(), {"doctor", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  ExpectFits(help.output);
  for (const std::string part : {"--server", "--token-file", "-f WORD", "Exit codes", "Examples"}) {
    EXPECT_TRUE(Holds(help.output, part)) << part;
  }
  EXPECT_EQ(process::Run(CtlProgram(), {"help", "doctor"}).output, help.output);
  EXPECT_TRUE(Holds(process::Run(CtlProgram(), {"--help"}).output, "doctor"));
  EXPECT_EQ(process::Run(CtlProgram(), {"--version"}).exit_code, 0);
}

}  // namespace
}  // namespace gpumon::e2e
