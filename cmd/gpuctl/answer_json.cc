#include "cmd/gpuctl/answer_json.h"

namespace gpumon::ctl {

using json::Value;

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
