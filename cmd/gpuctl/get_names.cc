#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/get.h"
#include "internal/base/clock.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using json::Value;

bool Names(std::string_view name, std::string_view whole) {
  if (name == whole) return true;
  const std::string_view row = whole.substr(whole.find('/') + 1);
  return name == row || row.starts_with(std::string(name) + '/') ||
         row.ends_with('/' + std::string(name));
}

// The times that each of two windows finds for one moment are no more than a step apart. They stand
// at the end.
bool NamesMoment(std::string_view name, std::string_view whole, Millis step) {
  const std::size_t name_end = name.rfind('/');
  const std::size_t whole_end = whole.rfind('/');
  if (name_end == std::string_view::npos || whole_end == std::string_view::npos) return false;
  const auto one = ParseTime(name.substr(name_end + 1));
  const auto other = ParseTime(whole.substr(whole_end + 1));
  if (!one || !other || *one - *other > step || *other - *one > step) return false;
  name = name.substr(0, name_end);
  whole = whole.substr(0, whole_end);
  return name == whole || name == whole.substr(whole.find('/') + 1);
}

Millis StepOf(const Value& answer) {
  const std::string* const seconds = answer["meta"]["window"]["step_seconds"].AsNumberText();
  const double step = seconds == nullptr ? 0 : std::strtod(seconds->c_str(), nullptr);
  constexpr double kDay = 86'400;
  return Millis(step > 0 && step <= kDay ? std::llround(step * 1000) : 0);
}

}  // namespace

Value ChooseRows(const Resource& resource, const Value& answer,
                 const std::vector<std::string>& names, std::vector<std::string>& missing) {
  std::vector<bool> used(names.size());
  const Millis step = StepOf(answer);
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
      if (!Names(names[i], whole) && !NamesMoment(names[i], whole, step)) continue;
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
