#include "cmd/gpu-demo-peers/hakuriver_host.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <limits>
#include <string_view>

#include "cmd/gpu-demo-peers/hakuriver_nodes.h"

namespace gpumon::demo {
namespace {

std::optional<std::string> TimeOrNull(const std::optional<WallTime>& time) {
  return time ? std::optional(NaiveTime(*time)) : std::nullopt;
}

Answer Detail(int status, std::string_view detail) {
  json::Writer out;
  out.BeginObject();
  Put(out, "detail", detail);
  PutMark(out);
  out.EndObject();
  return {.status = status, .body = out.Take()};
}

void PutResources(json::Writer& out, const Task& task) {
  Put(out, "required_cores", task.cores);
  out.Key("required_gpus");
  out.BeginArray();
  for (const int gpu : task.gpus) out.Integer(gpu);
  out.EndArray();
  Put(out, "required_memory_bytes", task.memory_bytes);
  Put(out, "target_numa_node_id", std::nullopt);
  Put(out, "status", task.status);
  if (task.node.empty()) {
    Put(out, "assigned_node", std::nullopt);
  } else {
    Put(out, "assigned_node", task.node);
  }
}

void PutTimes(json::Writer& out, const Task& task) {
  Put(out, "exit_code", task.exit_code);
  Put(out, "error_message", task.error);
  Put(out, "submitted_at", NaiveTime(task.submitted));
  Put(out, "started_at", TimeOrNull(task.started));
  Put(out, "completed_at", TimeOrNull(task.completed));
}

void PutOwner(json::Writer& out, const Task& task) {
  Put(out, "container_name", "hakuriver-" + task.name);
  Put(out, "ssh_port", task.ssh_port);
  Put(out, "name", task.name);
  Put(out, "owner_id", static_cast<int>(task.user.size()));
  Put(out, "owner_username", task.user);
  Put(out, "vps_backend", task.vps ? std::optional<std::string>("docker") : std::nullopt);
  Put(out, "vm_image", std::nullopt);
  Put(out, "vm_ip", std::nullopt);
  PutMark(out);
}

// The first word of the line, then the others.
void PutCommand(json::Writer& out, std::string_view line) {
  std::size_t end = line.find(' ');
  Put(out, "command", line.substr(0, end));
  out.Key("arguments");
  out.BeginArray();
  while (end != std::string_view::npos) {
    line.remove_prefix(end + 1);
    end = line.find(' ');
    out.String(line.substr(0, end));
  }
  out.EndArray();
}

void PutTask(json::Writer& out, const Task& task) {
  const std::string id = std::to_string(task.id);
  out.BeginObject();
  Put(out, "task_id", id);
  Put(out, "batch_id", std::nullopt);
  Put(out, "task_type", task.vps ? "vps" : "command");
  PutCommand(out, task.vps ? std::string_view() : task.command);
  out.Key("env_vars");
  out.BeginObject();
  Put(out, "DEMO", "1");
  out.EndObject();
  PutResources(out, task);
  Put(out, "stdout_path", task.vps ? "" : "/demo/task_outputs/" + id + ".out");
  Put(out, "stderr_path", task.vps ? "" : "/demo/task_errors/" + id + ".err");
  PutTimes(out, task);
  Put(out, "docker_image_name", task.image);
  Put(out, "docker_privileged", false);
  out.Key("docker_mount_dirs");
  out.BeginArray();
  out.EndArray();
  Put(out, "approval_status", std::nullopt);
  Put(out, "rejection_reason", std::nullopt);
  PutOwner(out, task);
  out.EndObject();
}

void PutVps(json::Writer& out, const Task& task) {
  out.BeginObject();
  Put(out, "task_id", std::to_string(task.id));
  PutResources(out, task);
  PutTimes(out, task);
  out.Key("assignees");
  out.BeginArray();
  out.EndArray();
  PutOwner(out, task);
  out.EndObject();
}

// The number of a query's parameter, or `fallback`.
std::size_t NumberOf(std::string_view text, std::size_t fallback) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : fallback;
}

}  // namespace

