// The quick way through an answer: nearly all of it is series and samples in one form, in which
// RapidJSON looks at every token. What is not in that form, to the character, is left to RapidJSON.
#include <cstdint>
#include <cstring>

#include "internal/json/plain_text.h"
#include "internal/prom/answer.h"

namespace gpumon::prom {
namespace {

// `front` is a literal: it is compared without a call.
template <std::size_t N>
bool Take(std::string_view& text, const char (&front)[N]) {
  if (text.size() < N - 1 || std::memcmp(text.data(), front, N - 1) != 0) return false;
  text.remove_prefix(N - 1);
  return true;
}

// memcmp without a call, for texts as short as those of labels mostly are.
bool Same(const char* a, const char* b, std::size_t size) {
  const auto differ = [a, b](std::size_t at) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a + at, sizeof(x));
    std::memcpy(&y, b + at, sizeof(y));
    return x != y;
  };
  if (size < sizeof(std::uint64_t)) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  for (std::size_t at = 0; at + sizeof(std::uint64_t) < size; at += sizeof(std::uint64_t)) {
    if (differ(at)) return false;
  }
  return !differ(size - sizeof(std::uint64_t));
}

// A number of JSON without an exponent, as times are; empty where there is none.
std::string_view TakeTime(std::string_view& text) {
  constexpr std::size_t kLongest = 32;
  const std::string_view front = text.substr(0, kLongest);
  const auto digits = [front](std::size_t at) {
    while (at < front.size() && front[at] >= '0' && front[at] <= '9') ++at;
    return at;
  };
  std::size_t size = digits(0);
  if (size == 0 || (text[0] == '0' && size > 1)) return {};
  if (size + 1 < text.size() && text[size] == '.') {
    const std::size_t end = digits(size + 1);
    if (end == size + 1) return {};
    size = end;
  }
  const std::string_view number = text.substr(0, size);
  text.remove_prefix(size);
  return number;
}

}  // namespace

std::size_t Answer::TakeElements(std::string_view rest) {
  if (at() == At::kResult) return TakeSamples(rest);
  return at() == At::kPoints ? TakePoints(rest) : 0;
}

std::size_t Answer::TakeSamples(std::string_view rest) {
  std::string_view text = rest;
  while (true) {
    std::string_view next = text;
    const std::size_t size = labels.size();
    const Element before = element_;
    const std::size_t labels_before = before_;
    // The last one has no comma behind it: a trailing comma is RapidJSON's to refuse.
    if (!TakeSample(next) || !next.starts_with(",{")) {
      labels.resize(size);
      element_ = before;
      before_ = labels_before;
      return rest.size() - text.size();
    }
    EndElement();
    next.remove_prefix(1);
    text = next;
  }
}

bool Answer::TakeSample(std::string_view& text) {
  if (!Take(text, R"({"metric":{)")) return false;
  BeginElement();
  if (!TakeLabels(text) || !Take(text, R"(,"value":)")) return false;
  element_.has_value = true;
  return TakePoint(text, element_.value) && Take(text, "}");
}

bool Answer::TakeLabels(std::string_view& text) {
  if (Take(text, "}")) return true;
  do {
    const Label known = Before();
    Label label;
    if (!Take(text, "\"")) return false;
    label.name = TakeText(text, known.name);
    if (label.name.data() == nullptr || !Take(text, ":\"")) return false;
    label_text_ = text.data();
    label.value = TakeText(text, known.value);
    if (label.value.data() == nullptr) return false;
    labels.push_back(label);
  } while (Take(text, ","));
  return Take(text, "}");
}

// The rest of a string behind its opening quote; `known` itself, which was taken here too, where it
// is the same.
std::string_view Answer::TakeText(std::string_view& text, std::string_view known) {
  if (known.data() != nullptr && text.size() > known.size() && text[known.size()] == '"' &&
      Same(text.data(), known.data(), known.size())) {
    text.remove_prefix(known.size() + 1);
    return known;
  }
  const std::size_t size = json::PlainLength(text, false);
  if (size >= text.size() || text[size] != '"') return {};
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size + 1);
  return taken;
}

bool Answer::TakePoint(std::string_view& text, OpenPoint& open) {
  if (!Take(text, "[")) return false;
  const std::string_view time = TakeTime(text);
  if (time.empty() || !Take(text, ",\"")) return false;
  AddToPoint(open, Kind::kNumber, time);
  const std::string_view value = TakeText(text, {});
  if (value.data() == nullptr) return false;
  AddToPoint(open, Kind::kString, value);
  return Take(text, "]");
}

std::size_t Answer::TakePoints(std::string_view rest) {
  std::string_view text = rest;
  while (true) {
    std::string_view next = text;
    OpenPoint open;
    if (!TakePoint(next, open) || !next.starts_with(",[")) return rest.size() - text.size();
    next.remove_prefix(1);
    text = next;
    if (open.sound()) {
      points.push_back(open.point);
    } else {
      ++bad_points;
    }
  }
}

}  // namespace gpumon::prom
