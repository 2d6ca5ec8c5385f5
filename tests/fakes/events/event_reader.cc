#include "tests/fakes/events/event_reader.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace gpumon::events {

json::Value Event::json() const {
  auto parsed = json::ParseDocument(data);
  return parsed ? *std::move(parsed) : json::Value();
}

std::vector<Event> EventReader::Take(std::string_view more) {
  rest_ += more;
  std::vector<Event> events;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    TakeLine(std::string_view(rest_).substr(begin, end - begin), events);
  }
  rest_.erase(0, begin);
  return events;
}

void EventReader::TakeLine(std::string_view line, std::vector<Event>& events) {
  if (line.empty()) {
    last_id_ = id_;
    if (!event_.data.empty()) {
      event_.data.pop_back();
      events.push_back(std::move(event_));
    }
    event_ = {};
    return;
  }
  if (line.front() == ':') {
    ++comments_;
    return;
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field == "data") event_.data.append(value).append(1, '\n');
  if (field == "id") id_ = value;
  if (field == "retry") retry_ = std::atoi(std::string(value).c_str());
}

std::string TextOf(const json::Value& value, const std::vector<std::string>& left_out) {
  using Type = json::Value::Type;
  std::string text;
  switch (value.type()) {
    case Type::kNull:
      return "null";
    case Type::kBool:
      return *value.AsBool() ? "true" : "false";
    case Type::kNumber:
      return *value.AsNumberText();
    case Type::kString:
      return '"' + *value.AsString() + '"';
    case Type::kArray:
      for (const auto& element : value.elements()) text += TextOf(element, left_out) + ',';
      return '[' + text + ']';
    case Type::kObject:
      for (const auto& [name, member] : value.members()) {
        if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
        text += name + ':' + TextOf(member, left_out) + ',';
      }
      return '{' + text + '}';
  }
  return text;
}

bool Follower::TakeRows(const json::Value& rows) {
  if (!rows.is_array()) return false;
  for (const auto& row : rows.elements()) {
    const std::string* key = row["key"].AsString();
    if (key == nullptr) return false;
    rows_[*key] = row;
    ++rows_sent_;
  }
  return true;
}

bool Follower::Take(const Event& event) {
  ++counts_[event.name];
  const json::Value data = event.json();
  if (event.name == "lag" || event.name == "end") return data.is_object();
  if (const std::string* as_of = data["as_of"].AsString()) as_of_ = *as_of;
  const auto stale = data["stale"].AsBool();
  if (!stale) return false;
  stale_ = *stale;
  if (event.name == "status") {
    const auto expired = data["expired"].AsBool();
    if (!expired) return false;
    expired_ = *expired;
    const std::string* code = data["code"].AsString();
    code_ = code == nullptr ? "" : *code;
    return true;
  }
  if (!data["partial"].AsBool() || !data["warnings"].is_array()) return false;
  if (event.name == "snapshot") {
    rows_.clear();
    return data["null_reasons"].is_object() && TakeRows(data["rows"]);
  }
  if (event.name != "changes" || !data["removed"].is_array()) return false;
  for (const auto& key : data["removed"].elements()) {
    if (key.AsString() == nullptr) return false;
    rows_.erase(*key.AsString());
  }
  return TakeRows(data["changed"]);
}

std::size_t Follower::count(const std::string& name) const {
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace gpumon::events
