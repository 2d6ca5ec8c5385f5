#include "cmd/gpuctl/doctor.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <ostream>
#include <string_view>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server.h"
#include "cmd/gpuctl/server_flags.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr char kSchema[] = "/api/v1/gpu/schema";
constexpr char kMetrics[] = "/api/v1/gpu/metrics";
constexpr char kJoin[] = "/api/v1/debug/join";
constexpr char kNoGpuStep[] =
    "check that an exporter runs and that Prometheus scrapes it (its page /targets)";
constexpr char kPrometheusStep[] =
    "see the server's log for the cause, and whether Prometheus is well (its log, its load)";

// The warning is of an answer that Prometheus did not give, or not whole.
bool IsOfPrometheus(std::string_view warning) {
  constexpr std::array<std::string_view, 4> kBeginnings = {"Prometheus did not", "Prometheus says",
                                                           "Prometheus: ", "stale: "};
  return warning.find(": query failed (") != std::string_view::npos ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view text) { return warning.starts_with(text); });
}

bool IsListOfObjects(const Value& value) {
  const auto& all = value.elements();
  return value.is_array() &&
         std::all_of(all.begin(), all.end(), [](const Value& one) { return one.is_object(); });
}

// The first of these members of `value` that is no list of objects; "" when all are.
std::string_view MissingList(const Value& value, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (!IsListOfObjects(value[name])) return name;
  }
  return {};
}

// One visit to the server.
class Doctor {
 public:
  Doctor(Server& server, Server::Query gpu) : server_(server), gpu_(std::move(gpu)) {
    seen_.server = server.name();
    seen_.of_one = !gpu_.empty();
  }

  Result<Examination> Examine() {
    if (auto asked = AskForSchema(); !asked) return Error(asked.error());
    const auto gpus =
        server_.GetData(kMetrics, {{"limit", "1"}, {"fields", "node_name,gpu_id,uuid"}});
    if (!gpus) return Error(gpus.error());
    if (!IsListOfObjects((*gpus)["data"])) return Error(server_.Lack(kMetrics, "rows"));
    if (gpu_.empty()) NameOne((*gpus)["data"][0]);
    if (auto asked = AskForJoin(); !asked) return Error(asked.error());
    if (seen_.join.is_null()) TakeWarnings((*gpus)["warnings"]);
    std::stable_partition(seen_.findings.begin(), seen_.findings.end(),
                          [](const Finding& finding) { return finding.warning; });
    return std::move(seen_);
  }

 private:
  Result<void> AskForSchema() {
    auto answer = server_.GetData(kSchema);
    if (!answer) return Error(answer.error());
    seen_.schema = (*answer)["data"];
    seen_.as_of = TextOf(seen_.schema["as_of"]);
    if (seen_.as_of.empty()) return Error(server_.Lack(kSchema, "as_of"));
    const auto gpus = seen_.schema["gpus"].AsInteger();
    if (!gpus || *gpus < 0) return Error(server_.Lack(kSchema, "the number of GPUs"));
    seen_.gpus = static_cast<std::size_t>(*gpus);
    seen_.instances = static_cast<std::size_t>(
        std::max<std::int64_t>(0, seen_.schema["mig_instances"].AsInteger().value_or(0)));
    const std::string lacks(MissingList(seen_.schema, {"exporters", "fields"}));
    if (!lacks.empty()) return Error(server_.Lack(kSchema, lacks));
    return {};
  }

  // Findings are of all GPUs, whichever is named.
  void NameOne(const Value& row) {
    if (const std::string uuid = TextOf(row["uuid"]); !uuid.empty()) {
      gpu_ = {{"uuid", uuid}};
    } else if (!TextOf(row["node_name"]).empty()) {
      gpu_ = {{"node", TextOf(row["node_name"])}, {"gpu", TextOf(row["gpu_id"])}};
    }
  }

  Result<void> AskForJoin() {
    if (gpu_.empty()) return {};
    auto answer = server_.Get(kJoin, gpu_);
    if (!answer) return Error(answer.error());
    switch (answer->status) {
      case 200:
        return TakeJoin(answer->document["data"]);
      case 403:
        Tell("the debug endpoints answer clients on the server's machine only",
             "run gpuctl there (or through kubectl port-forward), or set DEBUG_ENDPOINTS=all");
        return {};
      case 404:
        return AskWhyNot(*answer);
      case 400:
        // Nobody named it: an odd name is no reason to say nothing of the others.
        if (seen_.of_one) break;
        Tell("the first GPU's node has a name that cannot be asked about: " +
                 TextOf(answer->document["error"]),
             "run gpuctl with --node and --gpu, or --uuid, of another GPU");
        return {};
      case 429:
        Tell("the server is explaining another GPU's row just now", "run gpuctl again");
        return {};
      default:
        break;
    }
    return Error(server_.Refusal(kJoin, *answer));
  }

