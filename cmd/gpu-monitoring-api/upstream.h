// What serving and collecting both make of the options about Prometheus.
#pragma once

#include <optional>
#include <string>

#include "internal/base/result.h"
#include "internal/config/server_options.h"
#include "internal/dstack/backend.h"
#include "internal/fetch/client.h"
#include "internal/fleet/health_rules.h"
#include "internal/prom/api_client.h"
#include "internal/schema/registry.h"

namespace gpumon::api {

// "host:9090,other:9090": no scheme, path or credentials.
std::string PrometheusHostsOf(const config::ServerConfig& config);
fetch::ClientOptions FetchOptionsOf(const config::ServerConfig& config);
prom::ApiClientOptions ApiOptionsOf(const config::ServerConfig& config);
// With SCHEMA_FILE's; nothing without one. Errors of these two are kInvalidParameter, in one line.
Result<std::optional<schema::Registry>> OwnSchemas(const config::ServerConfig& config);
Result<fleet::HealthRules> HealthRulesOf(const config::ServerConfig& config);
// As these.
Result<dstack::Options> DstackOptionsOf(const config::ServerConfig& config);

}  // namespace gpumon::api
