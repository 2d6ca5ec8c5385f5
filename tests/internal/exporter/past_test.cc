// The past that --past writes: every sample is what the fleet's page says at that instant.
#include "internal/exporter/past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <streambuf>

#include "tests/internal/exporter/strict_page.h"

namespace gpumon::exporter {
namespace {

constexpr std::int64_t kEnd = 1'795'345'000;
constexpr std::string_view kTarget = R"({job="gpu-exporter",instance="demo")";

const PastOptions kHour{
    .end = kEnd, .length = 3600, .step = 299, .job = "gpu-exporter", .instance = "demo"};

using Samples = std::map<std::string, std::string>;  // series as the page has it -> value

// What a text holds, by instant. Refuses lines that are no sample of the target.
struct Read {
  std::map<std::int64_t, Samples> at;
  std::vector<std::int64_t> order;  // of the lines' times
};

Read ReadPast(const std::string& text) {
  Read read;
  std::istringstream lines(text);
  std::string line;
  bool ended = false;
  while (std::getline(lines, line)) {
    EXPECT_FALSE(ended) << "after the end: " << line;
    if (line == "# EOF") {
      ended = true;
      continue;
    }
    const std::size_t time = line.rfind(' ');
    const std::size_t value = line.rfind(' ', time - 1);
    const std::size_t target = line.find(kTarget);
    if (time == std::string::npos || value == std::string::npos || target == std::string::npos) {
      ADD_FAILURE() << "no sample of the target: " << line;
      continue;
    }
    std::string series = line.substr(0, target);
    std::string labels = line.substr(target + kTarget.size(), value - target - kTarget.size());
    if (labels != "}") series += '{' + labels.substr(1);
    const std::int64_t at = std::stoll(line.substr(time + 1));
    EXPECT_TRUE(read.at[at].emplace(series, line.substr(value + 1, time - value - 1)).second)
        << "twice: " << line;
    read.order.push_back(at);
  }
  EXPECT_TRUE(ended) << "no # EOF";
  return read;
}

std::string Written(const Fleet& fleet, const PastOptions& options,
                    Surroundings surroundings = Surroundings::kAll) {
  std::ostringstream out;
  EXPECT_TRUE(WritePast(fleet, surroundings, "1.2.3", options, out));
  return out.str();
}

// The page at that instant, whole.
Samples PageAt(const Fleet& fleet, std::int64_t at) {
  std::string text;
  EXPECT_TRUE(DemoCollector(fleet, Surroundings::kAll, "1.2.3")
                  .Collect(WallTime(std::chrono::seconds(at)), text));
  Samples samples;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t value = line.rfind(' ');
    if (!line.starts_with('#')) samples[line.substr(0, value)] = line.substr(value + 1);
  }
  return samples;
}

std::string FamilyOf(const std::string& series) {
  return series.substr(0, series.find('{'));
}

bool IsNodeCounter(const std::string& family) {
  return family.starts_with("node_") && family.ends_with("_total");
}

TEST(PastTest, EverySampleIsWhatThePageSaysAtThatInstant) {
  const Fleet fleet = *Fleet::Make({});
  const Read past = ReadPast(Written(fleet, kHour));
  std::set<std::string> families;
  for (const auto& [at, samples] : past.at) {
    const Samples page = PageAt(fleet, at);
    for (const auto& [series, value] : samples) {
      if (series == "up") continue;
      const auto said = page.find(series);
      ASSERT_NE(said, page.end()) << series << " at " << at;
      EXPECT_EQ(value, said->second) << series << " at " << at;
      families.insert(FamilyOf(series));
    }
  }
  EXPECT_GT(families.size(), 80U);
}

TEST(PastTest, LeavesOutWhatSaysNothingMoreAndNothingElse) {
  const std::set<std::string> whole = {
      "kube_job_info",           "kube_job_spec_completions",          "kube_job_spec_parallelism",
      "kube_pod_container_info", "kube_pod_container_resource_limits", "kube_pod_status_reason"};
  const Fleet fleet = *Fleet::Make({});
  const Read past = ReadPast(Written(fleet, kHour));
  for (std::int64_t at = kEnd; at > kEnd - 3600; at -= 299) {
    ASSERT_TRUE(past.at.contains(at));
    const Samples& samples = past.at.at(at);
    EXPECT_EQ(samples.at("up"), "1");
    for (const auto& [series, value] : PageAt(fleet, at)) {
      const bool gone =
          whole.contains(FamilyOf(series)) ||
          (FamilyOf(series) == "kube_pod_status_phase" && value == "0") ||
          (FamilyOf(series) == "node_cpu_seconds_total" && series.find("idle") == series.npos &&
           series.find("cpu=\"0\"") == series.npos);
      EXPECT_EQ(samples.contains(series), !gone) << series;
    }
  }
}

TEST(PastTest, TimesAscendToTheEndAndBeginAfterTheStart) {
  const Read past = ReadPast(Written(*Fleet::Make({}), kHour));
  EXPECT_TRUE(std::is_sorted(past.order.begin(), past.order.end()));
  EXPECT_EQ(past.order.back(), kEnd);
  EXPECT_GT(past.order.front(), kEnd - 3600);
  EXPECT_LE(past.order.front(), kEnd - 3600 + 299) << "so that two pasts meet without a gap";
}

TEST(PastTest, FiveMinutesHoldTwoSamplesOfEachCounterOfANode) {
  const Fleet fleet = *Fleet::Make({});
  std::map<std::string, std::vector<std::int64_t>> times;
  for (const auto& [at, samples] : ReadPast(Written(fleet, kHour)).at) {
    for (const auto& [series, value] : samples) times[series].push_back(at);
  }
  int counters = 0;
  for (const auto& [series, at] : times) {
    if (!IsNodeCounter(FamilyOf(series))) continue;
    ++counters;
    for (std::size_t i = 1; i < at.size(); ++i) EXPECT_LE(at[i] - at[i - 1], 150) << series;
  }
  EXPECT_EQ(counters, 4 * (16 + 3 + 4))
      << "idle time of 16 CPUs, other modes of one, network and disk both ways";
}

TEST(PastTest, ASingleInstantIsAPast) {
  PastOptions options = kHour;
  options.length = 1;
  const Read past = ReadPast(Written(*Fleet::Make({}), options));
  ASSERT_EQ(past.at.size(), 1U);
  EXPECT_EQ(past.at.begin()->first, kEnd);
}

TEST(PastTest, SurroundingsAreThoseOfThePage) {
  const Read past = ReadPast(Written(*Fleet::Make({}), kHour, Surroundings::kNone));
  EXPECT_EQ(past.at.size(), 13U) << "nothing stands between the instants";
  for (const auto& [series, value] : past.at.at(kEnd)) {
    EXPECT_FALSE(series.starts_with("node_") || series.starts_with("kube_")) << series;
  }
}

TEST(PastTest, LabelsOfTheTargetAreEscaped) {
  PastOptions options = kHour;
  options.length = 1;
  options.instance = "a\"b\\c";
  const std::string text = Written(*Fleet::Make({}), options);
  EXPECT_THAT(text, testing::HasSubstr(R"(up{job="gpu-exporter",instance="a\"b\\c"} 1 )"));
}

// Takes so many bytes, then no more.
class FullDisk : public std::streambuf {
 public:
  explicit FullDisk(std::size_t room) : room_(room) {}
  std::size_t asked() const { return asked_; }

 protected:
  std::streamsize xsputn(const char*, std::streamsize count) override {
    asked_ += static_cast<std::size_t>(count);
    return asked_ <= room_ ? count : 0;
  }
  int_type overflow(int_type) override { return traits_type::eof(); }

 private:
  std::size_t room_;
  std::size_t asked_ = 0;
};

TEST(PastTest, StopsAtOnceWhereThereIsNoRoom) {
  const Fleet fleet = *Fleet::Make({});
  const std::size_t whole = Written(fleet, kHour).size();
  FullDisk disk(whole / 4);
  std::ostream out(&disk);
  EXPECT_FALSE(WritePast(fleet, Surroundings::kAll, "1.2.3", kHour, out));
  EXPECT_LT(disk.asked(), whole / 2);
}

}  // namespace
}  // namespace gpumon::exporter
