#include "internal/schema/load.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "internal/schema/unit.h"

namespace gpumon::schema {
namespace {

// A schema that has one metric, and what `more` (", \"key\": ...") adds.
std::string Schema(
    const std::string& more = "",
    const std::string& metric = R"({"field": "power", "metric": "m_power", "unit": "mW"})") {
  return R"({"name": "one", "title": "One", "priority": 1, "detect": ["m_power"],)"
         R"("labels": {"node": ["host"], "gpu_id": ["index"]}, "gpu": [)" +
         metric + "]" + more + "}";
}

std::string Failure(const std::string& text) {
  const auto loaded = Load(text, "x.json");
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().code, Code::kInvalidParameter);
  return loaded.error().message;
}

Exporter Good(const std::string& text) {
  const auto loaded = Load(text, "x.json");
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded->at(0);
}

TEST(LoadTest, TakesWhatAFileSays) {
  const Exporter exporter = Good(Schema(
      R"(, "vendor": "V", "prefixes": ["", "p_"], "require": {"card": "*", "kind": "gpu", "tile": ""},)"
      R"("blanks": [[1, 2]], "derive": [{"field": "memory_total", "sum": ["memory_used"], )"
      R"("plus_if_there": ["memory_reserved"]}], "shares": [{"field": "memory_used", )"
      R"("metric": "s", "unit": "MiB"}], "success": [{"metric": "ok", "where": {"c": ["", "gpu"]}, "of": "gpus"}])"));
  EXPECT_EQ(exporter.name, "one");
  EXPECT_EQ(exporter.vendor, "V");
  EXPECT_EQ(exporter.prefixes, (std::vector<std::string>{"", "p_"}));
  ASSERT_EQ(exporter.gpu.size(), 1U);
  EXPECT_EQ(exporter.gpu[0].scale, 0.001);
  EXPECT_EQ(exporter.gpu[0].slot, static_cast<std::size_t>(models::Quantity::kPower));
  ASSERT_EQ(exporter.require.size(), 3U);
  EXPECT_TRUE(exporter.require[0].Holds("anything"));
  EXPECT_FALSE(exporter.require[0].Holds(""));
  EXPECT_TRUE(exporter.require[1].Holds("gpu"));
  EXPECT_FALSE(exporter.require[1].Holds("cpu"));
  EXPECT_TRUE(exporter.require[2].Holds(""));
  EXPECT_FALSE(exporter.require[2].Holds("0"));
  EXPECT_EQ(exporter.blanks.at(0), std::pair(1.0, 2.0));
  EXPECT_EQ(exporter.derive.at(0).plus_if_there.size(), 1U);
  EXPECT_EQ(exporter.shares.at(0).scale, 1048576);
  EXPECT_EQ(exporter.success.at(0).name, "ok");
  EXPECT_FALSE(exporter.success.at(0).of_processes);
  const Condition& of = exporter.success.at(0).where.at(0);
  EXPECT_TRUE(of.Holds("") && of.Holds("gpu"));
  EXPECT_FALSE(of.Holds("cpu"));
}

TEST(LoadTest, TakesSeveralSchemas) {
  const auto loaded = Load("[" + Schema() + "," + Schema() + "]", "x.json");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->size(), 2U);
}

struct Refused {
  std::string text;
  std::string error;  // its beginning
};

void ExpectFailures(std::span<const Refused> rows) {
  for (const Refused& row : rows) {
    EXPECT_EQ(Failure(row.text).substr(0, row.error.size()), row.error) << row.text;
  }
}

