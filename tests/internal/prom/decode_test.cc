#include "internal/prom/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "internal/base/text.h"

namespace gpumon::prom {
namespace {

constexpr std::string_view kVector =
    R"({"status":"success","data":{"resultType":"vector","result":[)"
    R"({"metric":{"__name__":"m","gpu":"0","node":"a"},"value":[1704110400.123,"1.5"]},)"
    R"({"metric":{},"value":[1704110400.123,"-2"]}]}})";
constexpr std::string_view kMatrix =
    R"({"status":"success","data":{"resultType":"matrix","result":[)"
    R"({"metric":{"gpu":"0"},"values":[[1,"10"],[2,"20"]]},{"metric":{"gpu":"1"},"values":[[1,"30"]]}]}})";

std::string Data(std::string_view type, std::string_view result) {
  return R"({"status":"success","data":{"resultType":")" + std::string(type) + R"(","result":)" +
         std::string(result) + "}}";
}

// An instant vector of one series with this `value`.
std::string Valued(std::string_view value) {
  return Data("vector", R"([{"metric":{"a":"b"},"value":)" + std::string(value) + "}]");
}

QueryResult Good(std::string_view body) {
  Result<QueryResult> result = Decode(std::string(body));
  EXPECT_TRUE(result) << body << ": " << (result ? "" : result.error().detail);
  return result ? *std::move(result) : QueryResult();
}

Code Failure(std::string_view body) {
  const Result<QueryResult> result = Decode(std::string(body));
  return result ? Code::kOk : result.error().code;
}

double ValueOf(std::string_view text) {
  const QueryResult result = Good(Valued("[1,\"" + std::string(text) + "\"]"));
  const auto& vector = std::get<InstantVector>(result.value);
  return vector.size() == 1 ? vector.point(0).value : -12345;
}

TEST(DecodeTest, ReadsAVector) {
  const QueryResult result = Good(kVector);
  const auto& vector = std::get<InstantVector>(result.value);
  ASSERT_EQ(vector.size(), 2U);
  EXPECT_EQ(vector.point(0).at, 1704110400.123);
  EXPECT_EQ(vector.point(0).value, 1.5);
  EXPECT_EQ(vector.point(1).value, -2);
  ASSERT_EQ(vector.labels(0).size(), 3U);
  EXPECT_EQ(vector.labels(0)[1].name, "gpu");
  EXPECT_EQ(Get(vector.labels(0), "node"), "a");
  EXPECT_EQ(Get(vector.labels(0), "absent"), "");
  EXPECT_TRUE(vector.labels(1).empty());
  EXPECT_EQ(result.bytes, kVector.size());
  EXPECT_EQ(result.bad_samples, 0U);
  EXPECT_FALSE(result.partial);
}

TEST(DecodeTest, ReadsAMatrix) {
  const QueryResult result = Good(kMatrix);
  const auto& matrix = std::get<RangeVector>(result.value);
  ASSERT_EQ(matrix.size(), 2U);
  ASSERT_EQ(matrix.points(0).size(), 2U);
  EXPECT_EQ(matrix.points(0)[1].at, 2);
  EXPECT_EQ(matrix.points(0)[1].value, 20);
  EXPECT_EQ(matrix.points(1)[0].value, 30);
  EXPECT_EQ(Get(matrix.labels(1), "gpu"), "1");
}

TEST(DecodeTest, ReadsAScalarAndAString) {
  const auto scalar = std::get<Scalar>(Good(Data("scalar", R"([2.5,"7"])")).value);
  EXPECT_EQ(scalar.point.at, 2.5);
  EXPECT_EQ(scalar.point.value, 7);
  EXPECT_TRUE(std::isnan(std::get<Scalar>(Good(Data("scalar", R"([1,"NaN"])")).value).point.value));
  const auto text = std::get<String>(Good(Data("string", R"([3,"a\"b"])")).value);
  EXPECT_EQ(text.at, 3);
  EXPECT_EQ(text.value, "a\"b");
  EXPECT_EQ(std::get<String>(Good(Data("string", R"([3,""])")).value).value, "");
}

TEST(DecodeTest, ReadsEmptyResults) {
  EXPECT_EQ(std::get<InstantVector>(Good(Data("vector", "[]")).value).size(), 0U);
  EXPECT_EQ(std::get<RangeVector>(Good(Data("matrix", "[]")).value).size(), 0U);
}

TEST(DecodeTest, TakesKeysInAnyOrderAndSkipsUnknownOnes) {
  const QueryResult result = Good(
      R"({"isPartial":true,"trace":{"a":[1,{"b":null}]},"data":{"stats":{"result":[]},"result":[)"
      R"({"value":[1,"2"],"group":[["x"]],"metric":{"a":"b"}}],"resultType":"vector"},"x":[[]],)"
      R"("status":"success"})");
  const auto& vector = std::get<InstantVector>(result.value);
  ASSERT_EQ(vector.size(), 1U);
  EXPECT_EQ(vector.point(0).value, 2);
  EXPECT_EQ(Get(vector.labels(0), "a"), "b");
  EXPECT_TRUE(result.partial);
}

TEST(DecodeTest, LabelsStayValidAsLongAsACopyOfTheBackingLives) {
  Backing backing;
  std::string_view label;
  {
    const QueryResult result = Good(kVector);
    const auto& vector = std::get<InstantVector>(result.value);
    backing = vector.backing;
    label = Get(vector.labels(0), "node");
  }
  EXPECT_EQ(label, "a");
  EXPECT_GE(label.data(), backing->data());
  EXPECT_LT(label.data(), backing->data() + backing->size());
  EXPECT_EQ(backing.use_count(), 1);
}

TEST(DecodeTest, TakesTheBodyOverWithoutACopy) {
  std::string body(kVector);
  const char* const bytes = body.data();
  const Result<QueryResult> result = Decode(std::move(body));
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<InstantVector>(result->value).backing->data(), bytes);
}

TEST(DecodeTest, NeverSucceedsOnATruncatedAnswer) {
  for (const std::string_view body : {kVector, kMatrix}) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      ASSERT_EQ(Failure(body.substr(0, size)), Code::kUpstreamInvalid) << body.substr(0, size);
    }
  }
}

