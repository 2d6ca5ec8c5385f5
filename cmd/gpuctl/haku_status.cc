#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <string>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/cells.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/haku_command.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/operand.h"
#include "cmd/gpuctl/page.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server.h"
#include "cmd/gpuctl/server_flags.h"
#include "internal/hakuriver/encode.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr Millis kStatusTimeout{10'000};
constexpr std::size_t kKeyWidth = 24;
constexpr std::string_view kTasksRoute = "/api/v1/gpu/tasks";
constexpr std::string_view kLocalTime = "  (the host's local time)";

// The fields of the requirement, in its order, and where the API has the same.
struct FieldRow {
  std::string_view name;
  std::string_view api;  // "" where it has nothing of the kind
};
constexpr std::array kFields = {
    FieldRow{"task_id", ""},
    FieldRow{"status", "phase"},
    FieldRow{"assigned_node", "node_names"},
    FieldRow{"required_cores", "cores_requested"},
    FieldRow{"required_memory_bytes", "memory_requested_bytes"},
    FieldRow{"required_gpus", "gpus_requested"},
    FieldRow{"submitted_at", "submitted"},
    FieldRow{"started_at", "started"},
    FieldRow{"completed_at", "completed"},
    FieldRow{"exit_code", "exit_code"},
    FieldRow{"error_message", "error"},
    FieldRow{"container_name", ""},
    FieldRow{"target_numa_node_id", ""},
    FieldRow{"ssh_port", ""},
};

void Print(const Value& task, const std::string& output, std::ostream& out) {
  if (output == "json") {
    out << IndentedJson(task) << '\n';
    return;
  }
  const bool local = task["time_zone"].is_null();
  for (const FieldRow& field : kFields) {
    const Value& value = task[field.name];
    out << Padded(field.name, kKeyWidth) << CellText(value, CellKind::kText, {});
    if (local && field.name.ends_with("_at") && !value.is_null()) out << kLocalTime;
    out << '\n';
  }
}

int OfHost(const config::Values& values, const std::string& id, std::ostream& out,
           std::ostream& err) {
  auto host = HakuHost::Make(values, HakuFlags::kBeside, kStatusTimeout, err);
  if (!host) return HakuFail(host.error(), err);
  const auto task = host->Ask<hakuriver::Task>(
      [&](auto got) { host->client().GetTask(id, host->deadline(), got); });
  if (!task) return HakuFail(task.error(), err);
  json::Writer writer;
  Write(WithoutSecrets(*task), writer);
  Print(json::ParseDocument(writer.view()).value_or(Value()), values.Text("--output"), out);
  return kWell;
}

// The API's task under the names of the requirement.
Value Renamed(const Value& row, const std::string& name) {
  json::Writer writer;
  writer.BeginObject();
  for (const FieldRow& field : kFields) {
    writer.Key(field.name);
    if (field.name == "task_id") {
      writer.String(name);
    } else {
      CopyJson(field.api.empty() ? Value() : row[field.api], writer);
    }
  }
  writer.Key("time_zone");
  writer.String("UTC");
  writer.EndObject();
  return json::ParseDocument(writer.view()).value_or(Value());
}

bool IsPathPart(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// 404 is what any other server says too, and the API itself of a wrong path: of a task it names
// the list of those that there are.
bool IsNoSuchTask(const Server::Answer& answer) {
  return answer.status == 404 && TextOf(answer.document["code"]) == "not_found" &&
         TextOf(answer.document["error"]).find(kTasksRoute) != std::string::npos;
}

int OfApi(const config::Values& values, const std::string& name, std::ostream& out,
          std::ostream& err) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos || !IsPathPart(name.substr(0, slash)) ||
      !IsPathPart(name.substr(slash + 1))) {
    return HakuFail(values.Refuse("--task", "is no task of the API",
                                  "NAMESPACE/NAME; a number is a task of --source hakuriver"),
                    err);
  }
  auto server = ServerOf(values);
  if (!server) return HakuFail(server.error(), err);
  const std::string path = std::string(kTasksRoute) + '/' + name;
  std::optional<Progress> progress(std::in_place, err, "asking " + server->name());
  const auto answer = server->Get(path);
  progress.reset();
  if (!answer) return HakuFail(answer.error(), err);
  if (IsNoSuchTask(*answer)) {
    return HakuFail({Code::kNotFound, server->name() + " knows no task " + name +
                                          "; gpuctl tasks lists those it "
                                          "knows"},
                    err);
  }
  if (answer->status != 200) return HakuFail(server->Refusal(path, *answer), err);
  if (!answer->document["data"].is_object()) return HakuFail(server->Lack(path, "a task"), err);
  Print(Renamed(answer->document["data"], name), values.Text("--output"), out);
  return kWell;
}

}  // namespace

int RunStatus(const config::Values& values, std::ostream& out, std::ostream& err) {
  const std::string name = TaskNameOf(values.Text("--task")).name;
  if (name.empty()) return HakuFail(NoTask("status"), err);
  const bool number = hakuriver::IsTaskId(name);
  const bool host = values.Given("--source")
                        ? IsHakuSource(values)
                        : number || (IsHakuSource(values) && name.find('/') == std::string::npos);
  // Too large a number is meant for the host too.
  const bool digits = name.find_first_not_of("0123456789") == std::string::npos;
  if (digits && !number) return HakuFail(NoTaskId(values), err);
  return host ? OfHost(values, name, out, err) : OfApi(values, name, out, err);
}

}  // namespace gpumon::ctl
