#include "internal/json/document.h"

#include <charconv>

namespace gpumon::json {

// Builds a Value; open_ holds the way from the root down to what is being filled.
class DocumentHandler final : public Handler {
 public:
  bool Null() override { return Add(Value()); }
  bool Bool(bool value) override { return Add(Of(value)); }
  bool Number(std::string_view text) override {
    return Add(Of(Value::NumberText{std::string(text)}));
  }
  bool String(std::string_view text) override { return Add(Of(std::string(text))); }
  bool Key(std::string_view name) override {
    if (open_.back().Find(name) != nullptr) {
      duplicate_ = name;
      return false;
    }
    std::get<Value::Object>(open_.back().value_).emplace_back(std::string(name), Value());
    return true;
  }
  bool BeginObject() override {
    open_.push_back(Of(Value::Object()));
    return true;
  }
  bool EndObject() override { return CloseInnermost(); }
  bool BeginArray() override {
    open_.push_back(Of(Value::Array()));
    return true;
  }
  bool EndArray() override { return CloseInnermost(); }

  // The name that an object has twice.
  const std::optional<std::string>& duplicate() const { return duplicate_; }
  Value Take() { return std::move(root_); }

 private:
  template <class T>
  static Value Of(T inner) {
    Value value;
    value.value_ = std::move(inner);
    return value;
  }
  bool CloseInnermost() {
    Value done = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(done));
  }
  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = std::get_if<Value::Array>(&open_.back().value_)) {
      array->push_back(std::move(value));
    } else {
      std::get<Value::Object>(open_.back().value_).back().second = std::move(value);
    }
    return true;
  }

  std::vector<Value> open_;
  Value root_;
  std::optional<std::string> duplicate_;
};

Value::Type Value::type() const {
  return static_cast<Type>(value_.index());
}

std::optional<bool> Value::AsBool() const {
  const bool* value = std::get_if<bool>(&value_);
  return value == nullptr ? std::nullopt : std::optional<bool>(*value);
}

std::optional<double> Value::AsDouble() const {
  const std::string* text = AsNumberText();
  if (text == nullptr) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> Value::AsInteger() const {
  const std::string* text = AsNumberText();
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

const std::string* Value::AsString() const {
  return std::get_if<std::string>(&value_);
}

const std::string* Value::AsNumberText() const {
  const NumberText* number = std::get_if<NumberText>(&value_);
  return number == nullptr ? nullptr : &number->text;
}

std::size_t Value::size() const {
  return elements().size() + members().size();
}

const Value& Value::operator[](std::size_t i) const {
  static const Value kNull;
  return i < elements().size() ? elements()[i] : kNull;
}

const Value& Value::operator[](std::string_view name) const {
  static const Value kNull;
  const Value* found = Find(name);
  return found == nullptr ? kNull : *found;
}

const Value* Value::Find(std::string_view name) const {
  for (const Member& member : members()) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

const Value::Array& Value::elements() const {
  static const Array kNone;
  const Array* array = std::get_if<Array>(&value_);
  return array == nullptr ? kNone : *array;
}

const Value::Object& Value::members() const {
  static const Object kNone;
  const Object* object = std::get_if<Object>(&value_);
  return object == nullptr ? kNone : *object;
}

Result<Value> ParseDocument(std::string_view text, const ReadOptions& options) {
  DocumentHandler handler;
  Result<void> read = Read(text, handler, options);
  if (!read) {
    if (const auto& name = handler.duplicate()) {
      read.error().message.replace(0, 7, "the same name \"" + *name + "\" twice");
    }
    return tl::unexpected<Status>(std::move(read.error()));
  }
  return handler.Take();
}

}  // namespace gpumon::json
