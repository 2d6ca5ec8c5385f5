#include "internal/hakuriver/dialect.h"

#include <array>
#include <string_view>

#include "internal/base/text.h"
#include "internal/fetch/url.h"
#include "internal/json/document.h"

namespace gpumon::hakuriver {
namespace {

// `*` is the subject.
struct Row {
  What what;
  std::string_view old_path;  // of generation A
  std::string_view path;      // of B, and of C behind /api
};

constexpr std::array kRows = {
    Row{What::kNodes, "/nodes", "/nodes"},
    Row{What::kHealth, "/health", "/health"},
    Row{What::kTask, "/status/*", "/status/*"},
    Row{What::kTasks, "/tasks", "/tasks"},
    Row{What::kVps, "/vps", "/vps"},
    Row{What::kActiveVps, "/vps/status", "/vps/status"},
    Row{What::kStdout, "/task/*/stdout", "/tasks/*/stdout"},
    Row{What::kStderr, "/task/*/stderr", "/tasks/*/stderr"},
    Row{What::kKill, "/kill/*", "/kill/*"},
    Row{What::kPause, "/command/*/pause", "/command/*/pause"},
    Row{What::kResume, "/command/*/resume", "/command/*/resume"},
};

std::string QueryOf(Generation generation, const Call& call) {
  std::string query;
  if (call.what == What::kHealth && !call.subject.empty()) {
    fetch::AddParam(query, "hostname", call.subject);
  }
  if (generation == Generation::kA) return query;
  if (call.what == What::kTasks) {
    if (!call.status.empty()) fetch::AddParam(query, "status", call.status);
    if (call.limit > 0) fetch::AddParam(query, "limit", std::to_string(call.limit));
  }
  if (IsLog(call.what) && call.lines > 0) {
    fetch::AddParam(query, "lines", std::to_string(call.lines));
  }
  return query;
}

// What is sent without a type may be a log.
bool IsPlain(std::string_view content_type) {
  return content_type.empty() || EqualsIgnoreCase(content_type.substr(0, 10), "text/plain");
}

}  // namespace

char LetterOf(Generation generation) {
  return "ABC"[static_cast<std::size_t>(generation)];
}

bool IsAction(What what) {
  return what == What::kKill || what == What::kPause || what == What::kResume;
}

bool IsLog(What what) {
  return what == What::kStdout || what == What::kStderr;
}

std::string TargetOf(Generation generation, const Call& call) {
  const Row& row = kRows[static_cast<std::size_t>(call.what)];
  std::string target(generation == Generation::kA ? row.old_path : row.path);
  if (const std::size_t star = target.find('*'); star != std::string::npos) {
    target.replace(star, 1, call.subject);
  }
  if (generation == Generation::kC) target.insert(0, "/api");
  const std::string query = QueryOf(generation, call);
  return query.empty() ? target : target + '?' + query;
}

bool Fits(const Call& call, const fetch::Response& response) {
  if (response.status == 405) return false;
  if (response.status == 404) return SaysNoSuch(call, DetailOf(response.body));
  if (response.status != 200 || IsAction(call.what)) return true;
  if (IsLog(call.what)) return IsPlain(response.content_type);
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (response.body[first] == '[' ||
                                        response.body[first] == '{' || response.body[first] == 'n');
}

bool SaysNoFileYet(const Call& call, std::string_view detail) {
  return IsLog(call.what) && detail.find("not be generated yet") != std::string_view::npos;
}

bool SaysNoSuch(const Call& call, std::string_view detail) {
  if (call.subject.empty()) return false;  // a list is always there
  if (SaysNoFileYet(call, detail)) return true;
  // "Task id not found", "Task entry not found", "Task not found."; "Node N not found in ...".
  const std::string_view what = call.what == What::kHealth ? "Node " : "Task ";
  return detail.starts_with(what) && detail.find(" not found") != std::string_view::npos;
}

std::string DetailOf(const std::string& body) {
  const auto document = json::ParseDocument(body);
  const std::string* const text = document ? (*document)["detail"].AsString() : nullptr;
  return text == nullptr ? std::string() : *text;
}

}  // namespace gpumon::hakuriver
