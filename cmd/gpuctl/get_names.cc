#include <algorithm>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/get.h"

namespace gpumon::ctl {
namespace {

using json::Value;

bool Names(std::string_view name, std::string_view whole) {
  if (name == whole) return true;
  const std::string_view row = whole.substr(whole.find('/') + 1);
  return name == row || row.starts_with(std::string(name) + '/') ||
         row.ends_with('/' + std::string(name));
}

}  // namespace

Value ChooseRows(const Resource& resource, const Value& answer,
                 const std::vector<std::string>& names, std::vector<std::string>& missing) {
  std::vector<bool> used(names.size());
  json::Writer writer;
  writer.BeginObject();
  for (const auto& [key, member] : answer.members()) {
    if (key == "data") continue;
    writer.Key(key);
    CopyJson(member, writer);
  }
  writer.Key("data");
  writer.BeginArray();
  for (const Value& row : answer["data"].elements()) {
    const std::string whole = RowName(resource, row);
    bool wanted = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!Names(names[i], whole)) continue;
      used[i] = true;
      wanted = true;
    }
    if (wanted) CopyJson(row, writer);
  }
  writer.EndArray();
  writer.EndObject();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!used[i]) missing.push_back(names[i]);
  }
  auto chosen = json::ParseDocument(writer.view());
  return chosen ? *std::move(chosen) : Value();
}

}  // namespace gpumon::ctl
