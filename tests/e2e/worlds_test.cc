// Random fleets of several exporters: what the server shows is a number that Prometheus holds for
// that GPU, or null with a reason; never more, never less.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"

namespace gpumon::e2e {
namespace {

using json::Value;

#ifdef GPUMON_SANITIZED
constexpr int kWorlds = 60;
#else
constexpr int kWorlds = 1000;
#endif
constexpr std::int64_t kFirst = 1704110400;
constexpr int kApart = 600;  // seconds: beyond the look-back

constexpr double kMiB = 1024.0 * 1024;

// A metric as its exporter writes it, the field it measures there, and what is believable.
struct Family {
  const char* name;
  const char* field;
  double unit;  // field = sample * unit
  double high;  // of the field
  double low = 0;
};
struct Kind {
  std::array<Family, 4> families;
  // The labels of a GPU's series: node, index, UUID.
  std::string (*labels)(const std::string& node, int gpu, const std::string& uuid);
  const char* node_label;
  const char* gpu_label;
};

std::string RequirementsLabels(const std::string& node, int gpu, const std::string& uuid) {
  return "node=\"" + node + "\",gpu=\"" + std::to_string(gpu) + "\",uuid=\"" + uuid + "\"";
}
std::string DcgmLabels(const std::string& node, int gpu, const std::string& uuid) {
  return "Hostname=\"" + node + "\",gpu=\"" + std::to_string(gpu) + "\",UUID=\"" + uuid + "\"";
}
std::string AllSmiLabels(const std::string& node, int gpu, const std::string& uuid) {
  return "exported_instance=\"" + node + "\",gpu=\"Model\",gpu_index=\"" + std::to_string(gpu) +
         "\",gpu_uuid=\"" + uuid + "\"";
}

constexpr std::array<Kind, 3> kKinds = {{
    {{{{"nvidia_gpu_utilization_percent", "utilization", 1, 100.5},
       {"nvidia_gpu_temperature_celsius", "temperature", 1, 200, -100},
       {"nvidia_gpu_used_memory_bytes", "memory_used_bytes", 1, 1e12},
       {"nvidia_gpu_memory_utilization_percent", "memory_utilization", 1, 100.5}}},
     RequirementsLabels,
     "node",
     "gpu"},
    {{{{"DCGM_FI_DEV_GPU_UTIL", "utilization", 1, 100.5},
       {"DCGM_FI_DEV_GPU_TEMP", "temperature", 1, 200, -100},
       {"DCGM_FI_DEV_FB_USED", "memory_used_bytes", kMiB, 1e12},
       {"DCGM_FI_DEV_POWER_USAGE", "power", 1, 100'000}}},
     DcgmLabels,
     "Hostname",
     "gpu"},
    {{{{"all_smi_gpu_utilization", "utilization", 1, 100.5},
       {"all_smi_gpu_temperature_celsius", "temperature", 1, 200, -100},
       {"all_smi_gpu_memory_used_bytes", "memory_used_bytes", 1, 1e12},
       {"all_smi_gpu_power_consumption_watts", "power", 1, 100'000}}},
     AllSmiLabels,
     "exported_instance",
     "gpu_index"},
}};

class Worlds {
 public:
  // All of them, as one OpenMetrics text.
  std::string Text() {
    for (int i = 0; i < kWorlds; ++i) Make(i);
    std::string text;
    for (const auto& [family, lines] : lines_) {
      text += "# TYPE " + family + " gauge\n" + lines;
    }
    return text + "# EOF\n";
  }

 private:
  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  bool Chance(double p) { return Uniform() < p; }

  // Few large ones among many small ones.
  void Make(int world) {
    const int nodes = static_cast<int>(65 * std::pow(Uniform(), 3));
    for (int n = 0; n < nodes; ++n) {
      // Every series that ever was costs every query: only a few nodes have up to 16.
      const int gpus = static_cast<int>((n < 4 ? 17 : 5) * std::pow(Uniform(), 2));
      const double choice = Uniform();
      for (std::size_t k = 0; k < kKinds.size(); ++k) {
        // One exporter on most nodes, two or three on some, none on a few.
        const bool runs = choice < 0.7 ? static_cast<std::size_t>(choice / 0.7 * 3) == k
                                       : choice < 0.95 && Chance(0.7);
        if (!runs) continue;
        for (int g = 0; g < gpus; ++g) AddGpu(world, kKinds[k], n, g);
      }
    }
  }

  void AddGpu(int world, const Kind& kind, int n, int g) {
    const std::string node = "n" + std::to_string(n);
    const std::string uuid = "GPU-" + std::to_string(n) + "-" + std::to_string(g);
    const std::string labels = kind.labels(node, g, uuid);
    for (const Family& family : kind.families) {
      // By its memory an exporter is known: the first of its GPUs always has it.
      const bool marks = g == 0 && family.field == std::string_view("memory_used_bytes");
      if (!marks && Chance(0.15)) continue;
      Add(world, family, labels, 0);
      // The exporter's pod was replaced a moment ago.
      if (Chance(0.05)) Add(world, family, labels + ",pod=\"old\"", 30);
    }
  }

  void Add(int world, const Family& family, const std::string& labels, int seconds_old) {
    lines_[family.name] += std::string(family.name) + "{" + labels + "} " + Sample(family) + " " +
                           std::to_string(kFirst + std::int64_t{world} * kApart - seconds_old) +
                           "\n";
  }

  std::string Sample(const Family& family) {
    const double kind = Uniform();
    if (kind < 0.02) return "NaN";
    if (kind < 0.03) return "+Inf";
    if (kind < 0.04) return "-1";
    if (kind < 0.05) return "9223372036854775794";  // DCGM's blank of 64 bits
    if (kind < 0.15) return "0";
    const double most = std::min(family.high, 80.0 * 1024 * kMiB) / family.unit;
    return FormatNumber(std::floor(most * 0.99 * Uniform() * 8) / 8);
  }

  std::mt19937 random_{20240101};
  std::map<std::string, std::string> lines_;
};

struct Key {
  std::string node;
  std::string gpu;
  bool operator<(const Key& other) const {
    return std::pair(node, gpu) < std::pair(other.node, other.gpu);
  }
};
// Of one GPU: field -> the believable values that some series has.
using Held = std::map<std::string, std::set<double>>;

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

void Take(const Value& series, const Kind& kind, std::map<Key, Held>& world) {
  const Value& labels = series["metric"];
  const double raw = std::strtod(TextOf(series["value"][1]).c_str(), nullptr);
  for (const Family& family : kind.families) {
    if (TextOf(labels["__name__"]) != family.name) continue;
    Held& held = world[{TextOf(labels[kind.node_label]), TextOf(labels[kind.gpu_label])}];
    const double value = raw * family.unit;
    if (value >= family.low && value <= family.high) held[family.field].insert(value);
  }
}

// What Prometheus itself answers for one instant.
std::map<Key, Held> Ask(const Prometheus& prometheus, const std::string& time) {
  std::string names;
  for (const Kind& kind : kKinds) {
    for (const Family& family : kind.families) names += std::string("|") + family.name;
  }
  const Value all = prometheus.Query("{__name__=~\"" + names.substr(1) + "\"}", time);
  std::map<Key, Held> world;
  for (const Value& series : all.elements()) {
    for (const Kind& kind : kKinds) Take(series, kind, world);
  }
  return world;
}

void ExpectRow(const Value& row, const Value& shared, const Held& held) {
  for (const char* const field : {"utilization", "temperature", "memory_used_bytes", "power"}) {
    const auto values = held.find(field);
    const bool known = values != held.end() && !values->second.empty();
    const auto shown = row[field].AsDouble();
    if (!shown) {
      EXPECT_FALSE(known) << field << " is null though Prometheus has it";
      const bool stated = row["null_reasons"].Find(field) != nullptr ||
                          shared.Find(field) != nullptr || row.Find(field) == nullptr;
      EXPECT_TRUE(stated) << field << " is null without a reason";
    } else {
      EXPECT_TRUE(known && values->second.count(*shown) > 0)
          << field << " shows " << *shown << ", which nobody measured";
    }
  }
}

void ExpectWorld(const Value& document, const std::map<Key, Held>& world) {
  const Value& rows = document["data"];
  EXPECT_EQ(rows.size(), world.size());
  std::set<Key> seen;
  for (const Value& row : rows.elements()) {
    const Key key{TextOf(row["node_name"]), TextOf(row["gpu_id"])};
    SCOPED_TRACE(key.node + "/" + key.gpu);
    EXPECT_TRUE(seen.insert(key).second) << "twice";
    const auto held = world.find(key);
    if (held == world.end()) {
      ADD_FAILURE() << "no such GPU";
      continue;
    }
    ExpectRow(row, document["meta"]["null_reasons"], held->second);
  }
}

TEST(WorldsTest, WhatIsShownIsWhatPrometheusHolds) {
  Worlds worlds;
  const auto prometheus = Prometheus::Holding(worlds.Text());
  const ApiServer server(prometheus->url(), {{"LOG_LEVEL", "error"}});
  ASSERT_TRUE(server.AwaitReady());
  std::size_t gpus = 0;
  for (int i = 0; i < kWorlds && !testing::Test::HasFailure(); ++i) {
    const std::string time = std::to_string(kFirst + std::int64_t{i} * kApart);
    SCOPED_TRACE("world " + std::to_string(i) + " at " + time);
    const auto world = Ask(*prometheus, time);
    const Answer answer = server.Get("/api/v1/gpu/metrics?at=" + time);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    ASSERT_FALSE(*document["meta"]["partial"].AsBool()) << answer.body.substr(0, 300);
    ExpectWorld(document, world);
    gpus += world.size();
  }
  EXPECT_GT(gpus, static_cast<std::size_t>(kWorlds) * 10) << "worlds worth the name";
}

}  // namespace
}  // namespace gpumon::e2e
