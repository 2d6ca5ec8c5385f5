// Random fleets of all exporters: what the server shows is a number that Prometheus holds for that
// GPU, or null with a reason; never more, never less.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/exporter_kinds.h"
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

class Worlds {
 public:
  // All of them, as one OpenMetrics text.
  std::string Text() {
    there_.resize(kWorlds);
    for (int i = 0; i < kWorlds; ++i) Make(i);
    std::string text;
    for (const auto& [family, lines] : lines_) {
      text += "# TYPE " + family + " gauge\n" + lines;
    }
    return text + "# EOF\n";
  }
  // The exporters of a world, by their place in Kinds().
  const std::set<std::size_t>& there(int world) const {
    return there_[static_cast<std::size_t>(world)];
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
      for (const std::size_t k : KindsOf(world, n)) {
        for (int g = 0; g < gpus; ++g) AddGpu(world, k, {n, g});
      }
    }
  }

  // One exporter on most nodes, two or three on some, none on a few. For the same reason a node has
  // some of a few of them, and no others in other worlds.
  std::set<std::size_t> KindsOf(int world, int n) {
    const double choice = Uniform();
    if (choice > 0.95) return {};
    const auto pick = [&](int turn) {
      return static_cast<std::size_t>(n * 7 + turn * 4) % Kinds().size();
    };
    std::set<std::size_t> kinds = {pick(world % 3)};
    if (Kinds()[*kinds.begin()].maker != Maker::kNvidia) return kinds;
    for (int more = choice < 0.6 ? 0 : choice < 0.85 ? 1 : 2; more > 0; --more) {
      const std::size_t other = pick(3 + more);
      if (Kinds()[other].maker == Maker::kNvidia) kinds.insert(other);
    }
    return kinds;
  }

  void AddGpu(int world, std::size_t k, const Gpu& gpu) {
    there_[static_cast<std::size_t>(world)].insert(k);
    const Kind& kind = Kinds()[k];
    for (const Family& family : kind.families) {
      const bool marks = gpu.index == 0 && &family == &kind.families.front();
      if (!marks && Chance(0.15)) continue;
      const std::string labels = LabelsOf(kind, family, gpu);
      Add(world, family, labels, 0);
      // The exporter's pod was replaced a moment ago.
      if (!family.adds_up && Chance(0.05)) Add(world, family, labels + ",pod=\"old\"", 30);
    }
  }

  void Add(int world, const Family& family, const std::string& labels, int seconds_old) {
    lines_[family.name] += std::string(family.name) + "{" + labels + "} " + Sample(family) + " " +
                           std::to_string(kFirst + std::int64_t{world} * kApart - seconds_old) +
                           "\n";
  }

  std::string Sample(const Family& family) {
    if (family.field == std::string_view("info")) return "1";
    const double kind = Uniform();
    if (kind < 0.02) return "NaN";
    if (kind < 0.03) return "+Inf";
    if (kind < 0.04) return "-1";
    if (kind < 0.05) return "9223372036854775794";  // DCGM's blank of 64 bits
    if (kind < 0.15) return "0";
    const double most = std::min(RangeOf(family.field).second, 80.0 * 1024 * kMiB) / family.unit;
    return FormatNumber(std::floor(most * 0.99 * Uniform() * 1024) / 1024);
  }

  std::mt19937 random_{20240101};
  std::map<std::string, std::string> lines_;
  std::vector<std::set<std::size_t>> there_;
};

// Of one GPU: what its series name, and field -> family -> its newest sample.
struct Held {
  struct Newest {
    bool of_old_pod = false;
    std::optional<double> value;  // none: not to be believed
  };
  std::string node;
  std::string id;
  std::string uuid;
  std::map<std::string, std::map<const Family*, Newest>> samples;

  void Take(const std::string& field, const Family* family, Newest sample) {
    const auto [its, is_first] = samples[field].try_emplace(family, sample);
    if (!is_first && its->second.of_old_pod) its->second = sample;
  }
  std::set<double> Values(const std::string& field) const {
    std::set<double> values;
    const auto its = samples.find(field);
    if (its == samples.end()) return values;
    for (const auto& [family, sample] : its->second) {
      if (sample.value) values.insert(*sample.value);
    }
    return values;
  }
};
// Series that name a GPU by its UUID alone and others that name it by its place alone are two rows,
// unless some name it by both: nobody could tell that they are of one GPU.
enum class Names { kUuid, kPlace };
using World = std::map<std::pair<Gpu, Names>, Held>;

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

