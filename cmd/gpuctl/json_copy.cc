#include "cmd/gpuctl/json_copy.h"

namespace gpumon::ctl {

using json::Value;

void Copy(const Value& value, json::Writer& writer) {
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
      for (const Value& element : value.elements()) Copy(element, writer);
      return writer.EndArray();
    case Value::Type::kObject:
      writer.BeginObject();
      for (const auto& [name, member] : value.members()) {
        writer.Key(name);
        Copy(member, writer);
      }
      return writer.EndObject();
  }
}

}  // namespace gpumon::ctl
