#include "internal/checks/exposition_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "internal/base/text.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kSpace = " \t\r";

void SkipSpace(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
}

// The front of `text` up to one of `ends`.
std::string_view Take(std::string_view& text, std::string_view ends) {
  const std::string_view word = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(word.size());
  return word;
}

bool TakeOne(std::string_view& text, char c) {
  SkipSpace(text);
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Behind the opening quote, to behind the closing one.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return ToValidUtf8(value);
    }
    const bool is_escaped = text[i] == '\\' && i + 1 < text.size();
    if (is_escaped) ++i;
    value += is_escaped && text[i] == 'n' ? '\n' : text[i];
  }
  return std::nullopt;
}

bool TakeLabels(std::string_view& text, TextSample& sample) {
  while (!TakeOne(text, '}')) {
    SkipSpace(text);
    const std::string_view name = Take(text, "= \t");
    if (name.empty() || !TakeOne(text, '=') || !TakeOne(text, '"')) return false;
    auto value = TakeQuoted(text);
    if (!value) return false;
    sample.labels.emplace_back(name, *std::move(value));
    TakeOne(text, ',');
  }
  return true;
}

std::optional<TextSample> ReadSample(std::string_view line) {
  TextSample sample;
  sample.name = Take(line, "{ \t");
  if (sample.name.empty()) return std::nullopt;
  if (TakeOne(line, '{') && !TakeLabels(line, sample)) return std::nullopt;
  SkipSpace(line);
  std::string_view number = Take(line, kSpace);
  if (number.starts_with('+')) number.remove_prefix(1);
  const char* const end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, sample.value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return sample;
}

}  // namespace

std::string_view TextSample::Label(std::string_view label) const {
  for (const auto& [key, text] : labels) {
    if (key == label) return text;
  }
  return {};
}

ExpositionText ReadExposition(std::string_view text) {
  ExpositionText all;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    SkipSpace(line);
    if (line.empty() || line.starts_with('#')) continue;
    auto sample = ReadSample(line);
    if (!sample) {
      ++all.bad_lines;
    } else if (std::isfinite(sample->value)) {
      all.samples.push_back(*std::move(sample));
    }
  }
  return all;
}

}  // namespace gpumon::checks