TEST(LoadTest, SaysWhereAMistakeIsAndWhatWasMeant) {
  const auto metric = [](const std::string& text) { return Schema("", text); };
  const Refused rows[] = {
      {Schema(R"(, "prioritty": 2)"),
       "x.json: unknown key \"prioritty\"; did you mean \"priority\"?"},
      {metric(R"({"field": "powr", "metric": "m", "unit": "W"})"),
       "x.json.gpu[0].field: unknown field \"powr\"; did you mean \"power\"?"},
      {metric(R"({"field": "power", "metric": "m", "unit": "kW"})"),
       "x.json.gpu[0].unit: unknown unit \"kW\"; did you mean \"W\"?"},
      {metric(R"({"field": "power", "metric": "m", "unit": "MiB"})"),
       "x.json.gpu[0].unit: the unit \"MiB\" does not fit power; allowed: W, mW"},
      {metric(R"({"field": "power", "metric": "a b", "unit": "W"})"),
       "x.json.gpu[0].metric: \"a b\" is no metric name"},
      {metric(R"({"field": "power", "metric": "m"})"),
       "x.json.gpu[0]: the key \"unit\" is missing"},
      {metric(R"({"field": "power", "metric": "m", "unit": "W", "scale": 0})"),
       "x.json.gpu[0].scale: must be above 0"},
      {metric(R"({"field": "power", "metric": "m", "unit": "W", "bit": 8})"),
       "x.json.gpu[0]: \"bit\" belongs to the unit \"flag\", and to no other"},
      {metric(R"({"field": "power", "metric": "m", "unit": "W", "reduce": "avg"})"),
       "x.json.gpu[0].reduce: unknown reduction \"avg\"; known: max, min, sum"},
      {metric(R"({"field": "power", "metric": "m", "unit": "W", "own_query": 1})"),
       "x.json.gpu[0].own_query: must be true or false"},
      {Schema(R"(, "info": ["a", "a"])"), "x.json.info[1]: stands here twice"},
      {Schema(R"(, "blanks": [[2, 1]])"), "x.json.blanks[0]: must be [lowest, highest]"},
      {Schema(R"(, "blanks": ["nan"])"), "x.json.blanks[0]: must be [lowest, highest], or \"NaN\""},
      {Schema(R"(, "gpu_id_metric": "no metric")"),
       "x.json.gpu_id_metric: \"no metric\" is no metric name"},
      {Schema(R"(, "process_labels": {"pidd": ["pid"]})"),
       "x.json.process_labels: unknown key \"pidd\"; did you mean \"pid\"?"},
      {Schema("", R"({"field": "power", "metric": "m", "unit": "W"},)"
                  R"({"field": "fan", "metric": "m", "unit": "%"})"),
       "x.json.gpu[1]: the metric m stands here twice; tell the two apart by \"where\""},
      {"{", "x.json: "},
      {"[1]", "x.json[0]: must be an object"},
  };
  ExpectFailures(rows);
}

TEST(LoadTest, RefusesWhatPrometheusHasNoNameForAndWhatSaysNothing) {
  const Refused rows[] = {
      {Schema("", R"({"field": "power", "metric": "m", "unit": "W", "where": {"a b": "x"}})"),
       "x.json.gpu[0].where: \"a b\" is no label name; allowed: [a-zA-Z_][a-zA-Z0-9_]*"},
      {Schema(R"(, "require": {"card:model": "*"})"),
       "x.json.require: \"card:model\" is no label name; allowed: [a-zA-Z_][a-zA-Z0-9_]*"},
      {Schema(R"(, "shares": [{"field": "memory_used", "metric": "s", "unit": "MiB",)"
              R"("where": {"": "x"}}])"),
       "x.json.shares[0].where: \"\" is no label name; allowed: [a-zA-Z_][a-zA-Z0-9_]*"},
      {Schema(R"(, "process_labels": {"pid": ["pid", "ma chine"]})"),
       "x.json.process_labels.pid[1]: \"ma chine\" is no label name; allowed: "
       "[a-zA-Z_][a-zA-Z0-9_]*"},
      {Schema(R"(, "info": ["1_info"])"),
       "x.json.info[0]: \"1_info\" is no metric name; allowed: [a-zA-Z_:][a-zA-Z0-9_:]*"},
      {Schema(R"(, "process": [{"field": "cpu", "metric": "m", "unit": "%"}])"),
       R"(x.json: "process" needs a label for "pid" in "process_labels")"},
      {"[]", "x.json: has no schema"},
      {Schema(R"(, "derive": [{"field": "memory_total", "sum": ["temperature"]}])"),
       R"(x.json.derive[0].sum[0]: "temperature" is no part of memory_total: they are measured in )"},
      {Schema("", R"({"field": "power", "metric": "m", "unit": "W", "parts": ["tile"]})"),
       R"(x.json.gpu[0]: "parts" belong to the reduction "sum", and to no other)"},
      {Schema("", R"({"field": "power", "metric": "m", "unit": "W", "where": {"a": []}})"),
       "x.json.gpu[0].where.a: must name a value"},
      {Schema(R"(, "success": [{"metric": "ok", "of": "process"}])"),
       "x.json.success[0].of: unknown part \"process\"; did you mean \"processes\"?"},
      {Schema(R"(, "prefixes": ["a-"])"),
       "x.json.prefixes[0]: \"a-\" is no prefix of a metric name; allowed: "
       "[a-zA-Z_:][a-zA-Z0-9_:]*"},
      {Schema(R"(, "derive": [{"field": "memory_total", "sum": ["memory_used", "memory_total"]}])"),
       "x.json.derive[0].sum[1]: \"memory_total\" is what is derived; allowed: any other field"},
      {Schema(R"(, "derive": [{"field": "memory_total", "sum": ["memory_used"],)"
              R"("plus_if_there": ["memory_total"]}])"),
       "x.json.derive[0].plus_if_there[0]: \"memory_total\" is what is derived; allowed: any other "
       "field"},
      {Schema(R"(, "info": [], "info": [])"), "x.json: the same name \"info\" twice at byte "},
  };
  ExpectFailures(rows);
}

