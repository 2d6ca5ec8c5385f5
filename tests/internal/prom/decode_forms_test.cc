// Answers in the form that Prometheus writes are read in a quick way, others by RapidJSON: what
// comes of them is the same, whatever is wrong in them.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "internal/prom/decode.h"

namespace gpumon::prom {
namespace {

// The same answer, with white space where the quick way ends.
std::string Spaced(std::string body) {
  for (const std::string_view front : {R"("result":[)", R"("values":[)"}) {
    for (std::size_t at = body.find(front); at != std::string::npos; at = body.find(front, at)) {
      at += front.size();
      body.insert(at, 1, ' ');
    }
  }
  return body;
}

std::string Shown(const Point& point) {
  return std::to_string(std::bit_cast<std::uint64_t>(point.at)) + ' ' +
         (point.value != point.value ? "NaN"
                                     : std::to_string(std::bit_cast<std::uint64_t>(point.value)));
}

std::string Shown(LabelSet labels) {
  std::string text;
  for (const Label& label : labels) {
    text.append(label.name).append("=").append(label.value).append(1, '\0');
  }
  return text + '\n';
}

// All of a result but the size of the body.
std::string Shown(std::string body) {
  const Result<QueryResult> result = Decode(std::move(body));
  if (!result) return "error " + std::to_string(static_cast<int>(result.error().code));
  std::string text = std::to_string(result->bad_samples) + (result->partial ? " partial\n" : "\n");
  for (const auto* notices : {&result->warnings, &result->infos}) {
    for (const std::string& notice : *notices) text += notice + '\n';
  }
  if (const auto* vector = std::get_if<InstantVector>(&result->value)) {
    text += "vector\n";
    for (std::size_t i = 0; i < vector->size(); ++i) {
      text += Shown(vector->point(i)) + Shown(vector->labels(i));
    }
  } else if (const auto* matrix = std::get_if<RangeVector>(&result->value)) {
    text += "matrix\n";
    for (std::size_t i = 0; i < matrix->size(); ++i) {
      for (const Point& point : matrix->points(i)) text += Shown(point) + ',';
      text += Shown(matrix->labels(i));
    }
  } else if (const auto* scalar = std::get_if<Scalar>(&result->value)) {
    text += "scalar " + Shown(scalar->point);
  } else {
    text += "string " + std::get<String>(result->value).value;
  }
  return text;
}

class DecodeFormsTest : public ::testing::Test {
 protected:
  // As Prometheus writes it.
  std::string Canonical(bool matrix, std::size_t series) {
    std::string body = R"({"status":"success","data":{"resultType":")" +
                       std::string(matrix ? "matrix" : "vector") + R"(","result":[)";
    for (std::size_t i = 0; i < series; ++i) {
      body.append(i == 0 ? "" : ",").append(R"({"metric":{)");
      const std::size_t labels = random_() % 5;
      for (std::size_t l = 0; l < labels; ++l) {
        body += (l == 0 ? "\"" : ",\"") + Text() + "\":\"" + Text() + '"';
      }
      body += matrix ? R"(},"values":[)" : R"(},"value":)";
      const std::size_t points = matrix ? 1 + random_() % 4 : 1;
      for (std::size_t p = 0; p < points; ++p) {
        body += (p == 0 ? "[" : ",[") + std::string(One(kTimes)) + ",\"" +
                std::string(One(kValues)) + "\"]";
      }
      body += matrix ? "]}" : "}";
    }
    return body + "]}}";
  }

  std::string Damaged(std::string body) {
    static constexpr std::string_view kBytes = "\"\\{}[],: \n\t0123456789.eE+-nul\x01\x7f\xc3\xa9";
    for (std::size_t i = random_() % 3 + 1; i > 0 && !body.empty(); --i) {
      const std::size_t at = random_() % body.size();
      const char byte = kBytes[random_() % kBytes.size()];
      switch (random_() % 5) {
        case 0:
          body.erase(at, 1 + random_() % 4);
          break;
        case 1:
          body.insert(at, 1, byte);
          break;
        case 2:
          body.insert(at, body.substr(random_() % body.size(), random_() % 40));
          break;
        case 3:
          body.resize(at + 1);
          break;
        default:
          body[at] = byte;
      }
    }
    return body;
  }

  std::size_t Random(std::size_t below) { return random_() % below; }

 private:
  static constexpr std::array<std::string_view, 9> kTimes = {
      "0",
      "1704110400.123",
      "1704110400",
      "01",
      "1.",
      "-1",
      "1e3",
      "17041104001704110400170411",
      "1704110400170411040017041104001704110400.5"};
  static constexpr std::array<std::string_view, 9> kValues = {"1.5",  "0", "NaN", "+Inf", "-Inf",
                                                              "1e-7", "",  "inf", "1e999"};
  static constexpr std::array<std::string_view, 9> kTexts = {
      "gpu",         "__name__", "0",           "",    "a-rather-long-text-of-a-label",
      "caf\xc3\xa9", R"(a\"b)",  R"(\u00e9\\)", "\xff"};

  template <class Texts>
  std::string_view One(const Texts& texts) {
    // Mostly the good ones in front.
    return texts[random_() % 4 == 0 ? random_() % texts.size() : random_() % 3];
  }
  std::string Text() { return std::string(One(kTexts)); }

  std::mt19937 random_{20261201};
};

TEST_F(DecodeFormsTest, WhatPrometheusWritesIsReadAlike) {
  for (int i = 0; i < 4000; ++i) {
    const std::string body = Canonical(i % 2 == 0, Random(6));
    ASSERT_EQ(Shown(body), Shown(Spaced(body))) << body;
  }
}

TEST_F(DecodeFormsTest, WhatIsDamagedIsReadAlike) {
  int good = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::string body = Damaged(Canonical(i % 2 == 0, 1 + Random(5)));
    const std::string quick = Shown(body);
    ASSERT_EQ(quick, Shown(Spaced(body))) << body;
    good += quick.starts_with("error") ? 0 : 1;
  }
  EXPECT_GT(good, 1000) << "not all of them may be beyond reading";
}

TEST_F(DecodeFormsTest, AnEndWhereverItComesIsReadAlike) {
  for (const bool matrix : {false, true}) {
    const std::string body = Canonical(matrix, 4);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const std::string front = body.substr(0, size);
      ASSERT_EQ(Shown(front), Shown(Spaced(front))) << front;
    }
  }
}

}  // namespace
}  // namespace gpumon::prom
