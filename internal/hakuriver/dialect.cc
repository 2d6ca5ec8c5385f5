#include "internal/hakuriver/dialect.h"

#include <array>
#include <string_view>

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
  if (response.status == 404) {
    // FastAPI's own words for a path without a route; the host's are others.
    const std::string detail = DetailOf(response.body);
    return !detail.empty() && detail != "Not Found";
  }
  if (response.status != 200 || IsAction(call.what)) return true;
  if (IsLog(call.what)) return !response.content_type.starts_with("text/html");
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (response.body[first] == '[' ||
                                        response.body[first] == '{' || response.body[first] == 'n');
}

std::string DetailOf(const std::string& body) {
  const auto document = json::ParseDocument(body);
  const std::string* const text = document ? (*document)["detail"].AsString() : nullptr;
  return text == nullptr ? std::string() : *text;
}

}  // namespace gpumon::hakuriver
