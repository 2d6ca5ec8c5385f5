// A small JSON document in memory: configuration, health answers, tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "internal/base/result.h"
#include "internal/json/reader.h"

namespace gpumon::json {

// One immutable JSON value. A copy is deep. Asking for what is not there gives null, never a
// crash: value["data"][0]["node"].AsString() is safe on any document.
class Value {
 public:
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  using Array = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Object = std::vector<Member>;  // in the text's order

  Value() = default;

  Type type() const;
  bool is_null() const { return type() == Type::kNull; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_object() const { return type() == Type::kObject; }

  // Nothing (null) when the value is of another type.
  std::optional<bool> AsBool() const;
  std::optional<double> AsDouble() const;
  // Nothing too when the number has a fraction or an exponent, or is beyond 64 bits.
  std::optional<std::int64_t> AsInteger() const;
  const std::string* AsString() const;
  // The number as it stands in the text.
  const std::string* AsNumberText() const;

  // Elements or members; 0 for the rest.
  std::size_t size() const;
  const Value& operator[](std::size_t i) const;
  const Value& operator[](int i) const { return (*this)[static_cast<std::size_t>(i)]; }
  const Value& operator[](std::string_view name) const;
  const Value& operator[](const char* name) const { return (*this)[std::string_view(name)]; }
  // Null when there is no member of that name.
  const Value* Find(std::string_view name) const;
  // Empty for other types.
  const Array& elements() const;
  const Object& members() const;

 private:
  friend class DocumentHandler;
  struct NumberText {
    std::string text;
  };
  std::variant<std::monostate, bool, NumberText, std::string, Array, Object> value_;
};

// Errors as Read; an object with the same name twice is an error too, and says the name.
Result<Value> ParseDocument(std::string_view text, const ReadOptions& options = {});

}  // namespace gpumon::json