TEST(DecodeTest, ReadsSampleValuesAsPrometheusWritesThem) {
  EXPECT_TRUE(std::isnan(ValueOf("NaN")));
  EXPECT_EQ(ValueOf("+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ValueOf("-Inf"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ValueOf("17179869184"), 17179869184.0);
  EXPECT_EQ(ValueOf("-0.1"), -0.1);
  EXPECT_EQ(ValueOf("1e+22"), 1e22);
  EXPECT_EQ(ValueOf("5e-324"), 5e-324);
}

TEST(DecodeTest, KeepsASampleWhoseValueIsNoNumberInTextAsNaN) {
  for (const std::string_view value :
       {R"([1,"1e400"])", R"([1,""])",    R"([1,"abc"])",  R"([1,"1x"])",
        R"([1," 1"])",    R"([1,"nan"])", R"([1,"Inf"])",  R"([1,"infinity"])",
        R"([1,"-inf"])",  R"([1,"+1"])",  R"([1,"0x10"])", R"([1,5])",
        R"([1])",         R"([1,"2",3])", R"([])",         R"(["1","2"])",
        R"([1,null])",    R"([1,true])",  R"([1,["2"]])",  R"([[1],"2"])",
        R"([{},"2"])",    R"("2")",       R"(null)",       R"({})"}) {
    const QueryResult result = Good(Valued(value));
    EXPECT_EQ(result.bad_samples, 1U) << value;
    const auto& vector = std::get<InstantVector>(result.value);
    ASSERT_EQ(vector.size(), 1U) << value;
    EXPECT_TRUE(std::isnan(vector.point(0).value)) << value;
  }
}

TEST(DecodeTest, CountsANativeHistogram) {
  const QueryResult result = Good(
      Data("vector",
           R"([{"metric":{"a":"b"},"histogram":[1,{"count":"2","buckets":[[0,"1","2","3"]]}]},)"
           R"({"metric":{"a":"c"},"value":[1,"4"]}])"));
  EXPECT_EQ(result.bad_samples, 1U);
  const auto& vector = std::get<InstantVector>(result.value);
  ASSERT_EQ(vector.size(), 2U);
  EXPECT_EQ(Get(vector.labels(0), "a"), "b");
  EXPECT_TRUE(std::isnan(vector.point(0).value));
  EXPECT_EQ(Get(vector.labels(1), "a"), "c");
}

TEST(DecodeTest, LeavesBadPointsOutOfAMatrix) {
  const QueryResult result = Good(
      Data("matrix", R"([{"metric":{},"values":[[1,"1"],[2,"x"],3,[4,"4"],null]},{"metric":{}}])"));
  const auto& matrix = std::get<RangeVector>(result.value);
  ASSERT_EQ(matrix.size(), 1U);
  ASSERT_EQ(matrix.points(0).size(), 2U);
  EXPECT_EQ(matrix.points(0)[1].at, 4);
  EXPECT_EQ(result.bad_samples, 4U);
}

TEST(DecodeTest, CountsWhatDoesNotFitTheResultType) {
  EXPECT_EQ(Good(Data("vector", R"([{"metric":{},"values":[[1,"1"]]}])")).bad_samples, 1U);
  EXPECT_EQ(Good(Data("matrix", R"([{"metric":{},"value":[1,"1"]}])")).bad_samples, 1U);
}

TEST(DecodeTest, RefusesWhatIsNotAnAnswer) {
  for (const std::string_view body :
       {"",
        "[]",
        "{}",
        "null",
        "17",
        "\"success\"",
        R"({"status":"success"})",
        R"({"status":"success","data":null})",
        R"({"status":"success","data":[]})",
        R"({"status":"success","data":{}})",
        R"({"status":"success","data":{"resultType":"vector"}})",
        R"({"status":"success","data":{"resultType":"vector","result":null}})",
        R"({"status":"success","data":{"resultType":"vector","result":{}}})",
        R"({"status":"success","data":{"result":[]}})",
        R"({"status":"success","data":{"resultType":"histogram","result":[]}})",
        R"({"data":{"resultType":"vector","result":[]}})",
        R"({"status":"partial","data":{"resultType":"vector","result":[]}})",
        R"({"status":1,"data":{"resultType":"vector","result":[]}})",
        "<html><body>login</body></html>",
        "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(Failure(body), Code::kUpstreamInvalid) << body;
  }
}

TEST(DecodeTest, RefusesAResultThatIsNotItsType) {
  EXPECT_EQ(Failure(Data("vector", R"([1,"2"])")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("vector", "[[]]")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("scalar", "[]")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("scalar", R"([1,"x"])")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("scalar", R"([1,"2",3])")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("string", R"([1,2])")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Data("string", R"([{"metric":{}},"a"])")), Code::kUpstreamInvalid);
}

TEST(DecodeTest, RefusesTheSameKeyTwice) {
  for (
      const std::string_view body :
      {R"({"status":"success","status":"success","data":{"resultType":"vector","result":[]}})",
       R"({"status":"success","data":{"resultType":"vector","result":[]},"data":{}})",
       R"({"status":"success","data":{"resultType":"vector","result":[],"result":[]}})",
       R"({"status":"success","data":{"resultType":"vector","resultType":"vector","result":[]}})",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"metric":{}}]}})",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"values":[],"value":[]}]}})"}) {
    EXPECT_EQ(Failure(body), Code::kUpstreamInvalid) << body;
  }
}

