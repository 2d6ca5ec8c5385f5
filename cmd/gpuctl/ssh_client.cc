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

// Stands before the answer: a shell there may print a greeting of its own.
constexpr std::string_view kMark = "gpuctl-answer";

// The shell of the other machine reads it.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Seconds(Millis left) {
  return std::to_string(std::max<std::int64_t>(1, left.count() / 1000));
}

std::string CurlCommand(const fetch::Request& request, Millis left) {
  // The status comes behind the body, on a line of its own.
  std::string command = "echo " + std::string(kMark) + "; curl -sSk --max-time " + Seconds(left) +
                        R"( -w '\n%{http_code}')";
  for (const auto& [name, value] : request.headers) {
    std::string header = name;
    header.append(": ").append(value);
    command += " -H " + Quoted(header);
  }
  return command + ' ' + Quoted(request.url);
}

// `ssh` and its own options for that way; the host comes last.
std::vector<std::string> SshWords(const SshWay& way) {
  std::vector<std::string> words = {"ssh"};
  if (!way.config_file.empty()) words.insert(words.end(), {"-F", way.config_file});
  if (!way.port.empty()) words.insert(words.end(), {"-p", way.port});
  return words;
}

std::string LastLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t at = text.rfind('\n');
  if (at != std::string_view::npos) text.remove_prefix(at + 1);
  return ReplaceHidden(ToValidUtf8(text), "?");
}

constexpr int kOfSsh = 255;

// The first that fits counts. `said` stands in what was printed; "" fits always.
struct ExitRow {
  int code;
  std::string_view said;
  Code means;
  std::string_view text;
  std::string_view next;  // goes before the command that opens that connection; "": nothing
};
constexpr std::array kExits = {
    ExitRow{7, "", Code::kUpstreamUnreachable, "the connection was refused", ""},
    ExitRow{28, "", Code::kUpstreamTimeout, "no answer in time", ""},
    ExitRow{35, "", Code::kUpstreamTls, "it does not speak TLS", ""},
    ExitRow{127, "", Code::kUpstreamUnreachable, "there is no curl on that host", ""},
    ExitRow{kOfSsh, "IDENTIFICATION HAS CHANGED", Code::kUpstreamUnreachable,
            "its host key is not the one that was known", "what to do is said by: "},
    ExitRow{kOfSsh, "Host key verification failed", Code::kUpstreamUnreachable,
            "its host key is not known yet", "to accept it: "},
    ExitRow{kOfSsh, "Permission denied", Code::kUpstreamUnreachable, "ssh is not let in",
            "this must work without a question: "},
    ExitRow{kOfSsh, "timed out", Code::kUpstreamTimeout, "ssh gets no answer in time", ""},
    ExitRow{kOfSsh, "", Code::kUpstreamUnreachable, "ssh does not get there", ""},
};

Status FailureOf(const SshWay& way, const ProgramAnswer& ran) {
  const auto* const row = std::find_if(kExits.begin(), kExits.end(), [&](const ExitRow& its) {
    return its.code == ran.exit_code && ran.errors.find(its.said) != std::string::npos;
  });
  const std::string said = LastLine(ran.errors);
  Status status{Code::kUpstreamUnreachable, way.name() + ": "};
  if (row != kExits.end()) {
    status.code = row->means;
    status.message += row->text;
  } else {
    status.message += "ssh ended with " + std::to_string(ran.exit_code);
  }
  if (!said.empty()) status.message += " (" + said + ')';
  if (row != kExits.end() && !row->next.empty()) {
    status.message += "; " + std::string(row->next) + way.command();
  }
  return status;
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-@:%").find(c) != std::string_view::npos;
}

bool IsPort(const std::string& text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  return read.ec == std::errc() && read.ptr == end && port > 0;
}

// What stands behind the printed mark. Without the mark: all of it.
std::string_view Answer(std::string_view output) {
  const std::string line = std::string(kMark) + '\n';
  const std::size_t at = output.find(line);
  return at == std::string_view::npos ? output : output.substr(at + line.size());
}

}  // namespace

std::string SshWay::name() const {
  if (port.empty()) return host;
  const std::size_t at = host.find('@') + 1;
  if (host.find(':', at) == std::string::npos) return host + ':' + port;
  return host.substr(0, at) + '[' + host.substr(at) + "]:" + port;
}

std::string SshWay::command() const {
  std::string line;
  for (const std::string& word : SshWords(*this)) line += word + ' ';
  return line + host;
}

Result<SshWay> ParseSshHost(const std::string& text) {
  SshWay way;
  const std::size_t open = text.find('[');
  const std::size_t shut = text.find(']');
  const std::size_t colon = text.rfind(':');
  if (open != std::string::npos && shut != std::string::npos && shut > open) {
    way.host = text.substr(0, open) + text.substr(open + 1, shut - open - 1);
    if (shut + 1 < text.size()) way.port = text.substr(shut + 1);
  } else {
    // More than one is an address of IPv6.
    const bool has_port = colon != std::string::npos && text.find(':') == colon;
    way.host = text.substr(0, has_port ? colon : std::string::npos);
    if (has_port) way.port = text.substr(colon);
  }
  const bool is_host = !way.host.empty() && way.host.front() != '-' &&
                       std::all_of(way.host.begin(), way.host.end(), IsHostCharacter);
  if (!is_host) return Error(Code::kInvalidParameter, "is no host that ssh could be given");
  if (way.port.empty()) return way;
  const bool is_port = way.port.front() == ':' && IsPort(way.port.substr(1));
  way.port.erase(0, 1);
  if (is_port) return way;
  return Error(Code::kInvalidParameter, "has a port that is no number from 1 to 65535");
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
  // A third of the time is left for ssh to say what it waits for.
  const Millis left = deadline.Left(clock_);
  std::vector<std::string> command = SshWords(way_);
  command.insert(command.end(),
                 {"-o", "BatchMode=yes", "-o", "ConnectTimeout=" + Seconds(left * 2 / 3), "--",
                  way_.host, CurlCommand(request, left)});
  log::Debug("ssh", {{"host", way_.host}, {"command", command.back()}});
  const auto ran = RunProgram(command, clock_, deadline, request.max_response_bytes);
  if (!ran) {
    const Code code =
        ran.error().code == Code::kNotFound ? Code::kUpstreamUnreachable : ran.error().code;
    return Error(code, way_.name() + ": " + ran.error().message);
  }
  if (ran->exit_code != 0) return Error(FailureOf(way_, *ran));
  const std::string_view answer = Answer(ran->output);
  const std::size_t at = answer.rfind('\n');
  fetch::Response response;
  const char* const end = answer.data() + answer.size();
  if (at == std::string_view::npos ||
      std::from_chars(answer.data() + at + 1, end, response.status).ptr != end ||
      response.status < 100) {
    return Error(Code::kUpstreamInvalid, way_.name() + ": curl said no status");
  }
  response.body = answer.substr(0, at);
  return response;
}

void SshClient::Fetch(fetch::Request request, Deadline deadline, fetch::Done done) {
  const MutexLock lock(mutex_);
  threads_.emplace_back([this, request = std::move(request), deadline, done = std::move(done)] {
    done(Ask(request, deadline));
  });
}

}  // namespace gpumon::ctl
