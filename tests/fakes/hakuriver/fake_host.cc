#include "tests/fakes/hakuriver/fake_host.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tests/fakes/hakuriver/fake_texts.h"

namespace gpumon::hakuriver {
namespace {

using fault::HttpStatus;
using fault::Json;
using fault::Reply;

Reply Refused(int status, const std::string& detail) {
  return HttpStatus(status, R"({"detail":")" + detail + R"("})", "application/json");
}

Reply LogText(std::string text) {
  Reply reply = Json(std::move(text));
  reply.content_type = "text/plain; charset=utf-8";
  return reply;
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all = "[";
  for (const std::string& text : texts) all += (all.size() > 1 ? "," : "") + text;
  return all + ']';
}

std::string LastLines(const std::string& text, std::size_t count) {
  std::size_t at = text.size();
  for (std::size_t i = 0; i < count && at > 0; ++i) {
    const std::size_t end = at < 2 ? std::string::npos : text.rfind('\n', at - 2);
    at = end == std::string::npos ? 0 : end + 1;
  }
  return text.substr(at);
}

bool IsActive(const FakeTask& task) {
  constexpr std::array kActive = {"pending", "assigning", "running", "paused"};
  return std::find(kActive.begin(), kActive.end(), task.status) != kActive.end();
}

// "/a/b/c": a, b, c.
std::vector<std::string> PartsOf(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::vector<FakeTask> FirstTasks() {
  return {
      {.id = kRunningTask, .gpus = {0}, .out = "epoch 1\nepoch 2\nepoch 3\n", .err = ""},
      {.id = kCompletedTask, .status = "completed", .exit_code = 0, .out = "done\n", .err = "w\n"},
      {.id = kFailedTask,
       .status = "failed",
       .exit_code = 1,
       .error_message = "Container exited with code 1",
       .out = "",
       .err = "Traceback (most recent call last):\nValueError: no data\n"},
      {.id = kRunningVps, .type = "vps", .gpus = {1}, .ssh_port = 40022},
      {.id = kStoppedVps, .type = "vps", .status = "stopped", .exit_code = 0},
      {.id = kPendingTask, .status = "pending", .node = ""},
  };
}

}  // namespace

bool FakeTask::finished() const {
  return !IsActive(*this);
}

FakeHost::FakeHost(Generation generation) : generation_(generation), tasks_(FirstTasks()) {
  server_.SetScript([this](const fault::Request& request) { return Answer(request); });
}

std::string FakeHost::url() const {
  const MutexLock lock(mutex_);
  return server_.url() + prefix_;
}

void FakeHost::Become(Generation generation) {
  const MutexLock lock(mutex_);
  generation_ = generation;
}

void FakeHost::SetPrefix(std::string prefix) {
  const MutexLock lock(mutex_);
  prefix_ = std::move(prefix);
}

void FakeHost::SetToken(std::string token) {
  const MutexLock lock(mutex_);
  token_ = std::move(token);
}

void FakeHost::StopSampling() {
  const MutexLock lock(mutex_);
  sampling_ = false;
}

void FakeHost::NeverSample() {
  const MutexLock lock(mutex_);
  sampling_ = has_samples_ = false;
}

void FakeHost::Tick() {
  const MutexLock lock(mutex_);
  ++second_;
  if (sampling_) sampled_ = second_;
}

void FakeHost::RemoveNodes() {
  const MutexLock lock(mutex_);
  nodes_ = false;
}

void FakeHost::AddTask(FakeTask task) {
  const MutexLock lock(mutex_);
  tasks_.push_back(std::move(task));
}

std::string FakeHost::StatusOf(const std::string& id) const {
  const MutexLock lock(mutex_);
  const FakeTask* const task = Find(id);
  return task == nullptr ? std::string() : task->status;
}

FakeTask* FakeHost::Find(const std::string& id) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(),
                                  [&id](const FakeTask& task) { return task.id == id; });
  return found == tasks_.end() ? nullptr : &*found;
}

const FakeTask* FakeHost::Find(const std::string& id) const {
  for (const FakeTask& task : tasks_) {
    if (task.id == id) return &task;
  }
  return nullptr;
}

Reply FakeHost::Answer(const fault::Request& request) {
  const MutexLock lock(mutex_);
  std::string path = request.target.substr(0, request.target.find('?'));
  if (!path.starts_with(prefix_)) return HttpStatus(404, "<html>nginx</html>", "text/html");
  path.erase(0, prefix_.size());
  if (generation_ != Generation::kC) return Route(path, request);
  if (path == "/api/auth/status") {
    return Json(std::string(R"({"auth_enabled":)") + (token_.empty() ? "false" : "true") +
                R"(,"session_expire_hours":24})");
  }
  if (!path.starts_with("/api/")) {
    // Its web pages are at every other path.
    return request.method == "GET" ? HttpStatus(200, "<!doctype html>", "text/html")
                                   : Refused(405, "Method Not Allowed");
  }
  path.erase(0, 4);
  if (auto refusal = Refusal(request); refusal && path != "/nodes" && path != "/health") {
    return *std::move(refusal);
  }
  return Route(path, request);
}