  // Either the route or the GPU is not there.
  Result<void> AskWhyNot(const Server::Answer& answer) {
    const auto routes = server_.GetData("/api");
    if (!routes) return Error(routes.error());
    if (!IsListOfObjects((*routes)["data"])) return Error(server_.Lack("/api", "routes"));
    const auto& all = (*routes)["data"].elements();
    const bool on = std::any_of(all.begin(), all.end(), [](const Value& route) {
      return TextOf(route["path"]).ends_with(kJoin);
    });
    if (on && seen_.of_one) {
      return Error(Code::kNotFound, TextOf(answer.document["error"]));
    }
    if (!on) {
      Tell("the server's debug endpoints are off, so no sample and few findings can be shown",
           "start the server with DEBUG_ENDPOINTS=true (or --debug-endpoints) and run gpuctl on "
           "the same machine, for example through kubectl port-forward");
    }
    return {};
  }

  Result<void> TakeJoin(const Value& join) {
    const std::string lacks(MissingList(join, {"rows", "findings"}));
    if (!lacks.empty()) return Error(server_.Lack(kJoin, lacks));
    seen_.join = join;
    for (const Value& finding : seen_.join["findings"].elements()) {
      seen_.findings.push_back({TextOf(finding["severity"]) == "warning",
                                TextOf(finding["finding"]), TextOf(finding["next_step"])});
    }
    return {};
  }

  // What the server says without its debug endpoints, which cannot explain what is not there.
  void TakeWarnings(const Value& warnings) {
    std::string step =
        "switch the server's debug endpoints on and run gpuctl again: it then says "
        "which series";
    if (seen_.gpus == 0) {
      step = kNoGpuStep;
    } else if (gpu_.empty()) {
      step =
          "give the exporter's series a label with the node or the UUID: a GPU without either "
          "cannot be asked about";
    }
    for (const Value& warning : warnings.elements()) {
      const std::string text = TextOf(warning);
      seen_.findings.push_back({true, text, IsOfPrometheus(text) ? kPrometheusStep : step});
    }
    if (seen_.gpus == 0 && warnings.size() == 0) {
      seen_.findings.push_back({true, "the server has no GPU", kNoGpuStep});
    }
  }

  void Tell(std::string what, std::string next_step) {
    seen_.findings.push_back({false, std::move(what), std::move(next_step)});
  }

  Server& server_;
  Server::Query gpu_;
  Examination seen_;
};

Result<Server::Query> GpuOf(const config::Values& values) {
  Server::Query query;
  for (const std::string name : {"node", "gpu", "uuid"}) {
    if (const std::string& text = values.Text("--" + name); !text.empty()) {
      query.emplace_back(name, text);
    }
  }
  const bool by_uuid = values.Given("--uuid");
  if (query.empty() || (by_uuid && query.size() == 1) || (!by_uuid && query.size() == 2)) {
    return query;
  }
  return Error(Code::kInvalidParameter,
               "a GPU is named by --node and --gpu together, or by --uuid alone");
}

}  // namespace

std::size_t Examination::warnings() const {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(), [](const Finding& finding) { return finding.warning; }));
}

std::string DoctorJson(const Examination& examination) {
  json::Writer writer;
  writer.BeginObject();
  writer.Key("server");
  writer.String(examination.server);
  writer.Key("as_of");
  writer.String(examination.as_of);
  writer.Key("gpus");
  writer.Unsigned(examination.gpus);
  for (const std::string_view key : {"exporters", "fields"}) {
    writer.Key(key);
    CopyJson(examination.schema[key], writer);
  }
  writer.Key("rows");
  CopyJson(examination.of_one ? examination.join["rows"] : Value(), writer);
  writer.Key("findings");
  writer.BeginArray();
  for (const Finding& finding : examination.findings) {
    writer.BeginObject();
    writer.Key("severity");
    writer.String(finding.warning ? "warning" : "info");
    writer.Key("finding");
    writer.String(finding.what);
    writer.Key("next_step");
    writer.String(finding.next_step);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return EscapeHidden(writer.view()) + '\n';
}

int RunDoctor(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto end = [&](const Status& status, int code) {
    PrintError(status.message, err);
    return code;
  };
  auto gpu = GpuOf(values);
  if (!gpu) return end(gpu.error(), kUsage);
  auto server = ServerOf(values);
  if (!server) return end(server.error(), kUsage);
  const auto examination = [&] {
    const Progress progress(err, "asking " + server->name());
    return Doctor(*server, *std::move(gpu)).Examine();
  }();
  if (!examination) {
    const bool wrong = examination.error().code == Code::kNotFound;
    return end(examination.error(), wrong ? kUsage : kNoAnswer);
  }
  out << (values.Text("-f") == "json" ? DoctorJson(*examination) : DoctorTable(*examination));
  return examination->warnings() > 0 ? kFindings : kWell;
}

}  // namespace gpumon::ctl