TEST(DecodeTest, RefusesALabelValueThatIsNotText) {
  for (const std::string_view label : {"1", "null", "true", "[]", "{}"}) {
    const std::string metric =
        R"([{"metric":{"a":)" + std::string(label) + R"(},"value":[1,"1"]}])";
    EXPECT_EQ(Failure(Data("vector", metric)), Code::kUpstreamInvalid) << label;
  }
}

TEST(DecodeTest, SurvivesHostileNestingAndNumbers) {
  EXPECT_EQ(Failure(std::string(1000000, '[')), Code::kUpstreamInvalid);
  std::string objects;
  for (int i = 0; i < 200000; ++i) objects += "{\"data\":";
  EXPECT_EQ(Failure(objects), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(R"({"status":"success","x":)" + std::string(1000000, '[')),
            Code::kUpstreamInvalid);
  const std::string digits(300, '9');
  EXPECT_EQ(Failure(Valued("[" + digits + ",\"1\"]")), Code::kUpstreamInvalid);
  EXPECT_EQ(Failure(Valued("[" + digits + digits + ",\"1\"]")), Code::kUpstreamInvalid);
  EXPECT_EQ(Good(Valued("[1,\"" + digits + digits + "\"]")).bad_samples, 1U);
  EXPECT_EQ(Failure(Valued("[1e" + digits + ",\"1\"]")), Code::kUpstreamInvalid);
}

TEST(DecodeTest, ReplacesBytesThatAreNotUtf8) {
  const QueryResult result =
      Good(Data("vector", "[{\"metric\":{\"a\":\"x\xff\xc3\xa9\"},\"value\":[1,\"1\"]}]"));
  EXPECT_EQ(Get(std::get<InstantVector>(result.value).labels(0), "a"), "x\xef\xbf\xbd\xc3\xa9");
}

