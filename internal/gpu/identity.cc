#include "internal/gpu/identity.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "internal/base/text.h"

namespace gpumon::gpu {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool StartsWith(std::string_view text, std::string_view lower_prefix) {
  return text.size() > lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                    [](char a, char b) { return a == Lower(b); });
}

// 8-4-4-4-12 hexadecimal digits.
bool IsBareUuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), kShape.begin(), kShape.end(), [](char c, char shape) {
    const char lower = Lower(c);
    const bool digit = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
    return shape == 'x' ? digit : c == '-';
  });
}

bool SplitsWords(char c) {
  return c == ' ' || c == '-' || c == '_';
}

// Takes the first word away; "" where there is none.
std::string_view TakeWord(std::string_view& text) {
  while (!text.empty() && SplitsWords(text.front())) text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && !SplitsWords(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool HasWord(std::string_view text, std::string_view word) {
  for (auto its = TakeWord(text); !its.empty(); its = TakeWord(text)) {
    if (EqualsIgnoreCase(its, word)) return true;
  }
  return false;
}

bool HasAllWords(std::string_view text, std::string_view words) {
  for (auto word = TakeWord(words); !word.empty(); word = TakeWord(words)) {
    if (!HasWord(text, word)) return false;
  }
  return true;
}

struct Parts {
  std::string_view prefix;  // as it should be; "" of other makers' UUIDs
  std::string_view rest;    // as it is
};

Parts Split(std::string_view uuid, bool nvidia) {
  if (StartsWith(uuid, "gpu-")) return {"GPU-", uuid.substr(4)};
  if (StartsWith(uuid, "mig-gpu-")) return {"MIG-GPU-", uuid.substr(8)};
  if (StartsWith(uuid, "mig-")) return {"MIG-", uuid.substr(4)};
  return {nvidia && IsBareUuid(uuid) ? "GPU-" : "", uuid};
}

}  // namespace

bool NamesAgree(std::string_view a, std::string_view b) {
  return Agree(a, b) || HasAllWords(a, b) || HasAllWords(b, a);
}

bool IsMigUuid(std::string_view uuid) {
  return StartsWith(uuid, "mig-");
}

bool IsDecimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int32_t ParseGpuIndex(std::string_view id) {
  if (!IsDecimal(id) || id.size() > 6 || (id.size() > 1 && id[0] == '0')) {
    return models::GpuMetrics::kNoIndex;
  }
  std::int32_t index = 0;
  std::from_chars(id.data(), id.data() + id.size(), index);
  return index;
}

std::optional<std::string> RewriteUuid(std::string_view uuid, std::string_view vendor) {
  const auto [prefix, rest] = Split(uuid, vendor == "NVIDIA");
  const bool as_it_should_be =
      prefix.empty() ||
      (uuid.starts_with(prefix) &&
       std::all_of(rest.begin(), rest.end(), [](char c) { return c == Lower(c); }));
  if (as_it_should_be) return std::nullopt;
  std::string text(prefix);
  std::transform(rest.begin(), rest.end(), std::back_inserter(text), Lower);
  return text;
}

std::string_view KeepUuid(std::string_view uuid, std::string_view vendor, models::Arena& arena) {
  const auto rewritten = RewriteUuid(uuid, vendor);
  return arena.Keep(rewritten ? *rewritten : uuid);
}

bool IsSameUuid(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const Parts one = Split(a, true);
  const Parts other = Split(b, true);
  return !one.prefix.empty() && one.prefix == other.prefix &&
         std::equal(one.rest.begin(), one.rest.end(), other.rest.begin(), other.rest.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace gpumon::gpu
