// PromQL that selects an exporter's series.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "internal/schema/exporter.h"
#include "models/field.h"

namespace gpumon::gpu {

// `name{label="value"}`, with what `conditions` say of labels; `name` may be empty.
std::string Selector(const std::string& name, const std::vector<schema::Condition>& conditions,
                     const std::string& first_matcher = "");
// `{__name__=~"a|b"}`, or a plain selector for one name.
std::string SelectorOfAny(const std::vector<std::string>& names,
                          const std::vector<schema::Condition>& conditions,
                          const std::string& first_matcher = "");
// `names` with each of the exporter's prefixes.
std::vector<std::string> WithPrefixes(const schema::Exporter& exporter,
                                      const std::vector<std::string>& names);
// The labels that give this text, in the schema's order; none: no label does.
const std::vector<std::string>& LabelsOf(const schema::Exporter& exporter, models::Text which);
// `job,instance` and the labels that give these texts; "" where none does.
std::string LabelsWithTarget(const schema::Exporter& exporter,
                             std::initializer_list<models::Text> texts);
// A selector of each of these.
std::vector<std::string> SelectorsOf(const schema::Exporter& exporter,
                                     const std::vector<std::string>& names);

}  // namespace gpumon::gpu
