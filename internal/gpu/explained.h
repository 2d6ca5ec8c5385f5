// What is asked of the join doctor (internal/gpu/explainer.h), and what it answers.
#pragma once

#include <functional>
#include <string>

#include "internal/base/result.h"
#include "models/explanation.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// A GPU as a client names it: by node and id, or by the UUID alone.
struct GpuName {
  std::string node;
  std::string gpu_id;
  std::string uuid;  // of the GPU or of a MIG instance, as a client or an exporter writes it

  bool Names(const models::GpuMetrics& row) const;
};

// Called once: from inside Explain when there is nothing to ask, else on a worker thread.
using Explained = std::function<void(Result<models::Explanation>)>;

}  // namespace gpumon::gpu
