#include "cmd/gpuctl/ssh_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/program.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

// The shell of the other machine reads it.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string CurlCommand(const fetch::Request& request, Millis left) {
  const std::string seconds = std::to_string(std::max<std::int64_t>(1, left.count() / 1000));
  // The status comes behind the body, on a line of its own.
  std::string command = "curl -sSk --max-time " + seconds + R"( -w '\n%{http_code}')";
  for (const auto& [name, value] : request.headers) command += " -H " + Quoted(name + ": " + value);
  return command + ' ' + Quoted(request.url);
}

std::string LastLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t at = text.rfind('\n');
  if (at != std::string_view::npos) text.remove_prefix(at + 1);
  return ReplaceHidden(ToValidUtf8(text), "?");
}

struct ExitRow {
  int code;
  Code means;
  std::string_view text;
};
constexpr std::array kExits = {
    ExitRow{7, Code::kUpstreamUnreachable, "the connection was refused"},
    ExitRow{28, Code::kUpstreamTimeout, "no answer in time"},
    ExitRow{35, Code::kUpstreamTls, "it does not speak TLS"},
    ExitRow{127, Code::kUpstreamUnreachable, "there is no curl on that host"},
    ExitRow{255, Code::kUpstreamUnreachable, "ssh does not get there"},
};

Status FailureOf(const std::string& host, const ProgramAnswer& ran) {
  const auto* const row = std::find_if(
      kExits.begin(), kExits.end(), [&](const ExitRow& its) { return its.code == ran.exit_code; });
  const std::string said = LastLine(ran.errors);
  Status status{Code::kUpstreamUnreachable, host + ": "};
  if (row != kExits.end()) {
    status.code = row->means;
    status.message += row->text;
  } else {
    status.message += "ssh ended with " + std::to_string(ran.exit_code);
  }
  if (!said.empty()) status.message += " (" + said + ')';
  return status;
}

}  // namespace

Result<void> CheckSshHost(const std::string& host) {
  const bool allowed =
      !host.empty() && host.front() != '-' && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._-@:[]%").find(c) != std::string_view::npos;
      });
  if (allowed) return {};
  return Error(Code::kInvalidParameter, "is no host that ssh could be given");
}

SshClient::~SshClient() {
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

Result<fetch::Response> SshClient::Ask(const fetch::Request& request, Deadline deadline) const {
  const std::string command = CurlCommand(request, deadline.Left(clock_));
  log::Debug("ssh", {{"host", host_}, {"command", command}});
  const auto ran = RunProgram({"ssh", "-o", "BatchMode=yes", "--", host_, command}, clock_,
                              deadline, request.max_response_bytes);
  if (!ran) {
    const Code code =
        ran.error().code == Code::kNotFound ? Code::kUpstreamUnreachable : ran.error().code;
    return Error(code, host_ + ": " + ran.error().message);
  }
  if (ran->exit_code != 0) return Error(FailureOf(host_, *ran));
  const std::size_t at = ran->output.rfind('\n');
  fetch::Response response;
  const char* const end = ran->output.data() + ran->output.size();
  if (at == std::string::npos ||
      std::from_chars(ran->output.data() + at + 1, end, response.status).ptr != end ||
      response.status < 100) {
    return Error(Code::kUpstreamInvalid, host_ + ": curl said no status");
  }
  response.body = ran->output.substr(0, at);
  return response;
}

void SshClient::Fetch(fetch::Request request, Deadline deadline, fetch::Done done) {
  const MutexLock lock(mutex_);
  threads_.emplace_back([this, request = std::move(request), deadline, done = std::move(done)] {
    done(Ask(request, deadline));
  });
}

}  // namespace gpumon::ctl
