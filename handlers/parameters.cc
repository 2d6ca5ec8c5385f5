#include "handlers/parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "internal/base/text.h"
#include "internal/base/words.h"
#include "internal/http/encoding.h"

namespace gpumon::handlers {
namespace {

constexpr std::size_t kMaxRepeats = 100;
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxList = 4096;
constexpr std::size_t kMaxNodeName = 253;
constexpr std::size_t kMaxShown = 64;

// Letters, digits and `others`.
bool IsName(std::string_view text, std::string_view others) {
  return !text.empty() && text.size() <= kMaxNodeName &&
         std::all_of(text.begin(), text.end(), [others](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  others.find(c) != std::string_view::npos;
         });
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  const bool digits =
      !text.empty() && text.size() <= 18 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text.empty() || text.size() > 64) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

struct DurationUnit {
  std::string_view name;
  std::int64_t millis;
};
// "ms" ends like "s": it comes first.
constexpr std::array kDurationUnits = {
    DurationUnit{"ms", 1},        DurationUnit{"w", 604'800'000}, DurationUnit{"d", 86'400'000},
    DurationUnit{"h", 3'600'000}, DurationUnit{"m", 60'000},      DurationUnit{"s", 1'000}};

std::optional<Millis> ParseDuration(std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000'000;  // of a unit, as no product passes 64 bits
  std::int64_t unit = 1000;
  for (const DurationUnit& one : kDurationUnits) {
    if (!text.ends_with(one.name)) continue;
    unit = one.millis;
    text.remove_suffix(one.name.size());
    break;
  }
  const auto number = ParseInteger(text);
  if (!number || *number > kMost / unit * 1000) return std::nullopt;
  return Millis(*number * unit);
}

bool IsFlag(std::string_view value) {
  return value.empty() || IsOneOf("true|false|1|0", value);
}

// A name as an error may show it.
std::string Shown(std::string_view name) {
  std::string shown = ToValidUtf8(name.substr(0, kMaxShown));
  if (HasHiddenCharacter(shown)) return "(unprintable)";
  return shown.empty() ? "(empty)" : shown;
}

// A name that has to go on with something else, as `min_` with a field: one that does, or "".
std::string_view LongerName(std::string_view name, std::span<const ParameterSpec> specs) {
  if (!name.ends_with('_')) return {};
  const auto longer = std::find_if(specs.begin(), specs.end(), [&](const ParameterSpec& spec) {
    return spec.name.starts_with(name);
  });
  return longer == specs.end() ? std::string_view() : longer->name;
}

Status Unknown(std::string_view name, std::span<const ParameterSpec> specs) {
  if (name.empty()) return {Code::kInvalidParameter, "a parameter has a `=` but no name before it"};
  if (const auto longer = LongerName(name, specs); !longer.empty()) {
    return {Code::kInvalidParameter,
            "parameter '" + Shown(name) + "' needs a field, as '" + std::string(longer) + "' has"};
  }
  std::string message = "unknown parameter '" + Shown(name) + "'";
  std::vector<std::string_view> names;
  names.reserve(specs.size());
  for (const auto& spec : specs) names.push_back(spec.name);
  if (const auto near = MeantBy(name, names); !near.empty()) {
    message += "; did you mean '" + std::string(near) + "'?";
  } else if (specs.empty()) {
    message += "; this route takes none";
  } else {
    message += "; the OpenAPI document lists the parameters of this route";
  }
  return Status{Code::kInvalidParameter, std::move(message)};
}

// Names the parameter whose value cannot be decoded, where its name can.
Status BrokenEscape(std::string_view query) {
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    const std::size_t equals = piece.find('=');
    const auto name = http::PercentDecode(piece.substr(0, equals), true);
    if (!name) return {Code::kInvalidParameter, "a parameter's name has a broken percent escape"};
    if (equals != std::string_view::npos && !http::PercentDecode(piece.substr(equals + 1), true)) {
      return {Code::kInvalidParameter,
              "parameter '" + Shown(*name) + "' has a broken percent escape"};
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return {Code::kInvalidParameter, "the query string has a broken percent escape"};
}

}  // namespace

std::string_view MeantBy(std::string_view name, const std::vector<std::string_view>& names) {
  return name.size() > kMaxShown ? std::string_view() : NearestWord(name, names);
}

std::string FormatDuration(Millis duration) {
  for (const std::string_view name : {"d", "h", "m", "s"}) {
    const auto* const unit =
        std::find_if(kDurationUnits.begin(), kDurationUnits.end(),
                     [&](const DurationUnit& one) { return one.name == name; });
    if (duration.count() % unit->millis == 0) {
      return std::to_string(duration.count() / unit->millis) + std::string(name);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

std::optional<std::string> WhyNot(const ParameterSpec& spec, std::string_view value) {
  switch (spec.kind) {
    case ParameterKind::kFlag:
      if (!IsFlag(value)) return "true or false";
      break;
    case ParameterKind::kText:
      if (value.empty() || value.size() > kMaxText || !IsValidUtf8(value) ||
          HasHiddenCharacter(value)) {
        return "1 to 256 bytes of UTF-8 without control characters or marks that turn "
               "the direction of text";
      }
      break;
    case ParameterKind::kList:
      if (value.empty() || value.size() > kMaxList || HasHiddenCharacter(value)) {
        return "names separated by commas";
      }
      break;
    case ParameterKind::kNodeName:
      if (!IsName(value, "._:*-")) {
        return "1 to 253 letters, digits and . _ : -, with * for any run of characters";
      }
      break;
    case ParameterKind::kName:
      if (!IsName(value, "._:-")) return "1 to 253 letters, digits and . _ : -";
      break;
    case ParameterKind::kInteger: {
      const auto number = ParseInteger(value);
      if (!number || *number < spec.min || *number > spec.max) {
        return "a whole number from " + std::to_string(spec.min) + " to " +
               std::to_string(spec.max);
      }
      break;
    }
    case ParameterKind::kNumber:
      if (!ParseNumber(value)) return "a number";
      break;
    case ParameterKind::kTime:
      if (!ParseTime(value))
        return "a time as 2024-01-01T12:00:00Z or in Unix seconds, in the years 1970 to 9999";
      break;
    case ParameterKind::kDuration: {
      const auto duration = ParseDuration(value);
      if (!duration || duration->count() < spec.min || duration->count() > spec.max) {
        return "a duration from " + FormatDuration(Millis(spec.min)) + " to " +
               FormatDuration(Millis(spec.max)) + ", like 30s, 5m, 12h or 7d";
      }
      break;
    }
    case ParameterKind::kWord:
      if (!IsOneOf(spec.words, value)) return "one of " + std::string(spec.words);
      break;
    case ParameterKind::kPattern:
      if (!AnyWord(spec.words, [&](std::string_view word) { return GlobMatch(value, word); })) {
        return "one of " + std::string(spec.words) + ", or with *";
      }
      break;
  }
  return std::nullopt;
}

Result<Parameters> Parameters::Parse(std::string_view query, std::span<const ParameterSpec> specs) {
  Parameters parsed;
  if (query.empty()) return parsed;
  const auto raw = http::ParseQuery(query);
  if (!raw) return Error(BrokenEscape(query));
  for (const auto& [name, value] : *raw) {
    const auto spec =
        std::find_if(specs.begin(), specs.end(),
                     [&, &wanted = name](const ParameterSpec& s) { return s.name == wanted; });
    if (spec == specs.end()) return Error(Unknown(name, specs));
    auto& values = parsed.values_[name];
    if (!values.empty() && !spec->repeatable) {
      return Error(Code::kInvalidParameter, "parameter '" + name + "' may be given once only");
    }
    if (values.size() >= kMaxRepeats) {
      return Error(Code::kInvalidParameter, "parameter '" + name + "' is given more than " +
                                                std::to_string(kMaxRepeats) + " times");
    }
    if (const auto allowed = WhyNot(*spec, value)) {
      return Error(Code::kInvalidParameter,
                   "parameter '" + name + "' has a wrong value; allowed: " + *allowed);
    }
    values.push_back(value);
  }
  return parsed;
}

const std::vector<std::string>& Parameters::All(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

const std::string& Parameters::Text(std::string_view name) const {
  static const std::string kEmpty;
  const auto& all = All(name);
  return all.empty() ? kEmpty : all.front();
}

std::optional<std::int64_t> Parameters::Integer(std::string_view name) const {
  return Has(name) ? ParseInteger(Text(name)) : std::nullopt;
}

std::optional<double> Parameters::Number(std::string_view name) const {
  return Has(name) ? ParseNumber(Text(name)) : std::nullopt;
}

std::optional<Millis> Parameters::Duration(std::string_view name) const {
  return Has(name) ? ParseDuration(Text(name)) : std::nullopt;
}

bool Parameters::Flag(std::string_view name) const {
  return Has(name) && Text(name) != "false" && Text(name) != "0";
}

}  // namespace gpumon::handlers
