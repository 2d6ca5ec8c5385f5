// GPU pods and Jobs: GET /api/v1/gpu/tasks and /tasks/{namespace}/{name}.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetTasks(const CallPtr& call);
void GetTask(const CallPtr& call);

std::span<const ParameterSpec> TaskListParameters();
std::span<const ParameterSpec> TaskParameters();

// For the OpenAPI document: of the list, and of one by itself.
std::span<const wire::Column> TaskColumns();
std::span<const wire::Column> TaskDetailColumns();

}  // namespace gpumon::handlers
