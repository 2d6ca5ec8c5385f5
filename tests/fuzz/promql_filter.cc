// A client's text in a label filter of PromQL. The first byte chooses the operator.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "internal/prom/promql.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

constexpr std::array<std::string_view, 2> kLabels = {"node", "gpu"};

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

// Takes a string in double quotes off the front, as PromQL's lexer and Go's unquoting read it.
std::optional<std::string> TakeString(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    if (text[i] == '\n') return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == '\\' || text[i] == '"') {
      out += text[i];
    } else if (text[i] == 'n') {
      out += '\n';
    } else if (text[i] == 'x' && i + 2 < text.size()) {
      const auto high = HexDigit(text[i + 1]);
      const auto low = HexDigit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// The texts that a regular expression of escaped texts between `|` matches.
std::optional<std::vector<std::string>> Alternatives(std::string_view regex) {
  std::vector<std::string> all(1);
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '|') {
      all.emplace_back();
    } else if (regex[i] == '\\') {
      if (++i == regex.size()) return std::nullopt;
      all.back() += regex[i];
    } else if (std::string_view(".+*?()[]{}^$").find(regex[i]) != std::string_view::npos) {
      return std::nullopt;
    } else {
      all.back() += regex[i];
    }
  }
  return all;
}

// What stands between the quotes of `m{node<op>"..."}`; ends the process where it is anything else.
std::string ValueOf(const prom::Selector& selector, const std::string& front) {
  const auto text = selector.Build();
  Require(text.has_value(), "a known label is taken");
  Require(IsValidUtf8(*text), "PromQL is valid UTF-8");
  std::string_view rest = *text;
  Require(rest.starts_with(front), "the selector begins as it was meant to");
  rest.remove_prefix(front.size());
  const auto value = TakeString(rest);
  Require(value.has_value() && rest == "}", "the selector has this one filter");
  return *value;
}

}  // namespace

void PromqlFilter(std::string_view input) {
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  prom::Selector selector("m", kLabels);
  switch (input.front() % 4) {
    case 0:
      Require(ValueOf(selector.Equal("node", text), "m{node=") == text, "= keeps the text");
      break;
    case 1:
      Require(ValueOf(selector.NotEqual("node", text), "m{node!=") == text, "!= keeps the text");
      break;
    case 2: {
      const std::size_t half = text.size() / 2;
      const std::array values = {text.substr(0, half), text.substr(half)};
      const auto all = Alternatives(ValueOf(selector.OneOf("node", values), "m{node=~"));
      Require(
          all.has_value() && all->size() == 2 && (*all)[0] == values[0] && (*all)[1] == values[1],
          "=~ has these two texts");
      break;
    }
    default: {
      const auto built = selector.Equal(text, "x").Build();
      const bool known = text == "node" || text == "gpu";
      Require(built.has_value() == known, "no other label is taken");
      if (!built) RequireMessage(built.error().message);
    }
  }
}

}  // namespace gpumon::fuzz