std::vector<Row> HakuRiverHost::Rows() {
  const auto give = [this](Command::Kind kind) {
    return [this, kind](const Question& question) { return Give(question, kind); };
  };
  return {
      {"GET", "/api/auth/status",
       [](const Question&) {
         return Answer{.status = 200,
                       .body = R"({"auth_enabled":false,"session_expire_hours":null,"demo":true})"};
       }},
      {"GET", "/api/nodes", [this](const Question& question) { return Nodes(question); }},
      {"GET", "/api/health", [this](const Question& question) { return Health(question); }},
      {"GET", "/api/tasks", [this](const Question& question) { return Tasks(question); }},
      {"GET", "/api/vps", [this](const Question& question) { return Vps(question, false); }},
      {"GET", "/api/vps/status", [this](const Question& question) { return Vps(question, true); }},
      {"GET", "/api/status/{id}", [this](const Question& question) { return Status(question); }},
      {"GET", "/api/tasks/{id}/stdout",
       [this](const Question& question) { return Log(question, false); }},
      {"GET", "/api/tasks/{id}/stderr",
       [this](const Question& question) { return Log(question, true); }},
      {"POST", "/api/kill/{id}", give(Command::Kind::kKill)},
      {"POST", "/api/command/{id}/pause", give(Command::Kind::kPause)},
      {"POST", "/api/command/{id}/resume", give(Command::Kind::kResume)},
  };
}

Answer HakuRiverHost::Nodes(const Question& question) const {
  return {.status = 200, .body = NodesJson(fleet_.At(question.now), question.now)};
}

Answer HakuRiverHost::Health(const Question& question) const {
  const std::string_view hostname = question.Find("hostname");
  if (hostname.empty()) return {.status = 200, .body = HealthJson(fleet_, question.now)};
  if (auto body = NodeHealthJson(fleet_.At(question.now), question.now, hostname)) {
    return {.status = 200, .body = *std::move(body)};
  }
  return Detail(404, "Node " + std::string(hostname) + " not found in health data.");
}

Answer HakuRiverHost::Tasks(const Question& question) const {
  const std::string_view status = question.Find("status");
  std::size_t skip = NumberOf(question.Find("offset"), 0);
  std::size_t left = NumberOf(question.Find("limit"), 100);
  json::Writer out;
  out.BeginArray();
  for (const Task& task : TasksAt(fleet_, question.now, commands_)) {
    if (task.vps || (!status.empty() && task.status != status)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (left == 0) break;
    --left;
    PutTask(out, task);
  }
  out.EndArray();
  return {.status = 200, .body = out.Take()};
}

Answer HakuRiverHost::Vps(const Question& question, bool active_only) const {
  json::Writer out;
  out.BeginArray();
  for (const Task& task : TasksAt(fleet_, question.now, commands_)) {
    if (task.vps && !(active_only && task.ended())) PutVps(out, task);
  }
  out.EndArray();
  return {.status = 200, .body = out.Take()};
}

template <class Use>
Answer HakuRiverHost::WithTask(const Question& question, const Use& use) const {
  const std::string& text = question.params.front();
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    return {.status = 422,
            .body = R"({"detail":[{"type":"int_parsing","loc":["path","task_id"],)"
                    R"("msg":"Input should be a valid integer"}],"demo":true})"};
  }
  for (const Task& task : TasksAt(fleet_, question.now, commands_)) {
    if (task.id == id) return use(task);
  }
  return Detail(404, "Task not found.");
}

Answer HakuRiverHost::Status(const Question& question) const {
  return WithTask(question, [](const Task& task) {
    json::Writer out;
    PutTask(out, task);
    return Answer{.status = 200, .body = out.Take()};
  });
}

Answer HakuRiverHost::Log(const Question& question, bool errors) const {
  return WithTask(question, [&](const Task& task) {
    if (task.vps) {
      return Detail(400,
                    errors ? "VPS tasks do not have stderr." : "VPS tasks do not have stdout.");
    }
    const std::size_t lines =
        NumberOf(question.Find("lines"), std::numeric_limits<std::size_t>::max());
    return Answer{
        .status = 200,
        .body = errors ? ErrorsOf(task, question.now, lines) : OutputOf(task, question.now, lines),
        .content_type = "text/plain; charset=utf-8"};
  });
}

Answer HakuRiverHost::Give(const Question& question, Command::Kind kind) {
  return WithTask(question, [&](const Task& task) {
    const std::string id = std::to_string(task.id);
    if (kind == Command::Kind::kKill) {
      if (task.ended()) return Detail(409, "Task cannot be killed (state: " + task.status + ")");
    } else {
      const std::string_view from = kind == Command::Kind::kPause ? "running" : "paused";
      if (task.status != from) {
        return Detail(400, "Task " + id + " is " + task.status + ", not " + std::string(from));
      }
    }
    commands_[task.id] = {kind, question.now};
    json::Writer out;
    out.BeginObject();
    Put(out, "message", "Done in the demo, for task " + id);
    PutMark(out);
    out.EndObject();
    return Answer{.status = kind == Command::Kind::kKill ? 202 : 200, .body = out.Take()};
  });
}

}  // namespace gpumon::demo