TEST(DecodeTest, EscapedLabelsAreUtf8OrRefused) {
  const QueryResult result =
      Good(Data("vector", R"([{"metric":{"a":"\u00e9\ud83d\ude00\u0000"},"value":[1,"1"]}])"));
  EXPECT_EQ(Get(std::get<InstantVector>(result.value).labels(0), "a"),
            std::string_view("\xc3\xa9\xf0\x9f\x98\x80\0", 7));
  for (const std::string_view half : {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\\\udfff)"}) {
    EXPECT_EQ(Failure(Data("vector",
                           R"([{"metric":{"a":")" + std::string(half) + R"("},"value":[1,"1"]}])")),
              Code::kUpstreamInvalid)
        << half;
  }
}

TEST(DecodeTest, GivesAnErrorAnswerItsCode) {
  const auto failure = [](const std::string& type, const std::string& why = "because") {
    return Failure(R"({"status":"error","errorType":")" + type + R"(","error":")" + why + R"("})");
  };
  EXPECT_EQ(failure("timeout"), Code::kUpstreamQueryTimeout);
  EXPECT_EQ(failure("execution"), Code::kUpstreamRejectedQuery);
  EXPECT_EQ(failure("execution", "expanding series: context deadline exceeded"),
            Code::kUpstreamQueryTimeout);
  EXPECT_EQ(failure("422", "query timed out in expression evaluation"),
            Code::kUpstreamQueryTimeout);
  EXPECT_EQ(failure("422", "timeout exceeded during query execution: 30.000 seconds"),
            Code::kUpstreamQueryTimeout);
  EXPECT_EQ(failure("execution", "query processing would load too many samples into memory"),
            Code::kUpstreamRejectedQuery);
  EXPECT_EQ(failure("bad_data"), Code::kUpstreamRejectedQuery);
  EXPECT_EQ(failure("422"), Code::kUpstreamRejectedQuery);
  EXPECT_EQ(failure("unavailable"), Code::kUpstreamNotReady);
  EXPECT_EQ(failure("internal"), Code::kUpstreamError);
  EXPECT_EQ(failure("brand_new"), Code::kUpstreamError);
  EXPECT_EQ(Failure(R"({"status":"error"})"), Code::kUpstreamError);
}

TEST(DecodeTest, KeepsTheServersWordsOutOfTheMessage) {
  const Result<QueryResult> result =
      Decode("{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"se\\ncret\"}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
  EXPECT_EQ(result.error().message.find("cret"), std::string::npos);
  EXPECT_EQ(result.error().detail, "errorType=execution error=se cret");
}

TEST(DecodeTest, PassesNoticesOnCappedAndClean) {
  std::string warnings;
  for (int i = 0; i < 12; ++i) warnings += (i == 0 ? "" : ",") + std::string("\"w\\n\\u0007\"");
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "\xc3\xa9";
  const QueryResult result =
      Good(R"({"status":"success","warnings":[)" + warnings + R"(,7],"infos":["x)" + longest +
           R"(",{"a":1}],"data":{"resultType":"vector","result":[]}})");
  ASSERT_EQ(result.warnings.size(), 10U);
  EXPECT_EQ(result.warnings[0], "w  ");
  ASSERT_EQ(result.infos.size(), 1U);
  EXPECT_EQ(result.infos[0].size(), 255U);
  EXPECT_TRUE(IsValidUtf8(result.infos[0]));
}

TEST(DecodeTest, NoticesHoldNothingThatATerminalWouldActOn) {
  const QueryResult result = Good(
      "{\"status\":\"success\",\"warnings\":[\"a\\u202Eb\\u200Fc\\u2066d\\u061Ce\\u009Bf\\u007Fg\"]"
      ","
      "\"data\":{\"resultType\":\"vector\",\"result\":[]}}");
  EXPECT_EQ(result.warnings, std::vector<std::string>{"a b c d e f g"});
}

TEST(DecodeTest, TakesNullNotices) {
  const QueryResult result = Good(
      R"({"status":"success","warnings":null,"infos":"x","isPartial":false,"data":{"resultType":"vector","result":[]}})");
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_TRUE(result.infos.empty());
}

TEST(DecodeTest, ReadsManySeries) {
  std::string result = "[";
  for (int i = 0; i < 5000; ++i) {
    result += (i == 0 ? "" : ",") + std::string(R"({"metric":{"a":")") + std::to_string(i) +
              R"("},"value":[1,")" + std::to_string(i) + "\"]}";
  }
  const QueryResult decoded = Good(Data("vector", result + "]"));
  const auto& vector = std::get<InstantVector>(decoded.value);
  ASSERT_EQ(vector.size(), 5000U);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    ASSERT_EQ(vector.labels(i)[0].value, std::to_string(i));
    ASSERT_EQ(vector.point(i).value, static_cast<double>(i));
  }
}

}  // namespace
}  // namespace gpumon::prom
