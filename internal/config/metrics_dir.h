// METRICS_DIR of server and collector: the same folder for both, by default.
#pragma once

#include <string>

#include "internal/config/options.h"

namespace gpumon::config {

inline constexpr OptionRow kMetricsDirRow{
    .flag = "--metrics-dir",
    .env = "METRICS_DIR",
    .fallback = "~/.flow/metrics",
    .help =
        "The folder of stored snapshots: `gpu-monitoring-api collect` writes them, "
        "/api/v1/gpu/health/history reads them.",
    .allowed = "a path; ~ at its front is the home folder"};

// Its value, `~` at its front replaced by HOME; "" where that is not set.
std::string MetricsDirOf(const Values& values, const Environment& environment);

}  // namespace gpumon::config
