// The text of one sample's value, judged by the C library's strtod.
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "internal/prom/decode.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

// As JSON writes it; bytes that are not ASCII stay.
std::string InJson(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out;
}

bool StartsAsNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

struct Reading {
  double value = 0;
  bool whole = false;     // all of the text, and decimal
  bool in_range = false;  // neither too large nor too small
};

Reading ByTheLibrary(const std::string& text) {
  Reading reading;
  char* end = nullptr;
  errno = 0;
  reading.value = std::strtod(text.c_str(), &end);
  reading.in_range = errno == 0;
  reading.whole = StartsAsNumber(text) && end == text.c_str() + text.size() &&
                  text.find_first_of("xX") == std::string::npos;
  return reading;
}

bool Same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace

void SampleValue(std::string_view input) {
  const std::string text(input.substr(0, 4096));
  const auto result = prom::Decode(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,")" +
      InJson(text) + R"("]}]}})");
  Require(result.has_value(), "an answer with an odd value is an answer");
  const auto* vector = std::get_if<prom::InstantVector>(&result->value);
  Require(vector != nullptr && vector->size() == 1, "its sample stays");
  const double value = vector->point(0).value;
  const bool bad = result->bad_samples != 0;
  if (text == "NaN" || text == "+Inf" || text == "-Inf") {
    Require(!bad && !std::isfinite(value), "Prometheus's three words are read");
    return;
  }
  const Reading reading = ByTheLibrary(text);
  if (bad) {
    Require(std::isnan(value), "what is no number is NaN");
    Require(!(reading.whole && reading.in_range), "a number is read");
    return;
  }
  Require(std::isfinite(value), "a number is finite");
  Require(reading.whole && Same(reading.value, value), "a number is read as it is written");
}

}  // namespace gpumon::fuzz
