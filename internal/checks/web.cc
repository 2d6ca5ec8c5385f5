#include "internal/checks/web.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/result.h"
#include "internal/base/text.h"
#include "internal/checks/ask.h"
#include "internal/checks/failure.h"
#include "internal/checks/peer.h"
#include "internal/checks/texts.h"
#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kUnreachableHint =
    "verify that its container runs (docker ps) and that the port is the one it is bound to, and "
    "review the configuration files of Backend.AI";
constexpr std::string_view kForeignHint =
    "another program answers on this port: see who listens there (ss -ltnp), and give the right "
    "address";
constexpr std::string_view kErrorHint = "review its log (docker logs CONTAINER) and configuration";
constexpr std::size_t kShownReason = 200;

// One visit to one service.
class Visit {
 public:
  Visit(fetch::Client& client, const WebTarget& target, const Clock& clock, Deadline deadline)
      : client_(client), target_(target), clock_(clock), deadline_(deadline) {}

  // Nothing, and the outcome is there, when no answer came.
  std::optional<fetch::Response> Get(std::string_view path) {
    return Send({.url = target_.url + std::string(path), .max_response_bytes = kMostBytes});
  }
  std::optional<fetch::Response> Post(std::string_view path, std::string body) {
    return Send({.url = target_.url + std::string(path),
                 .headers = {{"Content-Type", "application/json"}},
                 .method = "POST",
                 .body = std::move(body),
                 .max_response_bytes = kMostBytes});
  }

  Outcome Healthy(std::string details) {
    Outcome outcome;
    outcome.status = Status::kHealthy;
    outcome.details = std::move(details);
    return End(std::move(outcome));
  }
  Outcome Fail(Status status, std::string_view why, std::string_view hint) {
    return End(Failed(status, target_.name, why, hint));
  }
  // An answer that is no success and says nothing more.
  Outcome Refused(int code) {
    return Fail(code >= 500 ? Status::kUnhealthy : Status::kDegraded,
                "HTTP " + std::to_string(code), kErrorHint);
  }
  Outcome Foreign(std::string_view why) {
    return Fail(Status::kUnhealthy, "the answer is not " + target_.name + "'s: " + std::string(why),
                kForeignHint);
  }
  // After Get or Post gave nothing.
  Outcome Unreached() {
    const bool late = failure_.code == Code::kUpstreamTimeout;
    return Fail(Status::kUnhealthy, failure_.message,
                late ? "see whether it hangs: its log (docker logs CONTAINER), CPU and memory"
                     : kUnreachableHint);
  }

 private:
  std::optional<fetch::Response> Send(fetch::Request request) {
    auto response = Ask(client_, std::move(request), clock_, deadline_, steps_);
    if (response) return *std::move(response);
    failure_ = response.error();
    return std::nullopt;
  }
  Outcome End(Outcome outcome) {
    outcome.steps = std::move(steps_);
    return outcome;
  }

  fetch::Client& client_;
  const WebTarget& target_;
  const Clock& clock_;
  const Deadline deadline_;
  gpumon::Status failure_;
  std::vector<std::string> steps_;
};

bool IsSuccess(int code) {
  return code >= 200 && code < 300;
}

std::string Version(std::string_view text) {
  json::Writer writer;
  writer.BeginObject();
  writer.Key("version");
  writer.String(text);
  writer.EndObject();
  return writer.Take();
}

// "text" in quotes, short enough for one line.
std::string Quoted(std::string_view text) {
  return '"' + std::string(FrontCharacters(ToValidUtf8(text), kShownReason)) + '"';
}

// etcd 3.4 does not say why it is not healthy.
std::string AlarmsOf(Visit& visit) {
  std::string names;
  const auto response = visit.Post("/v3/maintenance/alarm", R"({"action":"GET"})");
  if (!response || !IsSuccess(response->status)) return names;
  const auto answer = json::ParseDocument(response->body);
  if (!answer) return names;
  for (const json::Value& alarm : (*answer)["alarms"].elements()) {
    const std::string name = TextOf(alarm["alarm"]);
    if (name.empty() || names.find(name) != std::string::npos) continue;
    names += names.empty() ? "ALARM " + name : ", " + name;
  }
  return names;
}

Outcome VisitEtcd(Visit visit) {
  const auto response = visit.Get("/health");
  if (!response) return visit.Unreached();
  const auto answer = json::ParseDocument(response->body);
  // The two generations write it as text and as a truth value.
  const json::Value health = answer ? (*answer)["health"] : json::Value();
  const bool healthy = TextOf(health) == "true" || health.AsBool() == true;
  const bool ill = TextOf(health) == "false" || health.AsBool() == false;
  if (healthy && IsSuccess(response->status)) return visit.Healthy("Health check passed");
  if (!ill) {
    if (!IsSuccess(response->status)) return visit.Refused(response->status);
    return visit.Foreign(answer ? "it has no health" : answer.error().message);
  }
  std::string reason = TextOf((*answer)["reason"]);
  if (reason.empty()) reason = AlarmsOf(visit);
  if (reason.find("NOSPACE") != std::string::npos) {
    return visit.Fail(Status::kUnhealthy,
                      "its database is full (" + reason + "): it takes no writes",
                      "compact and defragment it, then disarm the alarm: etcdctl compact REVISION, "
                      "etcdctl defrag, etcdctl alarm disarm");
  }
  return visit.Fail(Status::kUnhealthy,
                    reason.empty() ? "it says that it is not healthy"
                                   : "it says that it is not healthy: " + Quoted(reason),
                    kErrorHint);
}

