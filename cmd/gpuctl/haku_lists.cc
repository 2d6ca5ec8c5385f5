#include <array>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/get.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/haku_command.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/output.h"
#include "internal/base/text.h"
#include "internal/hakuriver/encode.h"

namespace gpumon::ctl {
namespace {

using hakuriver::Node;
using hakuriver::TaskList;
using hakuriver::Vps;

constexpr Millis kNodesTimeout{10'000};
constexpr Millis kListTimeout{30'000};
// Of Resources().
constexpr std::size_t kApiNodes = 2;
constexpr std::size_t kApiTasks = 5;

constexpr CellKind kText = CellKind::kText;
constexpr CellKind kWhole = CellKind::kWhole;
constexpr CellKind kTenths = CellKind::kTenths;
constexpr CellKind kGiB = CellKind::kGiB;

constexpr Column Both(std::string_view title, std::string_view field, CellKind kind = kText) {
  return {title, field, kind};
}
constexpr Column Long(std::string_view title, std::string_view field) {
  return {title, field, kText, false, true};
}
constexpr Column Wide(std::string_view title, std::string_view field, CellKind kind = kText) {
  return {title, field, kind, true};
}

constexpr std::array kNodeColumns = {
    Long("NODE", "hostname"),
    Both("STATUS", "status"),
    Both("CORES", "total_cores", kWhole),
    Both("FREE", "available_cores", kWhole),
    Wide("IN-USE", "cores_in_use", kWhole),
    Both("NUMA", "numa_nodes", kWhole),
    Wide("CPU%", "cpu_percent", kTenths),
    Wide("MEM%", "memory_percent", kTenths),
    Wide("USED-GiB", "memory_used_bytes", kGiB),
    Wide("TOTAL-GiB", "memory_total_bytes", kGiB),
    Wide("TEMP-C", "current_avg_temp", kTenths),
    Wide("MAX-TEMP-C", "current_max_temp", kTenths),
    Long("GPUS", "gpus"),
    Both("HEARTBEAT(HOST)", "heartbeat"),
    Wide("VERSION", "runner_version"),
    Wide("URL", "url"),
};
constexpr std::array<std::string_view, 1> kNodeNames = {"hostname"};

constexpr std::array kTaskColumns = {
    Both("TASK-ID", "task_id"),
    Both("STATUS", "status"),
    Long("NODE", "assigned_node"),
    Both("CORES", "required_cores", kWhole),
    Long("GPUS", "required_gpus"),
    Wide("MEM-GiB", "required_memory_bytes", kGiB),
    Wide("NUMA", "target_numa_node_id", kWhole),
    Wide("SUBMITTED(HOST)", "submitted_at"),
    Wide("STARTED(HOST)", "started_at"),
    Wide("COMPLETED(HOST)", "completed_at"),
    Wide("EXIT", "exit_code", kWhole),
    Wide("ERROR", "error_message"),
    Wide("CONTAINER", "container_name"),
    Wide("OWNER", "owner_username"),
    Long("COMMAND", "command_line"),
};
constexpr std::array kVpsColumns = {
    Both("TASK-ID", "task_id"),
    Both("STATUS", "status"),
    Long("NODE", "assigned_node"),
    Both("SSH-PORT", "ssh_port", kWhole),
    Both("CORES", "required_cores", kWhole),
    Long("GPUS", "required_gpus"),
    Wide("MEM-GiB", "required_memory_bytes", kGiB),
    Wide("NUMA", "target_numa_node_id", kWhole),
    Wide("SUBMITTED(HOST)", "submitted_at"),
    Column{.title = "STARTED(HOST)", .field = "started", .shrinks = true, .last = true},
    Wide("COMPLETED(HOST)", "completed_at"),
    Wide("EXIT", "exit_code", kWhole),
    Wide("ERROR", "error_message"),
    Wide("CONTAINER", "container_name"),
    Wide("OWNER", "owner_username"),
};
constexpr std::array<std::string_view, 1> kTaskNames = {"task_id"};

constexpr Resource kNodes{"nodes", "node", "", kNodeColumns, kNodeNames};
constexpr Resource kTasks{"tasks", "task", "", kTaskColumns, kTaskNames};
constexpr Resource kVps{"VPS", "vps", "", kVpsColumns, kTaskNames};

// A time to the second; "-" where it is unknown.
void PutShort(std::string_view key, const hakuriver::Time& time, json::Writer& writer) {
  constexpr std::size_t kSeconds = 19;  // "2026-03-01T09:15:02"
  writer.Key(key);
  if (!time.known()) return writer.Null();
  writer.String(time.no_zone() ? time.text.substr(0, kSeconds) : FormatTime(*time.utc));
}

// Rows as the table takes them. `more` writes members behind those of the model, for tables alone.
class Rows {
 public:
  explicit Rows(bool table) : table_(table) {
    writer_.BeginObject(), writer_.Key("data"), writer_.BeginArray();
  }
  template <class T, class More>
  void Add(const T& model, More more) {
    json::Writer one;
    Write(model, one);
    std::string text = one.Take();
    text.pop_back();
    json::Writer rest;
    rest.BeginObject();
    if (table_) more(rest);
    rest.EndObject();
    const std::string tail = rest.Take();
    writer_.Raw(tail == "{}" ? text + '}' : text + ',' + tail.substr(1));
  }
  json::Value Take() {
    writer_.EndArray();
    writer_.EndObject();
    return json::ParseDocument(writer_.view()).value_or(json::Value());
  }

 private:
  const bool table_;
  json::Writer writer_;
};

// "2x NVIDIA L40S, NVIDIA T4"
std::string GpusOf(const Node& node) {
  std::vector<std::pair<std::string, int>> models;
  for (const hakuriver::Gpu& gpu : node.gpus) {
    const std::string name = gpu.name.empty() ? "unknown" : gpu.name;
    if (models.empty() || models.back().first != name) models.emplace_back(name, 0);
    ++models.back().second;
  }
  std::string text;
  for (const auto& [name, count] : models) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + "x " + name;
  }
  return text.empty() ? "none" : text;
}

json::Value RowsOf(const std::vector<Node>& nodes, bool table) {
  Rows rows(table);
  for (const Node& node : nodes) {
    rows.Add(node, [&node](json::Writer& writer) {
      writer.Key("numa_nodes");
      node.numa.empty() ? writer.Null() : writer.Unsigned(node.numa.size());
      writer.Key("gpus");
      writer.String(GpusOf(node));
      PutShort("heartbeat", node.last_heartbeat, writer);
    });
  }
  return rows.Take();
}

json::Value RowsOf(const TaskList& list, bool table) {
  Rows rows(table);
  for (const hakuriver::Task& task : list.tasks) {
    rows.Add(WithoutSecrets(task), [&task](json::Writer& writer) {
      writer.Key("command_line");
      writer.String(CommandLineOf(task));
    });
  }
  return rows.Take();
}

json::Value RowsOf(const std::vector<Vps>& all, bool table) {
  Rows rows(table);
  for (const Vps& vps : all)
    rows.Add(vps, [&vps](json::Writer& writer) { PutShort("started", vps.started_at, writer); });
  return rows.Take();
}

std::string CsvCell(const json::Value& value) {
  if (value.is_null()) return {};
  std::string text;
  for (const json::Value& one : value.elements()) {
    text += (text.empty() ? "" : " ") + CellText(one, kText, {});
  }
  if (!value.is_array()) text = CellText(value, kText, {});
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? "\"\"" : std::string(1, c));
  return quoted + '"';
}

void WriteCsv(const Resource& resource, const json::Value& answer, const Line& line) {
  std::string titles;
  for (const Column& column : resource.columns) {
    titles += (titles.empty() ? "" : ",") + std::string(column.field);
  }
  line(titles);
  for (const json::Value& row : answer["data"].elements()) {
    std::string cells;
    for (std::size_t i = 0; i < resource.columns.size(); ++i) {
      cells += (i == 0 ? "" : ",") + CsvCell(row[resource.columns[i].field]);
    }
    line(cells);
  }
}

void Print(const Resource& resource, const json::Value& answer, const std::string& output,
           std::ostream& out, std::ostream& err) {
  const Line line = [&out](std::string_view text) { out << text << '\n'; };
  if (output == "json") {
    WriteRows(answer, line);
  } else if (output == "csv") {
    WriteCsv(resource, answer, line);
  } else if (output == "name") {
    WriteNames(resource, answer, line);
  } else {
    const bool wide = output == "wide";
    WriteTable(resource, answer, wide, wide || IsPiped(out) ? 0 : TerminalWidth(out), line);
  }
  out.flush();
  err << Notes(resource, answer);
}

// Flags that are the API's do nothing here.
Result<void> CheckFlags(const config::Values& values) {
  for (const char* const flag : {"--selector", "--sort-by", "--watch", "--interval"}) {
    if (values.origin(flag) == config::Origin::kFlag) {
      return Error(values.Refuse(flag, "does not go with --source hakuriver", "--source api"));
    }
  }
  return {};
}

template <class T, class Begin>
int Show(const Resource& resource, const config::Values& values, Result<HakuHost> host, Begin begin,
         std::ostream& out, std::ostream& err) {
  if (!host) return HakuFail(host.error(), err);
  const auto answer = host->Ask<T>([&](auto got) { begin(*host, got); });
  if (!answer) return HakuFail(answer.error(), err);
  const std::string& output = values.Text("--output");
  Print(resource, RowsOf(*answer, output != "json"), output, out, err);
  if constexpr (std::is_same_v<T, TaskList>) {
    if (answer->more) {
      err << "gpuctl: only the first " << answer->tasks.size() << " tasks; --limit takes more\n";
    }
  }
  return kWell;
}

}  // namespace

int RunNodes(const config::Values& values, std::ostream& out, std::ostream& err) {
  if (!IsHakuSource(values)) return RunGet(kApiNodes, values, out, err);
  if (const auto good = CheckFlags(values); !good) return HakuFail(good.error(), err);
  return Show<std::vector<Node>>(
      kNodes, values, HakuHost::Make(values, HakuFlags::kBeside, kNodesTimeout, err),
      [](HakuHost& host, auto got) { host.client().GetNodes(host.deadline(), got); }, out, err);
}

int RunTasks(const config::Values& values, std::ostream& out, std::ostream& err) {
  if (!IsHakuSource(values)) {
    for (const char* const flag : {"--status", "--limit"}) {
      if (!values.Given(flag)) continue;
      return HakuFail(
          values.Refuse(flag, "goes with --source hakuriver alone", "-l phase=PHASE,limit=N"), err);
    }
    return RunGet(kApiTasks, values, out, err);
  }
  if (const auto good = CheckFlags(values); !good) return HakuFail(good.error(), err);
  const hakuriver::TaskQuestion question{values.Text("--status"),
                                         static_cast<std::size_t>(values.Integer("--limit"))};
  return Show<TaskList>(
      kTasks, values, HakuHost::Make(values, HakuFlags::kBeside, kListTimeout, err),
      [&](HakuHost& host, auto got) { host.client().GetTasks(question, host.deadline(), got); },
      out, err);
}

int RunVps(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto scope =
      values.Bool("--all") ? hakuriver::VpsScope::kAll : hakuriver::VpsScope::kActive;
  return Show<std::vector<Vps>>(
      kVps, values, HakuHost::Make(values, HakuFlags::kAlone, kListTimeout, err),
      [&](HakuHost& host, auto got) { host.client().GetVps(scope, host.deadline(), got); }, out,
      err);
}

}  // namespace gpumon::ctl
