// Walks a JSON document strictly: every mistake names its place.
#pragma once

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::schema {

// Thrown while a schema is read, and caught by Load: it ends the reading of the whole text.
struct Mistake {
  std::string text;
};

// What is quoted of the text may be any bytes.
[[noreturn]] inline void Refuse(const std::string& place, const std::string& what) {
  throw Mistake{ReplaceHidden(ToValidUtf8(place + ": " + what), "?")};
}

// What to try instead of `word`, as the end of a sentence.
template <class Words>
std::string DidYouMean(std::string_view word, const Words& words) {
  const std::string_view nearest = NearestWord(word, words);
  if (!nearest.empty()) return "; did you mean \"" + std::string(nearest) + "\"?";
  std::string all;
  for (const std::string_view known : words) {
    all.append(all.empty() ? "; known: " : ", ").append(known);
  }
  return all;
}

// A value and where it stands, for errors.
class Node {
 public:
  Node(const json::Value& value, std::string place) : value_(value), place_(std::move(place)) {}

  const std::string& place() const { return place_; }
  const json::Value& value() const { return value_; }
  [[noreturn]] void Fail(const std::string& what) const { Refuse(place_, what); }

  // Refuses every key that is not one of `known`.
  void OnlyKeys(std::span<const std::string_view> known) const {
    if (!value_.is_object()) Fail("must be an object");
    for (const auto& [key, unused] : value_.members()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        Fail("unknown key \"" + key + '"' + DidYouMean(key, known));
      }
    }
  }
  std::optional<Node> Find(std::string_view key) const {
    const json::Value* const found = value_.Find(key);
    if (found == nullptr) return std::nullopt;
    return Node(*found, place_ + '.' + std::string(key));
  }
  Node At(std::string_view key) const {
    auto found = Find(key);
    if (!found) Fail("the key \"" + std::string(key) + "\" is missing");
    return *found;
  }
  std::vector<Node> Elements() const {
    if (!value_.is_array()) Fail("must be an array");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < value_.size(); ++i) {
      nodes.emplace_back(value_[i], place_ + '[' + std::to_string(i) + ']');
    }
    return nodes;
  }
  std::vector<Node> ElementsOf(std::string_view key) const {
    const auto found = Find(key);
    return found ? found->Elements() : std::vector<Node>();
  }
  std::string Text() const {
    const std::string* const text = value_.AsString();
    if (text == nullptr) Fail("must be a text");
    return *text;
  }
  std::string TextOf(std::string_view key) const {
    const auto found = Find(key);
    return found ? found->Text() : std::string();
  }
  double Number() const {
    const auto number = value_.AsDouble();
    if (!number || !std::isfinite(*number)) Fail("must be a number");
    return *number;
  }
  bool FlagOf(std::string_view key) const {
    const auto found = Find(key);
    if (!found) return false;
    const auto flag = found->value().AsBool();
    if (!flag) found->Fail("must be true or false");
    return *flag;
  }

 private:
  const json::Value& value_;
  std::string place_;
};

}  // namespace gpumon::schema
