#include <zlib.h>

#include <cmath>

#include "handlers/about.h"
#include "models/fields.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using GpuTest = HandlersTest;

std::string Gunzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out(1 << 20, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::vector<std::string> Ids(const json::Value& answer) {
  std::vector<std::string> ids;
  for (const auto& row : answer["data"].elements()) {
    ids.push_back(*row["node_name"].AsString() + '/' + *row["gpu_id"].AsString());
  }
  return ids;
}

TEST_F(GpuTest, ARowHasTheRequirementsKeysInItsUnits) {
  Serve(ThreeGpus());
  const auto answer = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  const std::string expected =
      R"({"node_name":"a","gpu_index":0,"gpu_name":"NVIDIA Tesla V100","utilization":75.5,)"
      R"("memory_used":8.0,"memory_total":16.0,"memory_free":8.0,"memory_utilization":50.5,)"
      R"("temperature":65.0,"timestamp":"2024-01-01T11:59:59Z")";
  EXPECT_NE(answer.body().find(expected), std::string::npos) << answer.body();
  const auto json = answer.json();
  EXPECT_EQ(json["success"].AsBool(), true);
  EXPECT_EQ(*json["message"].AsString(), "GPU metrics retrieved successfully");
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_EQ(json["data"][0]["memory_used_bytes"].AsDouble(), 8.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(json["data"][0]["sample_age_seconds"].AsDouble(), 1.5);
}

TEST_F(GpuTest, AProcessRowHasTheRequirementsKeysInItsUnits) {
  Serve(TwoProcesses());
  const auto answer = Get("/api/v1/gpu/processes");
  const std::string expected =
      R"({"node_name":"gpu-node-1","gpu_index":0,"pid":1234,"process_name":"python",)"
      R"("user":"alice","command":"python train.py","gpu_memory":1024,"cpu":8.5,)"
      R"("memory":15.2,"timestamp":"2024-01-01T12:00:00Z")";
  EXPECT_NE(answer.body().find(expected), std::string::npos) << answer.body();
  EXPECT_EQ(*answer.json()["message"].AsString(), "GPU processes retrieved successfully");
}

TEST_F(GpuTest, WhatWasNotMeasuredIsNullWithAReason) {
  Serve(ThreeGpus());
  const auto json = Get("/api/v1/gpu/metrics").json();
  const auto& row = json["data"][1];
  EXPECT_NE(row.Find("temperature"), nullptr);
  EXPECT_TRUE(row["temperature"].is_null());
  EXPECT_EQ(*row["null_reasons"]["temperature"].AsString(), "not_exported");
  EXPECT_EQ(row["utilization"].AsDouble(), 0.0);
  EXPECT_TRUE(json["data"][2]["gpu_index"].is_null());
  EXPECT_EQ(json["data"][0]["null_reasons"].size(), 0U);
}

TEST_F(GpuTest, WhatNobodyExportsIsSaidOnceInMetaAndAllElseInItsRow) {
  auto snapshot = ThreeGpus();
  const auto absent = [&](models::Quantity quantity, models::NullReason reason) {
    for (auto& row : snapshot->gpus) {
      row.readings.SetAbsent(static_cast<std::size_t>(quantity), reason);
    }
  };
  absent(models::Quantity::kTemperature, models::NullReason::kQueryFailed);
  absent(models::Quantity::kMemoryFree, models::NullReason::kNotExported);
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/metrics").json();
  EXPECT_EQ(*json["meta"]["null_reasons"]["memory_free"].AsString(), "not_exported");
  EXPECT_EQ(json["meta"]["null_reasons"].Find("temperature"), nullptr);
  for (const auto& row : json["data"].elements()) {
    EXPECT_EQ(*row["null_reasons"]["temperature"].AsString(), "query_failed");
    EXPECT_EQ(row["null_reasons"].Find("memory_free"), nullptr);
  }
}

TEST_F(GpuTest, CommandsThatTheConfigurationHidesAreNotCalledUnexported) {
  settings_.commands_hidden = true;
  auto processes = TwoProcesses();
  for (auto& row : processes->processes) row.set_text(models::Text::kCommand, "");
  Serve(processes);
  Serve(ThreeGpus());
  for (const std::string query : {"", "?limit=1", "?fields=pid,command"}) {
    const auto json = Get("/api/v1/gpu/processes" + query).json();
    EXPECT_TRUE(json["data"][0]["command"].is_null());
    EXPECT_EQ(*json["meta"]["null_reasons"]["command"].AsString(), "hidden") << query;
    EXPECT_EQ(json["data"][0]["null_reasons"].Find("command"), nullptr);
  }
  const auto fields = Get("/api/v1/gpu/schema").json()["data"]["fields"];
  const auto& all = fields.elements();
  const auto command = std::find_if(all.begin(), all.end(), [](const json::Value& field) {
    return *field["field"].AsString() == "command";
  });
  ASSERT_NE(command, all.end());
  EXPECT_EQ((*command)["reasons"]["hidden"].AsInteger(), 2);
  EXPECT_EQ((*command)["reasons"].size(), 1U);
}

TEST_F(GpuTest, WhoAsksForSomeFieldsHearsOfThoseAlone) {
  auto snapshot = ThreeGpus();
  for (auto& row : snapshot->gpus) {
    for (const auto quantity : {models::Quantity::kMemoryFree, models::Quantity::kTemperature}) {
      row.readings.SetAbsent(static_cast<std::size_t>(quantity), models::NullReason::kNotExported);
    }
  }
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/metrics?fields=gpu_id,temperature").json();
  EXPECT_EQ(json["meta"]["null_reasons"].size(), 1U);
  EXPECT_EQ(*json["meta"]["null_reasons"]["temperature"].AsString(), "not_exported");
}

TEST_F(GpuTest, AnIdThatIsNoIndexHasNone) {
  auto snapshot = ThreeGpus();
  snapshot->gpus[1].gpu_index = models::GpuMetrics::kNoIndex;
  snapshot->gpus[1].set_text(models::Text::kGpuId, "abc");
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/metrics").json();
  EXPECT_TRUE(json["data"][1]["gpu_index"].is_null());
  EXPECT_EQ(*json["data"][1]["null_reasons"]["gpu_index"].AsString(), "not_supported");
}

TEST_F(GpuTest, UserKeepsTheGpusThatTheirProcessesRunOn) {
  auto gpus = ThreeGpus();
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  auto& process = processes->processes.emplace_back();
  process.set_text(models::Text::kNode, gpus->gpus[1].text(models::Text::kNode));
  process.set_text(models::Text::kGpuId, gpus->gpus[1].text(models::Text::kGpuId));
  process.set_text(models::Text::kUser, "alice");
  Serve(gpus);
  Serve(processes);
  const auto hers = Get("/api/v1/gpu/metrics?user=al*").json();
  ASSERT_EQ(hers["data"].size(), 1U);
  EXPECT_EQ(*hers["data"][0]["gpu_id"].AsString(), gpus->gpus[1].text(models::Text::kGpuId));
  EXPECT_EQ(Get("/api/v1/gpu/metrics?user=bob").json()["data"].size(), 0U);
  EXPECT_EQ(Get("/api/v1/gpu/metrics?user=alice&node=nowhere").json()["data"].size(), 0U);
}

TEST_F(GpuTest, UserKeepsTheMigInstanceOfTheirProcess) {
  auto gpus = std::make_shared<models::Snapshot>();
  for (const std::string_view instance : {"", "1", "2"}) {
    auto& row = gpus->gpus.emplace_back();
    row.set_text(models::Text::kNode, "n");
    row.set_text(models::Text::kGpuId, "0");
    row.set_text(models::Text::kUuid, "GPU-1");
    row.set_text(models::Text::kMigGpuInstance, instance);
  }
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  for (const auto& [user, instance] : {std::pair("alice", "2"), std::pair("bob", "")}) {
    auto& process = processes->processes.emplace_back();
    process.set_text(models::Text::kNode, "n");
    process.set_text(models::Text::kGpuId, "0");
    process.set_text(models::Text::kUuid, "GPU-1");
    process.set_text(models::Text::kMigGpuInstance, instance);
    process.set_text(models::Text::kUser, user);
  }
  Serve(gpus);
  Serve(processes);
  const auto hers = Get("/api/v1/gpu/metrics?user=alice").json();
  ASSERT_EQ(hers["data"].size(), 1U);
  EXPECT_EQ(*hers["data"][0]["mig"]["gpu_instance_id"].AsString(), "2");
  // Nobody tells which part of it is his.
  EXPECT_EQ(Get("/api/v1/gpu/metrics?user=bob").json()["data"].size(), 3U);
}

TEST_F(GpuTest, AFilterByTheOtherListTellsWhatIsWrongWithThat) {
  Serve(ThreeGpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  processes->partial = true;
  processes->warnings = {"nvidia_gpu_process_info: query failed (upstream_timeout)"};
  source_.processes = gpu::Got{processes, true, {Code::kUpstreamTimeout, "late"}, 5};
  const auto json = Get("/api/v1/gpu/metrics?user=alice").json();
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_TRUE(*json["meta"]["stale"].AsBool());
  ASSERT_EQ(json["warnings"].size(), 2U);
  EXPECT_NE(json["warnings"][0].AsString()->find("stale: "), std::string::npos);
  EXPECT_EQ(*json["warnings"][1].AsString(),
            "processes: nvidia_gpu_process_info: query failed (upstream_timeout)");
  EXPECT_FALSE(*Get("/api/v1/gpu/metrics").json()["meta"]["stale"].AsBool());
}

TEST_F(GpuTest, ProcessesAreFoundByWhatTheirGpuSays) {
  auto gpus = ThreeGpus();
  gpus->gpus[0].set_text(models::Text::kUuid, "GPU-0");
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  for (int pid = 1; pid <= 3; ++pid) {
    auto& process = processes->processes.emplace_back();
    const auto& gpu = gpus->gpus[pid == 3 ? 1 : 0];
    process.pid = pid;
    process.set_text(models::Text::kNode, gpu.text(models::Text::kNode));
    process.set_text(models::Text::kGpuId, gpu.text(models::Text::kGpuId));
  }
  // What a process says of itself counts before its GPU's.
  processes->processes[1].set_text(models::Text::kPod, "mine");
  ASSERT_EQ(gpus->gpus[0].text(models::Text::kPod), "train-0");
  Serve(gpus);
  Serve(processes);
  const auto pids = [&](const std::string& filter) {
    std::string text;
    const auto json = Get("/api/v1/gpu/processes?" + filter).json();
    for (const auto& row : json["data"].elements()) {
      text += std::to_string(static_cast<int>(row["pid"].AsDouble().value_or(0)));
    }
    return text;
  };
  EXPECT_EQ(pids("uuid=GPU-0"), "12");
  EXPECT_EQ(pids("uuid=GPU-0&pod=train-0"), "1");
  EXPECT_EQ(pids("pod=mine"), "2");
  EXPECT_EQ(pids("uuid=GPU-9"), "");
  EXPECT_EQ(pids("model=*"), "123");
}

TEST_F(GpuTest, ProcessesOfAMigInstanceAreFoundByItsUuid) {
  const auto gpus = ThreeGpus();
  const auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string_view instance = i == 0 ? "7" : "9";
    gpus->gpus[i].set_text(models::Text::kNode, "a");
    gpus->gpus[i].set_text(models::Text::kGpuId, "0");
    gpus->gpus[i].set_text(models::Text::kUuid, "GPU-0a");
    gpus->gpus[i].set_text(models::Text::kMigGpuInstance, instance);
    gpus->gpus[i].set_text(models::Text::kMigUuid, i == 0 ? "MIG-0a" : "MIG-0b");
    auto& process = processes->processes.emplace_back();
    process.pid = static_cast<int>(i) + 1;
    process.set_text(models::Text::kNode, "a");
    process.set_text(models::Text::kGpuId, "0");
    process.set_text(models::Text::kUuid, "GPU-0a");
    process.set_text(models::Text::kMigGpuInstance, instance);
  }
  Serve(gpus);
  Serve(processes);
  const auto found = [&](const std::string& uuid) {
    return Get("/api/v1/gpu/processes?uuid=" + uuid).json()["data"].size();
  };
  EXPECT_EQ(found("MIG-0B"), 1U);
  EXPECT_EQ(found("MIG-*"), 2U);
  EXPECT_EQ(found("GPU-0A"), 2U);
  EXPECT_EQ(found("MIG-0c"), 0U);
  // nvitop's say the instance's UUID alone.
  for (std::size_t i = 0; i < 2; ++i) {
    auto& process = processes->processes[i];
    process.set_text(models::Text::kGpuId, "");
    process.set_text(models::Text::kUuid, "");
    process.set_text(models::Text::kMigGpuInstance, "");
    process.set_text(models::Text::kMigUuid, i == 0 ? "MIG-0a" : "MIG-0b");
  }
  Serve(processes);
  EXPECT_EQ(found("MIG-0b"), 1U);
  EXPECT_EQ(found("GPU-0a"), 2U) << "by the GPU that has the instance";
  EXPECT_EQ(found("GPU-0b"), 0U);
}

TEST_F(GpuTest, ProcessesThatSayTheirGpuAreFoundWithoutTheGpus) {
  auto processes = TwoProcesses();
  processes->processes[0].set_text(models::Text::kUuid, "GPU-0");
  processes->processes[0].set_text(models::Text::kPod, "train-0");
  Serve(processes);
  source_.gpus = Error(Code::kUpstreamTimeout, "Prometheus did not answer in time");
  for (const std::string filter : {"uuid=GPU-0", "pod=train-*", "uuid=GPU-*&pod=train-0"}) {
    const auto answer = Get("/api/v1/gpu/processes?" + filter);
    ASSERT_EQ(answer.status(), 200) << answer.body();
    const auto json = answer.json();
    ASSERT_EQ(json["data"].size(), 1U) << filter;
    EXPECT_EQ(json["data"][0]["pid"].AsInteger(), 1234);
    EXPECT_EQ(json["meta"]["partial"].AsBool(), true);
    EXPECT_EQ(*json["warnings"][0].AsString(),
              "gpus: not known (upstream_timeout); processes were chosen by what they say "
              "themselves");
  }
  EXPECT_EQ(Get("/api/v1/gpu/processes?uuid=GPU-0&format=csv").header("Warning"),
            "199 - \"partial: some queries failed\"");
  const auto none = Get("/api/v1/gpu/processes?model=*");
  EXPECT_EQ(none.status(), 200);
  EXPECT_EQ(none.json()["data"].size(), 0U);
  EXPECT_EQ(Get("/api/v1/gpu/processes?uuid=GPU-0&partial=abort").status(), 504);
  source_.processes = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  EXPECT_EQ(Get("/api/v1/gpu/processes?uuid=GPU-0").status(), 502);
}

TEST_F(GpuTest, WhatNeedsBothListsAsksForThemAtOnce) {
  for (const std::string path : {"/api/v1/gpu/processes?uuid=GPU-0", "/api/v1/gpu/schema",
                                 "/api/v1/gpu/metrics?user=alice"}) {
    source_.holding = true;
    auto answer = Begin(RequestOf(path));
    EXPECT_EQ(source_.held.size(), 2U) << path;
    source_.Release();
    EXPECT_EQ(answer.get().status, 502) << path;
  }
}

TEST_F(GpuTest, TheFutureIsNotAsked) {
  Serve(ThreeGpus());
  for (const char* at :
       {"2100-01-01T00:00:00Z", "4102444800", "9999999999", "9999-12-31T23:59:59Z"}) {
    const auto answer = Get(std::string("/api/v1/gpu/metrics?at=") + at);
    EXPECT_EQ(answer.status(), 400) << at;
    EXPECT_NE(answer.json()["error"].AsString()->find("'at' lies in the future"), std::string::npos)
        << at << ": " << answer.body();
  }
}

TEST_F(GpuTest, EveryRowHasEveryKeyThatSomeRowHas) {
  Serve(ThreeGpus());
  const auto json = Get("/api/v1/gpu/metrics").json();
  std::vector<std::string> first;
  for (const auto& [name, value] : json["data"][0].members()) first.push_back(name);
  EXPECT_NE(std::find(first.begin(), first.end(), "workloads"), first.end());
  EXPECT_EQ(std::find(first.begin(), first.end(), "uuid"), first.end()) << "nobody has one";
  for (const auto& row : json["data"].elements()) {
    std::vector<std::string> names;
    for (const auto& [name, value] : row.members()) names.push_back(name);
    EXPECT_EQ(names, first);
  }
  EXPECT_EQ(*json["data"][0]["workloads"][0]["pod"].AsString(), "train-0");
  EXPECT_TRUE(json["data"][1]["workloads"].is_array());
  EXPECT_EQ(json["data"][1]["workloads"].size(), 0U);
}

TEST_F(GpuTest, AnEmptyClusterIsAnEmptyList) {
  Serve(std::make_shared<models::Snapshot>());
  const auto answer = Get("/api/v1/gpu/metrics");
  EXPECT_NE(answer.body().find(R"("data":[])"), std::string::npos);
  EXPECT_EQ(answer.json()["meta"]["total"].AsInteger(), 0);
}

TEST_F(GpuTest, AnErrorIsAnEnvelopeWithItsCode) {
  const auto answer = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(answer.body(),
            R"({"success":false,"data":null,"message":null,)"
            R"("error":"Prometheus cannot be reached","code":"upstream_unreachable"})");
}

TEST_F(GpuTest, RetryAfterStandsInAHeader) {
  source_.gpus = Error(Status{Code::kUpstreamThrottled, "Prometheus asks for patience", {}, 7});
  const auto answer = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer.header("Retry-After"), "7");
}

TEST_F(GpuTest, AStaleAnswerSaysSo) {
  Serve(ThreeGpus());
  source_.gpus->stale = true;
  source_.gpus->why = Status{Code::kUpstreamTimeout, "Prometheus did not answer"};
  source_.gpus->age_seconds = 12.9;
  const auto answer = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("Age"), "12");
  const auto json = answer.json();
  EXPECT_EQ(json["meta"]["stale"].AsBool(), true);
  EXPECT_NE(json["warnings"][0].AsString()->find("upstream_timeout"), std::string::npos);
  EXPECT_NE(metrics_.Text().find("stale_served_total 1"), std::string::npos);
  EXPECT_EQ(Get("/api/v1/gpu/metrics?limit=1").status(), 200);
  EXPECT_NE(metrics_.Text().find("stale_served_total 2"), std::string::npos);
  Serve(TwoProcesses());
  const auto schema = Get("/api/v1/gpu/schema").json();
  ASSERT_GT(schema["warnings"].size(), 0U);
  EXPECT_EQ(*schema["warnings"][0].AsString(), *json["warnings"][0].AsString());
  EXPECT_NE(metrics_.Text().find("stale_served_total 3"), std::string::npos);
}

