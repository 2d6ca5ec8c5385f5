// Arguments without a flag.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/config/options.h"

namespace gpumon::ctl {

// The first argument that is neither a flag nor a flag's value becomes the value of the first of
// `flags`, and so on, so that config::Parse, which knows flags alone, can read it; a flag that is a
// list takes all that are left. `flags` are of `rows`, with a blank between; "": nothing is
// changed.
std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flags,
                                     config::Rows rows);

// A task or node as somebody may name it: as `-o name` prints it, or without the words before its
// name. "task/7" is "7", "task/ml/a" and "task/Pod/ml/a" are "ml/a" ("task/a" is of a namespace
// `task`), "workload/ml/a" is "ml/a", "vps/7" is "7"; "node/n1" is "n1".
struct TaskName {
  std::string name;
  std::string kind;  // "Pod", "Job", or "" where it is not said
};
TaskName TaskNameOf(const std::string& text);
std::string NodeNameOf(const std::string& text);

}  // namespace gpumon::ctl