Outcome VisitPrometheus(Visit visit) {
  const auto healthy = visit.Get("/-/healthy");
  if (!healthy) return visit.Unreached();
  if (!IsSuccess(healthy->status)) return visit.Refused(healthy->status);
  const std::string_view body = healthy->body;
  // "Prometheus Server is Healthy.", "Prometheus is Healthy.", "OK"
  if (body.find("Healthy") == std::string_view::npos && !body.starts_with("OK")) {
    return visit.Foreign("/-/healthy does not say that it is healthy");
  }
  const auto ready = visit.Get("/-/ready");
  if (!ready) return visit.Unreached();
  if (ready->status == 503) {
    return visit.Fail(Status::kDegraded, "not ready: it is starting or stopping",
                      "wait until it has read its write-ahead log; its log says how far it is");
  }
  if (!IsSuccess(ready->status)) return visit.Refused(ready->status);
  return visit.Healthy("Healthy endpoint accessible");
}

Outcome VisitGrafana(Visit visit) {
  const auto response = visit.Get("/api/health");
  if (!response) return visit.Unreached();
  const auto answer = json::ParseDocument(response->body);
  const std::string database = answer ? TextOf((*answer)["database"]) : "";
  if (database.empty()) {
    if (!IsSuccess(response->status)) return visit.Refused(response->status);
    return visit.Foreign(answer ? "it has no database" : answer.error().message);
  }
  if (database == "ok" && IsSuccess(response->status)) {
    Outcome outcome = visit.Healthy("Database connection OK");
    const std::string version = TextOf((*answer)["version"]);
    if (!version.empty()) outcome.extra = Version(version);
    return outcome;
  }
  return visit.Fail(response->status >= 500 ? Status::kUnhealthy : Status::kDegraded,
                    "Database status: " + std::string(FrontCharacters(database, kShownReason)),
                    "review Grafana's log and its database's disk");
}

// What /health says in the words that manager and agent share.
Outcome OfHealth(Visit& visit, const fetch::Response& response) {
  const auto answer = json::ParseDocument(response.body);
  const std::string status = answer ? TextOf((*answer)["status"]) : "";
  if (status.empty()) {
    if (!IsSuccess(response.status)) return visit.Refused(response.status);
    return visit.Foreign(answer ? "it has no status" : answer.error().message);
  }
  if (status == "ok" && IsSuccess(response.status)) {
    Outcome outcome =
        visit.Healthy("API accessible - Status: " + std::to_string(response.status) + " OK");
    const std::string version = TextOf((*answer)["version"]);
    if (!version.empty()) outcome.extra = Version(version);
    return outcome;
  }
  return visit.Fail(status == "degraded" ? Status::kDegraded : Status::kUnhealthy,
                    "its status is " + Quoted(status), kErrorHint);
}

// Managers without /health say their version at their root.
Outcome OfRoot(Visit& visit) {
  const auto response = visit.Get("/");
  if (!response) return visit.Unreached();
  if (!IsSuccess(response->status)) return visit.Refused(response->status);
  const auto answer = json::ParseDocument(response->body);
  const std::string version = answer ? TextOf((*answer)["manager"]) : "";
  if (version.empty()) {
    return visit.Foreign(answer ? "it has no manager version" : answer.error().message);
  }
  Outcome outcome =
      visit.Healthy("API accessible - Status: " + std::to_string(response->status) + " OK");
  outcome.extra = Version(version);
  return outcome;
}

Outcome VisitManager(Visit visit) {
  const auto response = visit.Get("/health");
  if (!response) return visit.Unreached();
  if (response->status == 404) return OfRoot(visit);
  return OfHealth(visit, *response);
}

Outcome VisitAgent(Visit visit) {
  const auto response = visit.Get("/health");
  return response ? OfHealth(visit, *response) : visit.Unreached();
}

Probe ProbeBy(Outcome (*visit)(Visit), WebClient client, WebTarget target) {
  return [=](const Clock& clock, Deadline deadline) {
    const SteadyTime begun = clock.Steady();
    Outcome outcome = visit(Visit(*client, target, clock, deadline));
    JudgePace(target.name, std::chrono::duration_cast<Millis>(clock.Steady() - begun),
              target.slow_after, outcome);
    return outcome;
  };
}

}  // namespace

Probe EtcdProbe(WebClient client, WebTarget target) {
  return ProbeBy(VisitEtcd, std::move(client), std::move(target));
}
Probe PrometheusProbe(WebClient client, WebTarget target) {
  return ProbeBy(VisitPrometheus, std::move(client), std::move(target));
}
Probe GrafanaProbe(WebClient client, WebTarget target) {
  return ProbeBy(VisitGrafana, std::move(client), std::move(target));
}
Probe ManagerProbe(WebClient client, WebTarget target) {
  return ProbeBy(VisitManager, std::move(client), std::move(target));
}
Probe AgentProbe(WebClient client, WebTarget target) {
  return ProbeBy(VisitAgent, std::move(client), std::move(target));
}

}  // namespace gpumon::checks
