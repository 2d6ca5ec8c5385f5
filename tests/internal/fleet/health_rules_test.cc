#include "internal/fleet/health_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace gpumon::fleet {
namespace {

TEST(HealthRulesTest, NothingChangesNothing) {
  const auto rules = ParseHealthRules("");
  ASSERT_TRUE(rules);
  const HealthRules defaults;
  for (const HealthRuleRow& row : HealthRuleRows()) {
    EXPECT_EQ((*rules).*(row.number), defaults.*(row.number)) << row.name;
    EXPECT_GE(defaults.*(row.number), row.low) << row.name;
    EXPECT_LE(defaults.*(row.number), row.high) << row.name;
  }
}

TEST(HealthRulesTest, EveryNumberCanBeSet) {
  for (const HealthRuleRow& row : HealthRuleRows()) {
    const HealthRules defaults;
    const double kept = defaults.*(row.number);
    const std::string text = std::string(row.name) + "=" + std::to_string(kept);
    const auto rules = ParseHealthRules(" , " + text + ",");
    ASSERT_TRUE(rules) << text;
    EXPECT_NEAR((*rules).*(row.number), kept, 1e-6) << text;
  }
  const auto two = ParseHealthRules("temperature_critical = 90, ecc_corrected=ignore");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->temperature_critical, 90);
  EXPECT_FALSE(two->ecc_corrected_counts);
}

TEST(HealthRulesTest, SaysWhatIsWrong) {
  const std::pair<std::string, std::string> rows[] = {
      {"temperature_critcal=90",
       "there is no such rule; the nearest is temperature_critical; allowed: the rules of "
       "docs/HEALTH.md"},
      {"nul", "must be NAME=VALUE; allowed: the rules of docs/HEALTH.md"},
      {"ecc_factor=2", "from 0 to 1"},
      {"ecc_factor=nan", "from 0 to 1"},
      {"ecc_factor=", "from 0 to 1"},
      {"ecc_factor", "NAME=VALUE"},
      {"ecc_corrected=no", "count, ignore"},
      {"temperature_critical=70", "temperature_warning must not be above temperature_critical"},
      {"degraded=90", "degraded must not be above healthy"},
      {"temperature_critical=80, temperature_critical = 90",
       "\"temperature_critical = 90\": temperature_critical is given twice; keep one of them"},
      {"ecc_corrected=ignore,healthy=90,ecc_corrected=ignore", "ecc_corrected is given twice"}};
  for (const auto& [text, why] : rows) {
    const auto rules = ParseHealthRules(text);
    ASSERT_FALSE(rules) << text;
    EXPECT_EQ(rules.error().code, Code::kInvalidParameter);
    EXPECT_NE(rules.error().message.find(why), std::string::npos) << rules.error().message;
  }
}

}  // namespace
}  // namespace gpumon::fleet