std::optional<Reply> FakeHost::Refusal(const fault::Request& request) const {
  if (token_.empty()) return std::nullopt;
  const std::string sent = request.Header("Authorization");
  if (sent == "Bearer " + token_) return std::nullopt;
  if (sent.empty()) return Refused(403, "Role 'viewer' required");
  return Refused(401, "Invalid token").With("WWW-Authenticate", "Bearer");
}

Reply FakeHost::Route(const std::string& path, const fault::Request& request) {
  const bool get = request.method == "GET";
  const std::vector<std::string> parts = PartsOf(path);
  const std::string word = parts.empty() ? std::string() : parts[0];
  if (get && path == "/nodes") return Json(nodes_ ? NodesText(generation_, second_) : "[]");
  if (get && path == "/health") return HealthOf(request.Param("hostname"));
  if (get && path == "/tasks") return TaskList(request);
  if (get && path == "/vps") return VpsList(false);
  if (get && path == "/vps/status") return VpsList(true);
  if (get && word == "status" && parts.size() == 2) return StatusReply(parts[1]);
  const char* const logs = generation_ == Generation::kA ? "task" : "tasks";
  if (get && word == logs && parts.size() == 3 && (parts[2] == "stdout" || parts[2] == "stderr")) {
    return LogReply(parts[1], parts[2] == "stdout", request.Param("lines"));
  }
  if (!get && word == "kill" && parts.size() == 2) return KillReply(parts[1]);
  if (!get && word == "command" && parts.size() == 3) return CommandReply(parts[1], parts[2]);
  return Refused(404, "Not Found");
}

Reply FakeHost::HealthOf(const std::string& hostname) const {
  if (generation_ != Generation::kA && !hostname.empty()) {
    if (!has_samples_ || (hostname != "gn01" && hostname != "gn02")) {
      return Refused(404, "Node " + hostname + " not found in health data.");
    }
    return Json('[' + SampleText(hostname == "gn01", sampled_) + ']');
  }
  std::vector<std::string> samples;
  std::vector<std::string> aggregates;
  for (int second = sampled_ - 2; nodes_ && has_samples_ && second <= sampled_; ++second) {
    samples.push_back(Joined({SampleText(true, second), SampleText(false, second)}));
    aggregates.push_back(AggregateText(second));
  }
  return Json(R"({"nodes":)" + Joined(samples) + R"(,"aggregate":)" + Joined(aggregates) + '}');
}

Reply FakeHost::TaskList(const fault::Request& request) const {
  std::size_t limit = 100;
  std::string status;
  if (generation_ != Generation::kA) {
    const std::string text = request.Param("limit");
    if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), limit);
    status = request.Param("status");
  }
  std::vector<std::string> texts;
  for (const FakeTask& task : tasks_) {
    if (task.type != "command" || (!status.empty() && task.status != status)) continue;
    if (generation_ != Generation::kA && texts.size() == limit) break;
    texts.push_back(TaskText(generation_, task, true));
  }
  return Json(Joined(texts));
}

Reply FakeHost::VpsList(bool active) const {
  std::vector<std::string> texts;
  for (const FakeTask& task : tasks_) {
    if (task.type != "vps" || (active && !IsActive(task))) continue;
    texts.push_back(VpsText(generation_, task, active));
  }
  return Json(Joined(texts));
}

Reply FakeHost::Unknown(bool log) const {
  if (generation_ != Generation::kA) return Refused(404, "Task not found.");
  return Refused(404, log ? "Task entry not found" : "Task id not found");
}

Reply FakeHost::StatusReply(const std::string& id) const {
  const FakeTask* const task = Find(id);
  return task == nullptr ? Unknown(false) : Json(TaskText(generation_, *task, false));
}

Reply FakeHost::LogReply(const std::string& id, bool out, const std::string& lines) const {
  const FakeTask* const task = Find(id);
  const bool old = generation_ == Generation::kA;
  if (task == nullptr) return Unknown(true);
  if (task->type == "vps") {
    return Refused(400,
                   std::string("VPS tasks do not have ") + (old || out ? "stdout." : "stderr."));
  }
  const auto& text = out ? task->out : task->err;
  if (!text) {
    return old ? Refused(404, "Standard output file not found (might not be generated yet).")
               : LogText("");
  }
  std::size_t count = 0;
  std::from_chars(lines.data(), lines.data() + lines.size(), count);
  return LogText(!old && count > 0 ? LastLines(*text, count) : *text);
}

Reply FakeHost::KillReply(const std::string& id) {
  FakeTask* const task = Find(id);
  if (task == nullptr) return Unknown(false);
  const bool paused = task->status == "paused" && generation_ == Generation::kA;
  if (task->finished() || paused) {
    return Refused(409, "Task cannot be killed (state: " + task->status + ")");
  }
  task->status = "killed";
  return HttpStatus(202, R"({"message":"Kill requested. Task marked as killed."})",
                    "application/json");
}

Reply FakeHost::CommandReply(const std::string& id, const std::string& word) {
  FakeTask* const task = Find(id);
  if (task == nullptr) return Unknown(false);
  const char* const from = word == "pause" ? "running" : "paused";
  if (task->status != from) {
    return Refused(400, "Task cannot be " + word + "d (state: " + task->status + ")");
  }
  task->status = word == "pause" ? "paused" : "running";
  return HttpStatus(200, R"({"message":"Command ')" + word + R"(' sent to runner for task."})",
                    "application/json");
}

}  // namespace gpumon::hakuriver
