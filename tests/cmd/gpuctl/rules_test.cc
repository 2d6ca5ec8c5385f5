// gpuctl rules against a server that answers as the API does, and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using fault::Json;
using process::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RulesTest : public testing::Test {
 protected:
  static std::string Found(const std::string& exporters) {
    return R"({"success":true,"data":{"as_of":"2026-11-29T08:00:00Z","gpus":3,"exporters":[)" +
           exporters + R"(],"fields":[]},"message":"","error":null})";
  }
  Finished Rules(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "rules");
    return process::Run(GPUMON_CTL, arguments, {{"GPUCTL_SERVER", server_.url()}});
  }
  void ExpectRefused(std::vector<std::string> arguments, const std::string& says) const {
    const Finished ran = Rules(std::move(arguments));
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_EQ(ran.output, "");
    EXPECT_THAT(ran.errors, AllOf(StartsWith("gpuctl: "), HasSubstr(says)));
    EXPECT_EQ(server_.request_count(), 0U);
  }
  fault::FaultServer server_;
};

TEST_F(RulesTest, TheyAreForTheExportersThatShowGpus) {
  server_.SetReply(Json(Found(R"({"name":"dcgm","gpus":8,"processes":0},
                                 {"name":"nvidia_smi","gpus":0,"processes":3},
                                 {"name":"gpud","gpus":2,"processes":0})")));
  const Finished ran = Rules({});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  ASSERT_EQ(server_.request_count(), 1U);
  EXPECT_EQ(server_.requests()[0].target, "/api/v1/gpu/schema");
  EXPECT_THAT(
      ran.output,
      AllOf(StartsWith("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"),
            HasSubstr("- name: gpu-monitoring.dcgm\n"), HasSubstr("- name: gpu-monitoring.gpud\n"),
            HasSubstr("- name: gpu-monitoring.api\n"),
            Not(HasSubstr("gpu-monitoring.nvidia_smi"))));
}

TEST_F(RulesTest, WithASchemaNobodyIsAsked) {
  const Finished ran = Rules({"--schema", "hami", "-o", "prometheus", "--api=false"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.output, AllOf(StartsWith("groups:\n  # For HAMi 2.9 and later"),
                                HasSubstr("no xid_last: gpu_monitoring:gpu_xid, GpuXidReset"),
                                Not(HasSubstr("GpuMonitoring"))));
  EXPECT_EQ(server_.request_count(), 0U);
}

TEST_F(RulesTest, ThresholdsBaseAndLabelsAreThoseThatAreGiven) {
  const Finished ran =
      Rules({"--schema=dcgm", "--health-rules", "temperature_critical=90", "--runbook-base",
             "https://docs.example/RUNBOOKS.md", "--name=gpu-alerts", "-n", "monitoring", "--label",
             "release=kps,team=ml"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(
      ran.output,
      AllOf(HasSubstr("metadata:\n  name: \"gpu-alerts\"\n  namespace: \"monitoring\"\n  labels:\n"
                      "    release: \"kps\"\n    team: \"ml\"\n"),
            HasSubstr("gpu_monitoring:gpu_temperature_celsius{exporter=\"dcgm\"} > 90\n"),
            HasSubstr("runbook_url: \"https://docs.example/RUNBOOKS.md#gpuhot\"\n")));
}

TEST_F(RulesTest, WhatIsWrongIsNamed) {
  ExpectRefused({"--schema", "dcmg"}, "the nearest is dcgm");
  ExpectRefused({"--schema", "dcgm", "--name", "Gpu"}, "--name");
  ExpectRefused({"--schema", "dcgm", "-n", "a_b"}, "--namespace");
  ExpectRefused({"--schema", "dcgm", "--label", "release"}, "--label");
  ExpectRefused({"--schema", "dcgm", "--label", "a=\"b"}, "--label");
  ExpectRefused({"--schema", "dcgm", "--runbook-base", "ftp://x"}, "--runbook-base");
  ExpectRefused({"--schema", "dcgm", "--health-rules", "temperature=1"}, "--health-rules");
  ExpectRefused({"--schema", "dcgm", "-o", "json"}, "--output");
}

TEST_F(RulesTest, WhereNothingIsFoundThatIsSaid) {
  server_.SetReply(Json(Found("")));
  const Finished none = Rules({});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(none.output, "");
  EXPECT_THAT(none.errors, HasSubstr("has found no GPU exporter; gpuctl doctor says more"));
  server_.SetReply(Json(Found(R"({"name":"ours","gpus":8})")));
  const Finished unknown = Rules({});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.errors, HasSubstr("\"ours\", which gpuctl does not know; give the server's "
                                        "own --schema-file"));
  server_.SetReply(Json(R"({"success":false,"error":"a\u001b[2J\u009bb\u202e"})"));
  EXPECT_THAT(Rules({}).errors, HasSubstr("answered 200: a?[2J?b?\n"));
  server_.SetReply(Json(Found(R"({"name":"a\u009bb\u202e","gpus":8})")));
  EXPECT_THAT(Rules({}).errors, HasSubstr("\"a\\xc2\\x9bb\\xe2\\x80\\xae\", which"));
  server_.SetReply(Json(R"({"success":true,"data":{}})"));
  EXPECT_THAT(Rules({}).errors, HasSubstr("answered without exporters"));
  EXPECT_EQ(Rules({"--server", "http://127.0.0.1:1"}).exit_code, 3);
}

TEST_F(RulesTest, ASchemaFileOfOnesOwnIsReadAsTheServerReadsIt) {
  const process::ScratchDirectory folder;
  const std::string file =
      folder.Write("own.json", R"({"name": "ours", "title": "Ours", "vendor": "", "priority": 7,
                      "detect": ["ours_temp"], "labels": {"gpu_id": ["gpu"]},
                      "gpu": [{"field": "temperature", "metric": "ours_temp", "unit": "C"}]})");
  server_.SetReply(Json(Found(R"({"name":"ours","gpus":8})")));
  const Finished ran = Rules({"--schema-file", file, "-o", "prometheus", "--api=false"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.output, AllOf(HasSubstr("ours_temp >= -100 <= 200"), HasSubstr("alert: GpuHot"),
                                Not(HasSubstr("alert: GpuIdleHeld"))));
  EXPECT_EQ(Rules({"--schema-file", folder.Write("bad.json", "{"), "--schema", "ours"}).exit_code,
            2);
}

}  // namespace
}  // namespace gpumon::ctl