void Take(const Value& series, const Kind& kind, World& world) {
  const Value& labels = series["metric"];
  if (*kind.never != '\0' && labels.Find(kind.never) != nullptr) return;
  if (*kind.id != '\0' && labels.Find(kind.id) == nullptr) return;
  const auto label = [&](const char* name) {
    return *name == '\0' ? std::string() : TextOf(labels[name]);
  };
  const double raw = std::strtod(TextOf(series["value"][1]).c_str(), nullptr);
  for (const Family& family : kind.families) {
    if (TextOf(labels["__name__"]) != family.name) continue;
    const bool info = family.field == std::string_view("info");
    const std::string node = label(kind.node);
    const std::string id = label(info ? family.more : kind.id);
    const std::string uuid = label(kind.uuid);
    Held& held = uuid.empty() ? world[{GpuOfPlace(node, id), Names::kPlace}]
                              : world[{GpuOfUuid(uuid), Names::kUuid}];
    if (!node.empty()) held.node = node;
    if (!id.empty()) held.id = id;
    if (!uuid.empty()) held.uuid = uuid;
    const double value = raw * family.unit;
    const auto [low, high] = RangeOf(family.field);
    if (info) continue;
    Held::Newest sample;
    sample.of_old_pod = TextOf(labels["pod"]) == "old";
    const bool is_nothing = value == 0 && family.field == std::string_view("temperature");
    if (value >= low && value <= high && !is_nothing) sample.value = value;
    held.Take(family.field, &family, sample);
  }
}

// Rows by place whose GPU others name by both.
void Meet(World& world) {
  for (auto at = world.begin(); at != world.end();) {
    const auto other = world.find({at->first.first, Names::kUuid});
    const bool meets =
        at->first.second == Names::kPlace && other != world.end() && !other->second.node.empty();
    if (!meets) {
      ++at;
      continue;
    }
    for (const auto& [field, samples] : at->second.samples) {
      for (const auto& [family, sample] : samples) other->second.Take(field, family, sample);
    }
    at = world.erase(at);
  }
}

// What Prometheus itself answers for one instant.
World Ask(const Prometheus& prometheus, const std::set<std::size_t>& there,
          const std::string& time) {
  std::string names;
  for (const std::size_t k : there) {
    for (const Family& family : Kinds()[k].families) names += std::string("|") + family.name;
  }
  World world;
  if (names.empty()) return world;
  const Value all = prometheus.Query("{__name__=~\"" + names.substr(1) + "\"}", time);
  for (const Value& series : all.elements()) {
    for (const std::size_t k : there) Take(series, Kinds()[k], world);
  }
  Meet(world);
  return world;
}

// Up to the last digits, which a factor of the unit may change.
bool Holds(const std::set<double>& values, double shown) {
  const double slack = 1e-12 * std::abs(shown);
  const auto nearest = values.lower_bound(shown - slack);
  return nearest != values.end() && *nearest <= shown + slack;
}

void ExpectRow(const Value& row, const Value& shared, const Held& held) {
  EXPECT_EQ(TextOf(row["node_name"]), held.node);
  EXPECT_EQ(TextOf(row["gpu_id"]), held.id);
  for (const char* const field : {"utilization", "temperature", "memory_used_bytes", "power"}) {
    const std::set<double> values = held.Values(field);
    const auto shown = row[field].AsDouble();
    if (!shown) {
      EXPECT_TRUE(values.empty()) << field << " is null though Prometheus has it: "
                                  << TextOf(row["null_reasons"][field]);
      const bool stated = row["null_reasons"].Find(field) != nullptr ||
                          shared.Find(field) != nullptr || row.Find(field) == nullptr;
      EXPECT_TRUE(stated) << field << " is null without a reason";
    } else {
      EXPECT_TRUE(Holds(values, *shown))
          << field << " shows " << *shown << ", which nobody measured";
    }
  }
}

void ExpectWorld(const Value& document, const World& world) {
  const Value& rows = document["data"];
  EXPECT_EQ(rows.size(), world.size());
  std::set<std::pair<Gpu, Names>> seen;
  for (const Value& row : rows.elements()) {
    const std::string uuid = TextOf(row["uuid"]);
    const Gpu gpu = uuid.empty() ? GpuOfPlace(TextOf(row["node_name"]), TextOf(row["gpu_id"]))
                                 : GpuOfUuid(uuid);
    const std::pair key(gpu, uuid.empty() ? Names::kPlace : Names::kUuid);
    SCOPED_TRACE(NodeOf(gpu) + "/" + std::to_string(gpu.index) + " " + uuid);
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
  std::set<std::size_t> kinds;
  for (int i = 0; i < kWorlds && !testing::Test::HasFailure(); ++i) {
    const std::string time = std::to_string(kFirst + std::int64_t{i} * kApart);
    SCOPED_TRACE("world " + std::to_string(i) + " at " + time);
    const World world = Ask(*prometheus, worlds.there(i), time);
    const Answer answer = server.Get("/api/v1/gpu/metrics?at=" + time);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    ASSERT_FALSE(*document["meta"]["partial"].AsBool()) << answer.body.substr(0, 300);
    ExpectWorld(document, world);
    gpus += world.size();
    kinds.insert(worlds.there(i).begin(), worlds.there(i).end());
  }
  EXPECT_EQ(kinds.size(), Kinds().size()) << "all exporters";
  EXPECT_GT(gpus, static_cast<std::size_t>(kWorlds) * 10) << "worlds worth the name";
}

}  // namespace
}  // namespace gpumon::e2e