TEST(LoadTest, TheSeriesOfAGpuNameIt) {
  const auto with_labels = [](const std::string& labels, const std::string& list) {
    return R"({"name": "one", "title": "One", "priority": 1, "detect": ["m"], "labels": {)" +
           labels + "}, " + list + "}";
  };
  const std::string gpu = R"("gpu": [{"field": "power", "metric": "m", "unit": "W"}])";
  const std::string error =
      "x.json.labels: names no GPU; \"gpu\" needs a label for \"gpu_id\", \"uuid\" or both";
  EXPECT_EQ(Failure(with_labels(R"("node": ["host"])", gpu)), error);
  EXPECT_EQ(Failure(with_labels(R"("gpu_id": [], "uuid": [])", gpu)), error);
  Good(with_labels(R"("gpu_id": ["i"])", gpu));
  Good(with_labels(R"("uuid": ["u"])", gpu));
  Good(with_labels("", R"("process_labels": {"pid": ["pid"]},)"
                       R"("process": [{"field": "cpu", "metric": "m", "unit": "%"}])"));
}

TEST(LoadTest, OneMetricMayFeedTwoFieldsToldApartByLabels) {
  const Exporter exporter = Good(Schema(
      "", R"({"field": "sm_clock", "metric": "m", "unit": "MHz", "where": {"t": "sm"}},)"
          R"({"field": "memory_clock", "metric": "m", "unit": "MHz", "where": {"t": "m"}})"));
  EXPECT_EQ(exporter.gpu.size(), 2U);
}

TEST(LoadTest, AMetricMayHaveAQueryOfItsOwn) {
  const std::string own =
      R"({"field": "power", "metric": "m", "unit": "W", "where": {"t": "a"}, "own_query": true})";
  const Exporter exporter =
      Good(Schema("", own + R"(, {"field": "fan", "metric": "n", "unit": "%"})"));
  EXPECT_TRUE(exporter.gpu[0].own_query);
  EXPECT_FALSE(exporter.gpu[1].own_query);
  EXPECT_EQ(Failure(Schema(R"(, "prefixes": ["", "p_"])", own)),
            "x.json: \"own_query\" of m, whose name has prefixes");
  const std::string twice = "x.json: \"own_query\" of m, which stands here twice";
  EXPECT_EQ(Failure(Schema("", own + R"(, {"field": "fan", "metric": "m", "unit": "%"})")), twice);
  EXPECT_EQ(Failure(Schema(R"(, "info": ["m"])", own)), twice);
}

TEST(LoadTest, AFlagNamesItsBit) {
  const std::string flag =
      R"({"field": "throttle_reasons", "metric": "m", "unit": "flag", "bit": )";
  EXPECT_EQ(Good(Schema("", flag + "64}")).gpu[0].bit, 64U);
  EXPECT_NE(Failure(Schema("", flag + "0}")).find("must be the value of one bit"),
            std::string::npos);
  EXPECT_NE(Failure(Schema("", flag + "6}")).find("must be the value of one bit"),
            std::string::npos);
}

TEST(UnitTest, EveryFieldHasAUnitAndEveryUnitAField) {
  for (const auto fields : {MeasuredOfGpus(), MeasuredOfProcesses()}) {
    for (const Measured& field : fields) {
      bool any = false;
      for (const Unit& unit : Units()) any |= unit.dimension == field.dimension;
      EXPECT_TRUE(any) << field.name;
    }
  }
  for (const Unit& unit : Units()) {
    bool any = false;
    for (const Measured& field : MeasuredOfGpus()) any |= unit.dimension == field.dimension;
    EXPECT_TRUE(any) << unit.name;
  }
}

TEST(LoadTest, AnExporterHasAtMost255Metrics) {
  const auto with = [](int metrics) {
    std::string all;
    for (int i = 0; i < metrics; ++i) {
      all += std::string(i == 0 ? "" : ",") + R"({"field": "power", "metric": "m_)" +
             std::to_string(i) + R"(", "unit": "mW"})";
    }
    return Schema("", all);
  };
  EXPECT_EQ(Good(with(255)).gpu.size(), 255U);
  EXPECT_EQ(Failure(with(256)), "x.json.gpu: has 256 metrics; allowed: at most 255");
}

TEST(LoadTest, ThePodOfATargetIsNoAliasForAWorkloads) {
  std::string text = Schema();
  text.replace(text.find(R"("gpu_id")"), 0, R"("pod": ["exported_pod", "pod"], )");
  EXPECT_EQ(Failure(text),
            "x.json.labels.pod: \"pod\" may be the exporter's own; leave it out here and set "
            "\"pod_may_be_exporters\": true, which takes it for a workload's where it is");
  for (const std::string label : {"namespace", "container"}) {
    text = Schema();
    text.replace(text.find(R"("gpu_id")"), 0, '"' + label + R"(": [")" + label + R"("], )");
    EXPECT_EQ(Failure(text).substr(0, 60),
              ("x.json.labels." + label + ": \"" + label + "\" may be the exporter's own; leave")
                  .substr(0, 60));
  }
}

}  // namespace
}  // namespace gpumon::schema