TEST_F(GpuTest, StaleNeverReachesTheSource) {
  Serve(ThreeGpus());
  Get("/api/v1/gpu/metrics?stale=never");
  EXPECT_FALSE(source_.wants.back().allow_stale);
}

TEST_F(GpuTest, PartialAbortTurnsAPartialAnswerIntoAnError) {
  auto snapshot = ThreeGpus();
  snapshot->partial = true;
  snapshot->warnings = {"nvidia_gpu_temperature_celsius: query failed (upstream_error)"};
  Serve(snapshot);
  const auto whole = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(whole.status(), 200);
  EXPECT_EQ(whole.json()["meta"]["partial"].AsBool(), true);
  EXPECT_EQ(whole.json()["warnings"].size(), 1U);
  const auto aborted = Get("/api/v1/gpu/metrics?partial=abort");
  EXPECT_EQ(aborted.status(), 502);
  EXPECT_EQ(*aborted.json()["code"].AsString(), "upstream_partial");
}

TEST_F(GpuTest, AtAsksForThatInstant) {
  Serve(ThreeGpus());
  EXPECT_EQ(Get("/api/v1/gpu/metrics?at=2024-01-01T11:00:00.250Z").status(), 200);
  ASSERT_TRUE(source_.wants.back().at.has_value());
  EXPECT_EQ(source_.wants.back().at->time_since_epoch().count(), 1704106800250);
}

