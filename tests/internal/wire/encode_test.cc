#include "internal/wire/encode.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "internal/json/document.h"
#include "internal/wire/records.h"
#include "internal/wire/table.h"

namespace gpumon::wire {
namespace {

using models::Quantity;
using models::Text;

models::Snapshot OneGpu() {
  models::Snapshot snapshot;
  snapshot.as_of = 100;
  models::GpuMetrics row;
  row.set_text(Text::kNode, "a");
  row.set_text(Text::kGpuId, "0");
  row.gpu_index = 0;
  snapshot.gpus = {row};
  return snapshot;
}

json::Value Parse(const std::string& text) {
  const auto parsed = json::ParseDocument(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : json::Value();
}

TEST(EncodeTest, ARowWithoutAnyReadingHasEveryRequiredKeyAsNull) {
  const auto snapshot = OneGpu();
  const Table table(snapshot);
  const auto json = Parse(EncodeList(table, WholePage(table), "m").body);
  for (const std::string key : {"gpu_name", "utilization", "memory_used", "memory_total",
                                "memory_free", "memory_utilization", "temperature", "timestamp"}) {
    ASSERT_NE(json["data"][0].Find(key), nullptr) << key;
    EXPECT_TRUE(json["data"][0][key].is_null()) << key;
    EXPECT_EQ(*json["meta"]["null_reasons"][key].AsString(), "not_exported") << key;
  }
}

// Two GPUs; only an exporter that is down named that of the second.
models::Snapshot WithLost(Text text) {
  models::Snapshot snapshot;
  for (int i = 0; i < 2; ++i) snapshot.gpus.emplace_back();
  snapshot.gpus[1].texts_gone = 1U << static_cast<unsigned>(text);
  return snapshot;
}

TEST(EncodeTest, ATextThatADeadExporterNamedIsNullNotLeftOut) {
  const auto snapshot = WithLost(Text::kDriverVersion);
  const Table table(snapshot);
  const auto json = Parse(EncodeList(table, WholePage(table), "m").body);
  const auto reason = [&](std::size_t row, const char* field) {
    return json["data"][row]["null_reasons"][field];
  };
  EXPECT_EQ(*reason(1, "driver_version").AsString(), "exporter_down");
  EXPECT_EQ(*reason(0, "driver_version").AsString(), "not_exported");
  EXPECT_TRUE(reason(1, "pci_bus_id").is_null()) << "which nobody ever named";
}

TEST(EncodeTest, WhoHoldsAGpuIsNullWhereItsExporterNeverNamesAPod) {
  models::Snapshot snapshot;
  for (int i = 0; i < 2; ++i) snapshot.gpus.emplace_back().exporters = 1U << i;
  const auto listed = [&] {
    const Table table(snapshot);
    return Parse(EncodeList(table, WholePage(table), "m").body);
  };
  const auto silent = listed();
  EXPECT_EQ(silent["data"][0].Find("workloads"), nullptr);
  EXPECT_EQ(*silent["meta"]["null_reasons"]["workloads"].AsString(), "not_exported");

  snapshot.pod_tellers = 1;
  snapshot.workloads.push_back({"ml", "train-0", ""});
  snapshot.gpus.insert(snapshot.gpus.begin(), snapshot.gpus.front());
  snapshot.gpus[0].workload_count = 1;
  const auto told = listed();
  EXPECT_EQ(told["data"][0]["workloads"].size(), 1U);
  EXPECT_TRUE(told["data"][1]["workloads"].is_array()) << "known to be none";
  EXPECT_TRUE(told["data"][2]["workloads"].is_null());
  EXPECT_EQ(*told["data"][2]["null_reasons"]["workloads"].AsString(), "not_exported");
}

TEST(EncodeTest, WhatIsNotKnownOfAPodsShareSaysWhy) {
  models::Snapshot snapshot;
  snapshot.gpus.emplace_back().exporters = 1;
  snapshot.pod_tellers = 1;
  models::Workload workload{"ml", "train-0", ""};
  const auto share = [&] {
    snapshot.workloads = {workload};
    snapshot.gpus[0].workload_count = 1;
    const Table table(snapshot);
    return Parse(EncodeList(table, WholePage(table), "m").body)["data"][0]["workloads"][0]["share"];
  };
  EXPECT_TRUE(share().is_null()) << "nobody measures it";
  workload.no_utilization = models::NullReason::kInvalidValue;
  const auto none = share();
  EXPECT_TRUE(none["utilization"].is_null());
  EXPECT_EQ(*none["null_reasons"]["utilization"].AsString(), "invalid_value");
  EXPECT_EQ(*none["null_reasons"]["memory_used_bytes"].AsString(), "not_exported");
  workload.utilization = 5;
  workload.memory_used = 6;
  EXPECT_EQ(share()["null_reasons"].size(), 1U);
  workload.memory_limit = 7;
  EXPECT_EQ(share().Find("null_reasons"), nullptr);
}

TEST(EncodeTest, WhoHoldsAGpuIsNullWhenWhoNamedThemIsDown) {
  auto snapshot = WithLost(Text::kPod);
  for (auto& row : snapshot.gpus) row.exporters = 1;
  snapshot.pod_tellers = 1;
  const Table table(snapshot);
  const auto json = Parse(EncodeList(table, WholePage(table), "m").body);
  EXPECT_TRUE(json["data"][0]["workloads"].is_array());
  EXPECT_TRUE(json["data"][1]["workloads"].is_null());
  EXPECT_EQ(*json["data"][1]["null_reasons"]["workloads"].AsString(), "exporter_down");
  EXPECT_NE(EncodeCsv(table, WholePage(table)).body.find("exporter_down"), std::string::npos);
}

TEST(EncodeTest, TextThatIsNotUtf8IsReplacedNotPassedOn) {
  auto snapshot = OneGpu();
  snapshot.gpus[0].set_text(Text::kGpuName, "a\xff\"\n<b>");
  const Table table(snapshot);
  const auto body = EncodeList(table, WholePage(table), "m").body;
  EXPECT_EQ(*Parse(body)["data"][0]["gpu_name"].AsString(), "a\xEF\xBF\xBD\"\n<b>");
}

TEST(EncodeTest, CsvHoldsNothingThatATerminalWouldActOn) {
  auto snapshot = OneGpu();
  snapshot.gpus[0].set_text(Text::kGpuName, "a\x1b[31mb\xC2\x9B\tc\nd\xE2\x80\xAE\x7f,\xC3\xA9");
  const Table table(snapshot);
  Page page = WholePage(table);
  page.fields = {static_cast<std::uint16_t>(FindField(models::Part::kGpus, "gpu_name"))};
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(EncodeCsv(table, page).body, "gpu_name\r\n\"a" + mark + "[31mb" + mark + mark + "c" +
                                             mark + "d" + mark + mark + ",\xC3\xA9\"\r\n");
  snapshot.gpus[0].set_text(Text::kGpuName, "\t=1+1");
  EXPECT_EQ(EncodeCsv(table, page).body, "gpu_name\r\n" + mark + "=1+1\r\n");
  EXPECT_EQ(EncodeList(table, page, "m").body.find('\x1b'), std::string::npos);
}

TEST(EncodeTest, AnOnlyCellOfCsvThatIsNullIsNoEmptyLine) {
  const auto snapshot = OneGpu();
  const Table table(snapshot);
  Page page = WholePage(table);
  const auto field = [](std::string_view name) {
    return static_cast<std::uint16_t>(FindField(models::Part::kGpus, name));
  };
  page.fields = {field("temperature")};
  EXPECT_EQ(EncodeCsv(table, page).body, "temperature\r\n\"\"\r\n");
  page.fields = {field("temperature"), field("utilization")};
  EXPECT_EQ(EncodeCsv(table, page).body, "temperature,utilization\r\n,\r\n");

  const std::array columns = {Column{.name = "pod"}};
  const Records records{columns, {{models::NullReason::kNotExported}, {std::string("a")}}};
  EXPECT_EQ(EncodeCsv(records, WholePage(records)).body, "pod\r\n\"\"\r\na\r\n");
}

TEST(EncodeTest, NumbersAreNotRounded) {
  auto snapshot = OneGpu();
  snapshot.gpus[0].readings.Set(static_cast<std::size_t>(Quantity::kUtilization), 1.0 / 3);
  const Table table(snapshot);
  const auto json = Parse(EncodeList(table, WholePage(table), "m").body);
  EXPECT_EQ(json["data"][0]["utilization"].AsDouble(), 1.0 / 3);
}

TEST(EncodeTest, BytesAreWholeNumbers) {
  auto snapshot = OneGpu();
  snapshot.gpus[0].readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), 3221225472);
  const Table table(snapshot);
  const auto body = EncodeList(table, WholePage(table), "m").body;
  EXPECT_NE(body.find(R"("memory_used_bytes":3221225472,)"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("memory_used":3.0,)"), std::string::npos) << body;
}

TEST(EncodeTest, AnAgeIsNeverNegative) {
  auto snapshot = OneGpu();
  snapshot.gpus[0].newest = snapshot.gpus[0].oldest = 101;
  const Table table(snapshot);
  const auto json = Parse(EncodeList(table, WholePage(table), "m").body);
  EXPECT_EQ(json["data"][0]["sample_age_seconds"].AsDouble(), 0.0);
  EXPECT_EQ(*json["data"][0]["timestamp"].AsString(), "1970-01-01T00:01:41Z");
}

TEST(EncodeTest, EqualInputGivesEqualBytes) {
  const auto snapshot = OneGpu();
  const Table table(snapshot);
  const auto a = EncodeList(table, WholePage(table), "m");
  const auto b = EncodeList(table, WholePage(table), "m");
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.etag, b.etag);
}

TEST(EncodeTest, AnErrorNeedsNoData) {
  EXPECT_EQ(EncodeError(Status{Code::kNotFound, "say \"what\""}),
            R"({"success":false,"data":null,"message":null,"error":"say \"what\"",)"
            R"("code":"not_found"})");
}

TEST(EncodeTest, EveryFieldIsDescribed) {
  const auto fields = Parse(EncodeFields("x").body)["data"];
  for (const auto& field : fields.elements()) {
    EXPECT_FALSE(field["help"].AsString()->empty()) << *field["name"].AsString();
    EXPECT_FALSE(field["type"].AsString()->empty()) << *field["name"].AsString();
  }
}

TEST(TableTest, FieldsAreFoundByName) {
  EXPECT_EQ(FindField(models::Part::kGpus, "node_name"), 0);
  EXPECT_EQ(FindField(models::Part::kGpus, "pid"), -1);
  EXPECT_EQ(FindField(models::Part::kProcesses, "pid"), 2);
}

}  // namespace
}  // namespace gpumon::wire
