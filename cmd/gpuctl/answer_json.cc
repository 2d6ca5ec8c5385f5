#include "cmd/gpuctl/answer_json.h"

#include <string_view>

namespace gpumon::ctl {

using json::Value;

namespace {

void Indent(const Value& value, std::size_t depth, std::string& out) {
  const auto line = [&out](std::size_t at) { out.append("\n").append(2 * at, ' '); };
  const auto text = [](std::string_view name) {
    json::Writer writer;
    writer.String(name);
    return writer.Take();
  };
  if (value.size() == 0 || (!value.is_array() && !value.is_object())) {
    json::Writer writer;
    CopyJson(value, writer);
    out += writer.view();
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