TEST_F(GpuTest, TheDeadlineIsTheRequestsOwn) {
  Serve(ThreeGpus());
  settings_.request_timeout = Millis(3000);
  Get("/api/v1/gpu/metrics");
  EXPECT_EQ(source_.deadlines.back().at(), clock_.Steady() + Millis(3000));
}

TEST_F(GpuTest, FiltersCombine) {
  Serve(ThreeGpus());
  const auto ids = [&](const std::string& query) {
    return Ids(Get("/api/v1/gpu/metrics?" + query).json());
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(ids("node=a"), (List{"a/0", "a/1"}));
  EXPECT_EQ(ids("node=a&node=b&gpu=x"), (List{"b/x"}));
  EXPECT_EQ(ids("node=*"), (List{"a/0", "a/1", "b/x"}));
  EXPECT_EQ(ids("model=*tesla*"), List{});
  EXPECT_EQ(ids("model=*Tesla*&min_utilization=12"), (List{"a/0", "b/x"}));
  EXPECT_EQ(ids("max_temperature=50"), (List{"b/x"})) << "a null passes no bound";
  EXPECT_EQ(ids("pod=train-*"), (List{"a/0"}));
  EXPECT_EQ(ids("uuid=*"), List{}) << "absent is not any";
}

TEST_F(GpuTest, AMigInstanceIsFoundByItsOwnUuidAndItsGpus) {
  const auto snapshot = ThreeGpus();
  snapshot->gpus[1].set_text(models::Text::kUuid, "GPU-1");
  snapshot->gpus[1].set_text(models::Text::kMigUuid, "MIG-GPU-1/7/0");
  Serve(snapshot);
  for (const std::string uuid : {"GPU-1", "gpu-1", "MIG-GPU-1/7/0", "mig-gpu-1/7/0", "MIG-*"}) {
    EXPECT_EQ(Ids(Get("/api/v1/gpu/metrics?uuid=" + uuid).json()), std::vector<std::string>{"a/1"})
        << uuid;
  }
}

TEST_F(GpuTest, FiltersOfAWorkloadAreMetByOneOfThem) {
  const auto snapshot = ThreeGpus();
  snapshot->workloads = {{.name_space = "ml", .pod = "train-0", .container = {}},
                         {.name_space = "web", .pod = "chat-0", .container = {}}};
  snapshot->gpus[0].workload_count = 2;
  Serve(snapshot);
  const auto ids = [&](const std::string& query) {
    return Ids(Get("/api/v1/gpu/metrics?" + query).json());
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(ids("namespace=ml&pod=train-0"), (List{"a/0"}));
  EXPECT_EQ(ids("namespace=web&pod=chat-0"), (List{"a/0"}));
  EXPECT_EQ(ids("namespace=ml&pod=chat-0"), List{}) << "of two pods that share the GPU";
  EXPECT_EQ(ids("namespace=web&pod=train-0"), List{});
  EXPECT_EQ(ids("namespace=web&namespace=ml&pod=chat-0"), (List{"a/0"})) << "either namespace";
  EXPECT_EQ(ids("namespace=web"), (List{"a/0"}));
}

TEST_F(GpuTest, ReasonsAreToldOfTheFieldsAskedForAlone) {
  const auto snapshot = ThreeGpus();
  for (const auto quantity : {models::Quantity::kPower, models::Quantity::kEnergy}) {
    snapshot->missing_gpu[static_cast<std::size_t>(quantity)] = models::NullReason::kNotExported;
  }
  Serve(snapshot);
  const auto reasons = [&](const std::string& fields) {
    return Get("/api/v1/gpu/metrics?fields=" + fields).json()["meta"]["null_reasons"].size();
  };
  EXPECT_EQ(reasons("node_name,power"), 1U);
  EXPECT_EQ(reasons("power,energy"), 2U);
  EXPECT_EQ(reasons("node_name"), 0U);
}

TEST_F(GpuTest, SortingPutsNullsLastBothWays) {
  Serve(ThreeGpus());
  using List = std::vector<std::string>;
  EXPECT_EQ(Ids(Get("/api/v1/gpu/metrics?sort=temperature").json()), (List{"b/x", "a/0", "a/1"}));
  EXPECT_EQ(Ids(Get("/api/v1/gpu/metrics?sort=-temperature").json()), (List{"a/0", "b/x", "a/1"}));
  EXPECT_EQ(Ids(Get("/api/v1/gpu/metrics?sort=-gpu_id").json()), (List{"b/x", "a/1", "a/0"}));
}

TEST_F(GpuTest, PagingKeepsTheTotal) {
  Serve(ThreeGpus());
  const auto json = Get("/api/v1/gpu/metrics?limit=1&offset=1").json();
  EXPECT_EQ(Ids(json), (std::vector<std::string>{"a/1"}));
  EXPECT_EQ(json["meta"]["total"].AsInteger(), 3);
  EXPECT_EQ(json["meta"]["limit"].AsInteger(), 1);
  EXPECT_EQ(json["meta"]["offset"].AsInteger(), 1);
  EXPECT_EQ(Get("/api/v1/gpu/metrics?offset=99").json()["data"].size(), 0U);
}

TEST_F(GpuTest, FieldsChoosesAndOrders) {
  Serve(ThreeGpus());
  const auto answer = Get("/api/v1/gpu/metrics?fields=temperature,node_name&limit=1");
  EXPECT_NE(answer.body().find(R"("data":[{"temperature":65.0,"node_name":"a"}])"),
            std::string::npos);
}

TEST_F(GpuTest, CsvIsATable) {
  auto snapshot = ThreeGpus();
  snapshot->gpus[0].set_text(models::Text::kGpuName, "=cmd|\"x\",1");
  Serve(snapshot);
  const auto answer = Get("/api/v1/gpu/metrics?format=csv&fields=node_name,gpu_name,temperature");
  EXPECT_EQ(answer.header("Content-Type"), "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(answer.body(),
            "node_name,gpu_name,temperature\r\na,\"'=cmd|\"\"x\"\",1\",65\r\n"
            "a,NVIDIA Tesla V100,\r\nb,NVIDIA Tesla V100,40\r\n");
}

TEST_F(GpuTest, AGpuWithoutAPodHasNoWorkloadInCsvEither) {
  Serve(ThreeGpus());
  EXPECT_EQ(Get("/api/v1/gpu/metrics?format=csv&fields=gpu_id,workloads").body(),
            "gpu_id,workloads\r\n0,ml/train-0\r\n1,\r\nx,\r\n");
}

TEST_F(GpuTest, UnknownTimesAreAFailedQuery) {
  auto snapshot = ThreeGpus();
  snapshot->times_failed = snapshot->partial = true;
  for (auto& row : snapshot->gpus) row.newest = row.oldest = std::nan("");
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/metrics").json();
  EXPECT_EQ(*json["data"][0]["null_reasons"]["timestamp"].AsString(), "query_failed");
  EXPECT_EQ(*json["data"][0]["null_reasons"]["sample_age_seconds"].AsString(), "query_failed");
}

TEST_F(GpuTest, AKnownEtagGets304) {
  Serve(ThreeGpus());
  const auto first = Get("/api/v1/gpu/metrics");
  const std::string etag = first.header("ETag");
  EXPECT_TRUE(etag.starts_with("W/\""));
  const auto again = Get("/api/v1/gpu/metrics", {{"If-None-Match", "\"other\", " + etag}});
  EXPECT_EQ(again.status(), 304);
  EXPECT_EQ(again.body(), "");
  EXPECT_EQ(again.header("ETag"), etag);
  // The same rows at another instant are the same answer.
  auto later = ThreeGpus();
  later->as_of += 2;
  for (auto& row : later->gpus) row.oldest += 2;
  Serve(later);
  EXPECT_EQ(Get("/api/v1/gpu/metrics").header("ETag"), etag);
  auto other = ThreeGpus();
  other->warnings = {"1 duplicate series ignored"};
  Serve(other);
  EXPECT_NE(Get("/api/v1/gpu/metrics").header("ETag"), etag);
}

TEST_F(GpuTest, ABodyIsTheSameBytesForTheLifeOfItsSnapshot) {
  Serve(ThreeGpus());
  const auto first = Get("/api/v1/gpu/metrics");
  clock_.Advance(Millis(1500));
  const auto second = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(first.raw.body, second.raw.body) << "shared, not made again";
}

TEST_F(GpuTest, GzipHoldsTheSameBytes) {
  Serve(ThreeGpus());
  for (const std::string query : {"", "?gpu=*"}) {
    const auto identity = Get("/api/v1/gpu/metrics" + query);
    const auto packed = Get("/api/v1/gpu/metrics" + query, {{"Accept-Encoding", "gzip"}});
    ASSERT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(Gunzip(packed.body()), identity.body());
  }
}

TEST_F(GpuTest, FieldsRouteListsBothTables) {
  const auto json = Get("/api/v1/gpu/fields").json();
  EXPECT_EQ(json["data"].size(), models::kGpuFields.size() + models::kProcessFields.size());
  EXPECT_EQ(*json["data"][0]["name"].AsString(), "node_name");
  EXPECT_EQ(*json["message"].AsString(), "Fields retrieved successfully");
}

TEST_F(GpuTest, FieldsAreCachedAndCompressedLikeLists) {
  const auto first = Get("/api/v1/gpu/fields");
  const std::string etag = first.header("ETag");
  EXPECT_TRUE(etag.starts_with("W/\"")) << etag;
  EXPECT_EQ(first.header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(first.header("Vary"), "Accept-Encoding");
  const auto again = Get("/api/v1/gpu/fields", {{"If-None-Match", etag}});
  EXPECT_EQ(again.status(), 304);
  EXPECT_EQ(again.body(), "");
  EXPECT_EQ(again.header("ETag"), etag);
  const auto packed = Get("/api/v1/gpu/fields", {{"Accept-Encoding", "gzip"}});
  ASSERT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(Gunzip(packed.body()), first.body());
  EXPECT_NE(OpenApiDocument(settings_).find("\"304\"",
                                            OpenApiDocument(settings_).find("/api/v1/gpu/fields")),
            std::string::npos);
}

}  // namespace
}  // namespace gpumon::handlers
