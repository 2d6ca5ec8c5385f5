#include "cmd/gpuctl/answer_json.h"

#include <string_view>

#include "internal/base/text.h"

namespace gpumon::ctl {

using json::Value;

namespace {

void Indent(const Value& value, std::size_t depth, std::string& out) {
  const auto line = [&out](std::size_t at) { out.append("\n").append(2 * at, ' '); };
  const auto text = [](std::string_view name) {
    json::Writer writer;
    writer.String(name);
    return EscapeHidden(writer.view());
  };
  if (value.size() == 0 || (!value.is_array() && !value.is_object())) {
    json::Writer writer;
    CopyJson(value, writer);
    out += EscapeHidden(writer.view());
    return;
  }
  out += value.is_array() ? '[' : '{';
  const char* comma = "";
  for (const Value& element : value.elements()) {
    out += comma;
    line(depth + 1);
    Indent(element, depth + 1, out);
    comma = ",";
  }
  for (const auto& [name, member] : value.members()) {
    out += comma;
    line(depth + 1);
    out += text(name) + ": ";
    Indent(member, depth + 1, out);
    comma = ",";
  }
  line(depth);
  out += value.is_array() ? ']' : '}';
}

}  // namespace

std::string EscapeHidden(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t hidden = HiddenCharacterLength(text);
    if (hidden == 0) {
      const std::string_view character = FrontCharacters(text, 1);
      out += character;
      text.remove_prefix(character.size());
      continue;
    }
    unsigned point = static_cast<unsigned char>(text[0]);
    if (hidden == 2) point &= 0x1FU;
    if (hidden == 3) point &= 0x0FU;
    if (hidden == 4) point &= 0x07U;
    for (std::size_t i = 1; i < hidden; ++i) {
      point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    const auto add = [&](unsigned unit) {
      out += "\\u";
      for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kDigits[(unit >> shift) & 0xFU];
    };
    if (hidden == 4) {
      add(0xD800U + ((point - 0x10000U) >> 10U));
      point = 0xDC00U + ((point - 0x10000U) & 0x3FFU);
    }
    add(point);
    text.remove_prefix(hidden);
  }
  return out;
}

std::string IndentedJson(const Value& value) {
  std::string out;
  Indent(value, 0, out);
  return out;
}

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

void CopyJson(const Value& value, json::Writer& writer) {
  switch (value.type()) {
    case Value::Type::kNull:
      return writer.Null();
    case Value::Type::kBool:
      return writer.Bool(*value.AsBool());
    case Value::Type::kNumber:
      return writer.Raw(*value.AsNumberText());
    case Value::Type::kString:
      return writer.String(*value.AsString());
    case Value::Type::kArray:
      writer.BeginArray();
      for (const Value& element : value.elements()) CopyJson(element, writer);
      return writer.EndArray();
    case Value::Type::kObject:
      writer.BeginObject();
      for (const auto& [name, member] : value.members()) {
        writer.Key(name);
        CopyJson(member, writer);
      }
      return writer.EndObject();
  }
}

}  // namespace gpumon::ctl
