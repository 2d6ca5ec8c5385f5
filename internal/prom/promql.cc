#include "internal/prom/promql.h"

#include <algorithm>

#include "internal/base/text.h"

namespace gpumon::prom {
namespace {

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsName(std::string_view name, bool colons) {
  const auto start = [colons](char c) { return IsNameStart(c) || (colons && c == ':'); };
  const auto rest = [&start](char c) { return start(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && start(name.front()) && std::all_of(name.begin(), name.end(), rest);
}

void AppendHex(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

}  // namespace

bool IsMetricName(std::string_view name) {
  return IsName(name, true);
}
bool IsLabelName(std::string_view name) {
  return IsName(name, false);
}

std::string Quote(std::string_view text) {
  // PromQL's lexer refuses bytes that are not UTF-8, its strings can spell them.
  const bool utf8 = IsValidUtf8(text);
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
      AppendHex(out, c);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string EscapeRegex(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::vector<std::string_view> TermsOf(std::string_view promql) {
  constexpr std::string_view kOr = " or ";
  std::vector<std::string_view> terms;
  std::size_t first = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < promql.size(); ++i) {
    const char c = promql[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (std::string_view("([{").find(c) != std::string_view::npos) {
      ++depth;
    } else if (std::string_view(")]}").find(c) != std::string_view::npos) {
      --depth;
    } else if (depth == 0 && promql.substr(i).starts_with(kOr)) {
      terms.push_back(promql.substr(first, i - first));
      first = i + kOr.size();
      i = first - 1;
    }
  }
  terms.push_back(promql.substr(first));
  return terms;
}

Selector::Selector(std::string_view metric, std::span<const std::string_view> allowed)
    : metric_(metric), allowed_(allowed) {}

Selector& Selector::Equal(std::string_view label, std::string_view value) {
  return Add(label, "=", value);
}

Selector& Selector::NotEqual(std::string_view label, std::string_view value) {
  return Add(label, "!=", value);
}

Selector& Selector::OneOf(std::string_view label, std::span<const std::string_view> values) {
  // No RE2 text matches nothing at all but an impossible one does: a byte after the end.
  if (values.empty()) return Add(label, "=~", "$.");
  if (values.size() == 1) return Equal(label, values.front());
  std::string regex = EscapeRegex(values.front());
  for (const std::string_view value : values.subspan(1)) regex += '|' + EscapeRegex(value);
  return Add(label, "=~", regex);
}

Selector& Selector::Matches(std::string_view label, std::string_view regex) {
  return Add(label, "=~", regex);
}

Selector& Selector::Add(std::string_view label, std::string_view op, std::string_view value) {
  const bool known = std::find(allowed_.begin(), allowed_.end(), label) != allowed_.end();
  if (!known || !IsLabelName(label)) {
    if (!bad_label_) refused_ = label;
    bad_label_ = true;
    return *this;
  }
  if (!matchers_.empty()) matchers_ += ',';
  matchers_ += label;
  matchers_ += op;
  matchers_ += Quote(value);
  return *this;
}

Result<std::string> Selector::Build() const {
  if (!IsMetricName(metric_)) {
    return Error(Code::kInvalidParameter,
                 "not a metric name: " + Quote(ReplaceHidden(ToValidUtf8(metric_), "?")));
  }
  if (bad_label_) {
    std::string known;
    for (const std::string_view label : allowed_)
      known += (known.empty() ? "" : ", ") + std::string(label);
    const std::string shown = ReplaceHidden(ToValidUtf8(refused_), "?");
    return Error(Code::kInvalidParameter,
                 "no filter by label " + Quote(shown) + "; filters exist for " + known);
  }
  return matchers_.empty() ? metric_ : metric_ + '{' + matchers_ + '}';
}

}  // namespace gpumon::prom
