#include "internal/gpud/answers.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::gpud {
namespace {

using json::Value;

std::string TextOf(const Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? std::string() : *text;
}

std::optional<double> NumberOf(const Value& value) {
  if (const auto number = value.AsDouble()) return number;
  const std::string* const text = value.AsString();
  double number = 0;
  if (text == nullptr || text->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

std::optional<WallTime> TimeOf(const Value& value) {
  if (const auto number = value.AsDouble()) return TimeOfNumber(*number);
  return ParseTime(TextOf(value));
}

// It has a list by the name of `what`, or none to give.
bool IsComponent(const Value& value, const char* what) {
  const Value& list = value[what];
  return value.is_object() &&
         (list.is_array() || (list.is_null() && value["component"].AsString()));
}

// The array that all of GPUd's lists are, of components with a list by the name of `what`.
Result<Value> ReadList(std::string_view body, const char* what) {
  auto document = json::ParseDocument(body);
  if (!document) {
    return Error(Code::kUpstreamInvalid, std::string("its ") + what + " are no JSON");
  }
  if (!document->is_array() && !document->is_null()) {
    return Error(Code::kUpstreamInvalid, std::string("its ") + what + " are no list");
  }
  const auto& all = document->elements();
  const bool any =
      std::any_of(all.begin(), all.end(), [&](const Value& one) { return IsComponent(one, what); });
  if (!all.empty() && !any) {
    return Error(Code::kUpstreamInvalid,
                 std::string("its ") + what + " are no list of components with " + what);
  }
  return *std::move(document);
}

// Nothing where it has no name or no number.
std::optional<Metric> MetricOf(const Value& one) {
  Metric metric;
  metric.name = TextOf(one["name"]);
  const auto value = NumberOf(one["value"]);
  if (metric.name.empty() || !value) return std::nullopt;
  metric.value = *value;
  metric.time = TimeOfNumber(NumberOf(one["unix_seconds"]).value_or(0));
  for (const auto& [label, text] : one["labels"].members()) {
    (label == "uuid" ? metric.uuid : metric.label) = TextOf(text);
  }
  return metric;
}

// That none of its elements could be read, though there are some.
Status Unreadable(const char* what) {
  return {Code::kUpstreamInvalid, std::string("its ") + what + " are of another shape", {}, 0};
}

}  // namespace

WallTime TimeOfNumber(double number) {
  constexpr double kSecondsUpTo = 1e11;  // the year 5138
  const double ms = number > kSecondsUpTo ? number : number * 1000;
  constexpr double kMost = 253402300799999;  // the year 9999
  if (!(ms >= 0 && ms <= kMost)) return WallTime();
  return WallTime(Millis(static_cast<std::int64_t>(ms)));
}

Result<std::vector<State>> ReadStates(std::string_view body) {
  const auto list = ReadList(body, "states");
  if (!list) return Error(list.error());
  std::vector<State> states;
  bool any = false;
  bool some = false;
  for (const Value& component : list->elements()) {
    if (IsComponent(component, "states") && component["states"].size() == 0) {
      states.push_back({TextOf(component["component"]), {}, {}, {}, {}});
    }
    for (const Value& one : component["states"].elements()) {
      any = true;
      if (!one.is_object()) continue;
      State state;
      state.component = TextOf(component["component"]);
      if (state.component.empty()) state.component = TextOf(one["component"]);
      state.health = TextOf(one["health"]);
      state.reason = TextOf(one["reason"]);
      if (state.reason.empty()) state.reason = TextOf(one["error"]);
      for (const Value& action : one["suggested_actions"]["repair_actions"].elements()) {
        state.actions.push_back(TextOf(action));
      }
      state.time = TimeOf(one["time"]);
      some = true;
      states.push_back(std::move(state));
    }
  }
  if (any && !some) return Error(Unreadable("states"));
  return states;
}

Result<std::vector<Event>> ReadEvents(std::string_view body) {
  const auto list = ReadList(body, "events");
  if (!list) return Error(list.error());
  std::vector<Event> events;
  bool any = false;
  for (const Value& component : list->elements()) {
    for (const Value& one : component["events"].elements()) {
      any = true;
      const auto time = TimeOf(one["time"]);
      if (!time) continue;
      std::string name = TextOf(component["component"]);
      if (name.empty()) name = TextOf(one["component"]);
      events.push_back({std::move(name), *time, TextOf(one["type"]), TextOf(one["message"])});
    }
  }
  if (any && events.empty()) return Error(Unreadable("events"));
  return events;
}

Result<std::vector<Metric>> ReadMetrics(std::string_view body) {
  const auto list = ReadList(body, "metrics");
  if (!list) return Error(list.error());
  std::map<std::tuple<std::string, std::string, std::string>, Metric> newest;
  bool any = false;
  for (const Value& component : list->elements()) {
    for (const Value& one : component["metrics"].elements()) {
      any = true;
      auto metric = MetricOf(one);
      if (!metric) continue;
      Metric& known = newest[{metric->name, metric->uuid, metric->label}];
      if (known.name.empty() || known.time <= metric->time) known = *std::move(metric);
    }
  }
  if (any && newest.empty()) return Error(Unreadable("metrics"));
  std::vector<Metric> metrics;
  for (auto& [key, metric] : newest) metrics.push_back(std::move(metric));
  return metrics;
}

Result<std::vector<Metric>> ReadAll(std::string_view body, std::string_view name) {
  const auto list = ReadList(body, "metrics");
  if (!list) return Error(list.error());
  std::vector<Metric> metrics;
  for (const Value& component : list->elements()) {
    for (const Value& one : component["metrics"].elements()) {
      auto metric = MetricOf(one);
      if (metric && metric->name == name) metrics.push_back(*std::move(metric));
    }
  }
  return metrics;
}

Result<Machine> ReadMachine(std::string_view body) {
  const auto document = json::ParseDocument(body);
  if (!document || !document->is_object()) {
    return Error(Code::kUpstreamInvalid, "its machine info is no JSON object");
  }
  const Value& value = *document;
  Machine machine;
  machine.version = TextOf(value["gpudVersion"]);
  machine.hostname = TextOf(value["hostname"]);
  machine.product = TextOf(value["gpuInfo"]["product"]);
  for (const Value& one : value["gpuInfo"]["gpus"].elements()) {
    Gpu gpu;
    gpu.uuid = TextOf(one["uuid"]);
    gpu.bus_id = TextOf(one["busID"]);
    // "0", 0 or "/dev/nvidia0".
    std::string minor = TextOf(one["minorID"]);
    if (const auto number = one["minorID"].AsInteger()) minor = std::to_string(*number);
    minor.erase(0, minor.find_last_not_of("0123456789") + 1);
    int index = 0;
    const auto read = std::from_chars(minor.data(), minor.data() + minor.size(), index);
    if (!minor.empty() && read.ec == std::errc()) gpu.index = index;
    machine.gpus.push_back(std::move(gpu));
  }
  for (const auto& [key, fact] : value.members()) {
    const std::string* const text = fact.AsString();
    if (text != nullptr && !text->empty()) machine.facts.emplace_back(key, *text);
  }
  return machine;
}

}  // namespace gpumon::gpud
