#include "tests/e2e/subject.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/e2e/scripted_fleet.h"

namespace gpumon::e2e {

using json::Value;

Subject::Subject(Environment variables)
    : upstream(FleetReply), server(upstream.url(), std::move(variables)) {
  EXPECT_TRUE(server.AwaitReady()) << server.log();
}

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void ExpectEnvelope(const Answer& answer, int status, const std::string& code) {
  EXPECT_EQ(answer.status, status) << answer.Text();
  EXPECT_EQ(answer.Header("Content-Type"), "application/json; charset=utf-8") << answer.Text();
  EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(answer.Header("X-Request-Id").empty());
  EXPECT_FALSE(answer.Header("Date").empty());
  const Value document = answer.Json();
  EXPECT_EQ(document["success"].AsBool(), false) << answer.Text();
  for (const char* key : {"data", "message"}) {
    ASSERT_NE(document.Find(key), nullptr) << key;
    EXPECT_TRUE(document[key].is_null()) << key;
  }
  EXPECT_FALSE(TextOf(document["error"]).empty());
  EXPECT_EQ(TextOf(document["code"]), code) << answer.Text();
}

}  // namespace gpumon::e2e
