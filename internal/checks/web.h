// Services that say over HTTP how they are.
#pragma once

#include <memory>
#include <string>

#include "internal/checks/check.h"
#include "internal/fetch/client.h"

namespace gpumon::checks {

struct WebTarget {
  std::string name;  // "Prometheus", for errors
  std::string url;   // http or https, no slash at its end; may hold credentials
  // A good answer that took longer is degraded; zero: however long it took, it is good.
  Millis slow_after{1000};
};

// What each of them asks, and what is healthy:
// - etcd: /health says "true". Where it says "false" without a reason its alarms are asked for.
// - Prometheus: /-/healthy and /-/ready; not ready is degraded.
// - Grafana: /api/health has the database "ok".
// - Manager: /health has the status "ok"; one that has no such path says its version at /.
// - Agent: /health has the status "ok".
// All: refused, silent, cut short, 5xx or some other service: unhealthy. Other codes than 2xx:
// degraded. The probes keep `client`.
using WebClient = std::shared_ptr<fetch::Client>;
Probe EtcdProbe(WebClient client, WebTarget target);
Probe PrometheusProbe(WebClient client, WebTarget target);
Probe GrafanaProbe(WebClient client, WebTarget target);
Probe ManagerProbe(WebClient client, WebTarget target);
Probe AgentProbe(WebClient client, WebTarget target);

}  // namespace gpumon::checks
