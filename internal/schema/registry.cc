#include "internal/schema/registry.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "internal/base/log.h"
#include "internal/schema/built_in.h"
#include "internal/schema/load.h"

namespace gpumon::schema {

const Registry& Registry::BuiltIn() {
  static const Registry kBuiltIn = [] {
    Registry all;
    for (const BuiltInFile& file : BuiltInFiles()) {
      Result<Registry> with = all.With(file.text, file.name);
      if (!with) {
        // A test loads them all: no program is released like this.
        log::Error("a built-in schema is wrong", {{"error", with.error().message}});
        log::Flush(log::kEndLimit);
        std::abort();
      }
      all = std::move(*with);
    }
    return all;
  }();
  return kBuiltIn;
}

Result<Registry> Registry::With(std::string_view text, std::string_view origin) const {
  Result<std::vector<Exporter>> loaded = Load(text, origin);
  if (!loaded) return Error(loaded.error());
  Registry result = *this;
  auto& all = result.exporters_;
  std::vector<std::string_view> seen;
  for (Exporter& exporter : *loaded) {
    const auto same_name = [&](const auto& known) { return known->name == exporter.name; };
    if (std::find(seen.begin(), seen.end(), exporter.name) != seen.end()) {
      return Error(Code::kInvalidParameter,
                   std::string(origin) + ": the schema " + exporter.name + " stands here twice");
    }
    std::erase_if(all, same_name);
    for (const auto& known : all) {
      if (known->priority == exporter.priority) {
        return Error(Code::kInvalidParameter, std::string(origin) + ": the schema " +
                                                  exporter.name + " has the priority " +
                                                  std::to_string(exporter.priority) + " of " +
                                                  known->name + "; give it another one");
      }
    }
    all.push_back(std::make_shared<const Exporter>(std::move(exporter)));
    seen.push_back(all.back()->name);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a->priority < b->priority; });
  return result;
}

const Exporter* Registry::Find(std::string_view name) const {
  const auto found = std::find_if(exporters_.begin(), exporters_.end(),
                                  [&](const auto& known) { return known->name == name; });
  return found == exporters_.end() ? nullptr : found->get();
}

}  // namespace gpumon::schema
