#include "handlers/openapi_schemas.h"

#include <set>
#include <string_view>

#include "handlers/alerts.h"
#include "handlers/events.h"
#include "handlers/gpu_health.h"
#include "handlers/hakuriver_rows.h"
#include "handlers/history.h"
#include "handlers/idle.h"
#include "handlers/ledger.h"
#include "handlers/missing_rows.h"
#include "handlers/nodes.h"
#include "handlers/openapi_writing.h"
#include "handlers/summary.h"
#include "handlers/tasks.h"
#include "handlers/usage.h"
#include "internal/base/status.h"
#include "internal/json/writer.h"
#include "internal/wire/table.h"

namespace gpumon::handlers {
namespace {

using json::Writer;

// A reference beside other keys, which OpenAPI 3.0 would else ignore.
void AllOf(Writer& writer, std::string_view schema) {
  writer.Key("allOf");
  writer.BeginArray();
  writer.BeginObject();
  writer.Key("$ref");
  writer.String("#/components/schemas/" + std::string(schema));
  writer.EndObject();
  writer.EndArray();
}

// A field of a row, always nullable: absent is null, never zero.
void WriteField(Writer& writer, const models::FieldSpec& field) {
  using models::From;
  writer.Key(field.name);
  writer.BeginObject();
  switch (field.from) {
    case From::kReading:
    case From::kAge:
      Text(writer, "type", "number");
      break;
    case From::kInteger:
    case From::kGpuIndex:
    case From::kPid:
      Text(writer, "type", "integer");
      break;
    case From::kTimestamp:
      Text(writer, "type", "string");
      Text(writer, "format", "date-time");
      break;
    case From::kText:
      Text(writer, "type", "string");
      break;
    case From::kThrottle:
      Text(writer, "type", "array");
      writer.Key("items");
      writer.BeginObject();
      Text(writer, "type", "string");
      writer.EndObject();
      break;
    case From::kMig:
      AllOf(writer, "Mig");
      break;
    case From::kWorkloads:
      Text(writer, "type", "array");
      writer.Key("items");
      Ref(writer, "Workload");
      break;
    case From::kReasons:
      Text(writer, "type", "object");
      writer.Key("additionalProperties");
      Ref(writer, "NullReason");
      break;
  }
  writer.Key("nullable");
  writer.Bool(true);
  const std::string unit = field.unit.empty() ? "" : " Unit: " + std::string(field.unit) + ".";
  Text(writer, "description", std::string(field.help) + unit);
  writer.EndObject();
}

void WriteRowSchema(Writer& writer, std::string_view name, models::Part part) {
  writer.Key(name);
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("properties");
  writer.BeginObject();
  for (const auto& field : wire::FieldsOf(part)) WriteField(writer, field);
  writer.EndObject();
  writer.EndObject();
}

std::string_view TypeOf(const wire::Column& column) {
  using Type = wire::Column::Type;
  if (column.is_list()) return "array";
  switch (column.type) {
    case Type::kNumber:
      return "number";
    case Type::kInteger:
      return "integer";
    case Type::kBool:
      return "boolean";
    default:
      return "string";
  }
}

void WriteColumns(Writer& writer, std::span<const wire::Column> columns);

// What a list is of.
void WriteItemsOf(Writer& writer, const wire::Column& column) {
  using Type = wire::Column::Type;
  writer.Key("items");
  if (column.type == Type::kTexts) return writer.Raw(R"({"type":"string"})");
  if (column.type == Type::kNumbers) {
    return writer.Raw(R"({"type":"number","nullable":true})");
  }
  if (column.type == Type::kNotes) {
    return writer.Raw(R"({"$ref":"#/components/schemas/HealthFinding"})");
  }
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("properties");
  writer.BeginObject();
  WriteColumns(writer, column.items());
  writer.EndObject();
  writer.EndObject();
}

void WriteColumns(Writer& writer, std::span<const wire::Column> columns) {
  for (const wire::Column& column : columns) {
    writer.Key(column.name);
    writer.BeginObject();
    Text(writer, "type", TypeOf(column));
    if (column.type == wire::Column::Type::kTime) Text(writer, "format", "date-time");
    if (column.is_list()) WriteItemsOf(writer, column);
    writer.Key("nullable");
    const bool items = column.type == wire::Column::Type::kItems;
    writer.Bool(!column.is_list() || items || column.unknown_list);
    const std::string unit = column.unit.empty() ? "" : " Unit: " + std::string(column.unit) + ".";
    Text(writer, "description", std::string(column.help) + unit);
    writer.EndObject();
  }
}

void WriteRecordSchema(Writer& writer, std::string_view name,
                       std::span<const wire::Column> columns) {
  writer.Key(name);
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("properties");
  writer.BeginObject();
  WriteColumns(writer, columns);
  writer.Key("null_reasons");
  writer.Raw(
      R"({"type":"object","additionalProperties":{"$ref":"#/components/schemas/NullReason"}})");
  writer.EndObject();
  writer.EndObject();
}

constexpr std::string_view kFixedSchemas = R"(
"NullReason":{"type":"string","enum":["not_exported","not_supported","exporter_down","stale","invalid_value","conflict","query_failed","hidden"]},
"Workload":{"type":"object","required":["namespace","pod","container","share"],"properties":{"namespace":{"type":"string","nullable":true},"pod":{"type":"string","nullable":true},"container":{"type":"string","nullable":true},"share":{"type":"object","nullable":true,"description":"The pod's part of a GPU that several share; null when it has the GPU alone or nobody measures its part.","properties":{"utilization":{"type":"number","nullable":true,"description":"Unit: %."},"memory_used_bytes":{"type":"integer","nullable":true},"memory_limit_bytes":{"type":"integer","nullable":true},"null_reasons":{"type":"object","description":"Of those that are null, where any is.","additionalProperties":{"$ref":"#/components/schemas/NullReason"}}}}}},
"HealthFinding":{"type":"object","required":["severity","component","finding","action","factor","since","open_before"],"properties":{"severity":{"type":"string","enum":["critical","warning","info"]},"component":{"type":"string"},"finding":{"type":"string"},"action":{"type":"string","enum":["IGNORE_NO_ACTION_REQUIRED","REBOOT_SYSTEM","HARDWARE_INSPECTION","CHECK_USER_APP_AND_GPU"]},"factor":{"type":"number","description":"What it does to the score; 1: nothing."},"since":{"type":"string","format":"date-time","nullable":true,"description":"When it began; null where nobody knows, and of a machine's."},"open_before":{"type":"boolean","description":"It had begun when what was looked at begins, which is `since`."}}},
"HealthHistory":{"type":"object","required":["task_id","snapshot_count","hours","health_score","gpu_count","critical_events","unhealthy_periods","snapshots","limit","offset"],"properties":{"task_id":{"type":"string","nullable":true,"description":"The parameter."},"node":{"type":"string","nullable":true,"description":"The parameter."},"snapshot_count":{"type":"integer","description":"In the whole window."},"task_count":{"type":"integer"},"hours":{"type":"integer"},"from":{"type":"string","format":"date-time"},"to":{"type":"string","format":"date-time"},"health_score":{"type":"object","description":"0 to 1. current: of the newest time, the average of several tasks.","properties":{"current":{"type":"number","nullable":true},"average":{"type":"number","nullable":true},"min":{"type":"number","nullable":true},"max":{"type":"number","nullable":true}}},"gpu_count":{"type":"integer","description":"The most at one time."},"critical_events":{"type":"integer","description":"Snapshots with an error event."},"unhealthy_periods":{"type":"integer","description":"Times that a task's score went below healthy."},"limit":{"type":"integer"},"offset":{"type":"integer","description":"Counted back from the newest."},"snapshots":{"type":"array","description":"Of the page, by time, the newest last.","items":{"type":"object"}}}},
"Mig":{"type":"object","required":["gpu_instance_id","compute_instance_id","profile","uuid"],"properties":{"gpu_instance_id":{"type":"string","nullable":true},"compute_instance_id":{"type":"string","nullable":true},"profile":{"type":"string","nullable":true},"uuid":{"type":"string","nullable":true}}},
"ListMeta":{"type":"object","required":["as_of","stale","partial","total","limit","offset","sources","null_reasons"],"properties":{"as_of":{"type":"string","format":"date-time","description":"Evaluation time of every query behind the answer."},"window":{"type":"object","description":"Of routes that look at more than an instant.","required":["start","end","step_seconds"],"properties":{"start":{"type":"string","format":"date-time"},"end":{"type":"string","format":"date-time"},"step_seconds":{"type":"number"}}},"stale":{"type":"boolean"},"partial":{"type":"boolean"},"total":{"type":"integer","description":"Rows before paging."},"limit":{"type":"integer","nullable":true},"offset":{"type":"integer"},"sources":{"type":"array","items":{"type":"string"}},"null_reasons":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/NullReason"}}}},
"HakuRiverLog":{"type":"object","required":["task_id","stream","text","bytes","truncated"],"properties":{"task_id":{"type":"string"},"stream":{"type":"string","enum":["stdout","stderr"]},"text":{"type":"string","nullable":true,"description":"null: it has printed nothing yet."},"bytes":{"type":"integer","description":"Of text."},"truncated":{"type":"boolean","description":"Something before the text was left out to keep 1 MiB."}}},
"BackendInfo":{"type":"object","required":["version","topic","pubkeys","status","metadata"],"properties":{"version":{"type":"string"},"topic":{"type":"string"},"pubkeys":{"type":"array","items":{"type":"string"}},"status":{"type":"string","enum":["available","unavailable"]},"metadata":{"type":"string","description":"JSON: {\"gpu_count\",\"gpus\":[{\"slot\",\"description\",\"product_id\",\"is_free\"}],\"allow_attach_all\"}; or why it is unavailable: Connection error, HTTP error or Parse error."}}},
"Health":{"type":"object","required":["status","timestamp","version","prometheus"],"properties":{"status":{"type":"string"},"timestamp":{"type":"string","format":"date-time"},"version":{"type":"string"},"prometheus":{"type":"object","properties":{"url_host":{"type":"string"},"reachable":{"type":"boolean"},"latency_ms":{"type":"number"},"checked_at":{"type":"string","format":"date-time"}}}}},
"SchemaSource":{"type":"object","properties":{"exporter":{"type":"string"},"metric":{"type":"string"},"unit":{"type":"string","description":"As exported."},"rule":{"type":"string","description":"What makes the field's unit of it."},"rows":{"type":"integer","description":"That show it."},"loses":{"type":"integer","description":"Rows that show another source's value instead."},"labels":{"type":"array","items":{"type":"string"},"description":"Of a text: the first of these that a series has."},"note":{"type":"string"}}},
"SchemaField":{"type":"object","required":["field","list","unit","rows","known","sources","reasons","would_fill"],"properties":{"field":{"type":"string"},"list":{"type":"string","enum":["metrics","processes"]},"unit":{"type":"string","nullable":true},"rows":{"type":"integer"},"known":{"type":"integer","description":"Rows that have the field."},"sources":{"type":"array","items":{"$ref":"#/components/schemas/SchemaSource"}},"reasons":{"type":"object","additionalProperties":{"type":"integer"},"description":"Why the other rows lack it."},"would_fill":{"type":"array","items":{"type":"object","required":["exporter","metric","how"],"properties":{"exporter":{"type":"string"},"metric":{"type":"string"},"how":{"type":"string"}}}}}},
"Schema":{"type":"object","required":["as_of","gpus","mig_instances","exporters","fields"],"properties":{"as_of":{"type":"string","format":"date-time"},"gpus":{"type":"integer"},"mig_instances":{"type":"integer"},"exporters":{"type":"array","items":{"type":"object","required":["name","title","vendor","priority","gpus","processes"],"properties":{"name":{"type":"string"},"title":{"type":"string"},"vendor":{"type":"string"},"priority":{"type":"integer"},"gpus":{"type":"integer"},"processes":{"type":"integer"}}}},"fields":{"type":"array","items":{"$ref":"#/components/schemas/SchemaField"}}}},
"JoinSample":{"type":"object","required":["exporter","metric","labels","raw","field","value","timestamp","age_seconds","outcome","rule"],"properties":{"exporter":{"type":"string"},"metric":{"type":"string"},"labels":{"type":"object","additionalProperties":{"type":"string"},"description":"As stored, secrets masked."},"raw":{"description":"As exported: a number, or NaN, +Inf or -Inf as text.","oneOf":[{"type":"number"},{"type":"string"}]},"field":{"type":"string","description":"What it measures; texts, workloads or gpu_id where it measures nothing."},"value":{"type":"number","nullable":true,"description":"In the field's base unit."},"timestamp":{"type":"string","format":"date-time","nullable":true},"age_seconds":{"type":"number","nullable":true},"outcome":{"type":"string","enum":["used","lost","dropped"]},"rule":{"type":"string","description":"Why."}}},
"JoinReport":{"type":"object","required":["as_of","rows","null_reasons","findings"],"properties":{"as_of":{"type":"string","format":"date-time"},"rows":{"type":"array","description":"The GPU and its MIG instances.","items":{"type":"object","required":["row","samples"],"properties":{"row":{"$ref":"#/components/schemas/GpuMetrics"},"samples":{"type":"array","items":{"$ref":"#/components/schemas/JoinSample"}}}}},"null_reasons":{"type":"object","description":"Of fields that no row has.","additionalProperties":{"$ref":"#/components/schemas/NullReason"}},"findings":{"type":"array","items":{"type":"object","required":["severity","finding","next_step"],"properties":{"severity":{"type":"string","enum":["warning","info"]},"finding":{"type":"string"},"next_step":{"type":"string"}}}}}},
"Field":{"type":"object","required":["name","list","type","unit","always","help"],"properties":{"name":{"type":"string"},"list":{"type":"string","enum":["metrics","processes"]},"type":{"type":"string"},"unit":{"type":"string","nullable":true},"always":{"type":"boolean"},"help":{"type":"string"}}},
"Route":{"type":"object","required":["path","methods","summary"],"properties":{"path":{"type":"string"},"methods":{"type":"array","items":{"type":"string"}},"summary":{"type":"string"}}},
"Service":{"type":"object","required":["name","version","features","routes"],"properties":{"name":{"type":"string"},"version":{"type":"string"},"features":{"type":"array","items":{"type":"string"}},"routes":{"type":"array","items":{"$ref":"#/components/schemas/Route"}}}})";

void WriteErrorSchema(Writer& writer) {
  writer.Key("Error");
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("required");
  writer.Raw(R"(["success","data","message","error","code"])");
  writer.Key("properties");
  writer.BeginObject();
  writer.Key("success");
  writer.Raw(R"({"type":"boolean","enum":[false]})");
  writer.Key("data");
  writer.Raw(R"({"type":"string","nullable":true,"enum":[null]})");
  writer.Key("message");
  writer.Raw(R"({"type":"string","nullable":true,"enum":[null]})");
  writer.Key("error");
  writer.Raw(R"({"type":"string"})");
  writer.Key("code");
  writer.BeginObject();
  Text(writer, "type", "string");
  writer.Key("enum");
  writer.BeginArray();
  std::set<std::string_view> names;
  for (const auto& row : kCodes) {
    if (row.code != Code::kOk && names.insert(row.name).second) writer.String(row.name);
  }
  writer.EndArray();
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
}

}  // namespace

std::string OpenApiSchemas() {
  Writer schemas;
  schemas.BeginObject();
  WriteErrorSchema(schemas);
  WriteRowSchema(schemas, "GpuMetrics", models::Part::kGpus);
  WriteRowSchema(schemas, "GpuProcess", models::Part::kProcesses);
  WriteRecordSchema(schemas, "WorkloadUsage", WorkloadColumns());
  WriteRecordSchema(schemas, "UserUsage", UserColumns());
  WriteRecordSchema(schemas, "GpuHealth", HealthColumns());
  WriteRecordSchema(schemas, "GpuSummary", SummaryColumns());
  WriteRecordSchema(schemas, "GpuHistory", HistoryColumns());
  WriteRecordSchema(schemas, "GpuEvent", EventColumns());
  WriteRecordSchema(schemas, "LedgerAccount", LedgerColumns());
  WriteRecordSchema(schemas, "IdleGpu", IdleColumns());
  WriteRecordSchema(schemas, "MissingGpu", MissingColumns());
  WriteRecordSchema(schemas, "GpuAlert", AlertColumns());
  WriteRecordSchema(schemas, "GpuNode", NodeColumns());
  WriteRecordSchema(schemas, "GpuTask", TaskColumns());
  WriteRecordSchema(schemas, "GpuTaskDetail", TaskDetailColumns());
  WriteRecordSchema(schemas, "HakuRiverNode", HakuRiverNodeColumns());
  WriteRecordSchema(schemas, "HakuRiverHealth", HakuRiverHealthColumns());
  WriteRecordSchema(schemas, "HakuRiverTask", HakuRiverTaskColumns());
  WriteRecordSchema(schemas, "HakuRiverVps", HakuRiverVpsColumns());
  schemas.EndObject();
  std::string all = schemas.Take();
  all.pop_back();  // the fixed ones go in before the closing brace
  return all + ',' + std::string(kFixedSchemas) + '}';
}

}  // namespace gpumon::handlers
