#include "internal/hakuriver/client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "internal/base/text.h"
#include "internal/fetch/url.h"
#include "internal/hakuriver/answers.h"
#include "internal/hakuriver/failure.h"
#include "internal/hakuriver/health_judge.h"
#include "internal/hakuriver/session.h"
#include "internal/json/document.h"

namespace gpumon::hakuriver {
namespace {

using SessionPtr = std::shared_ptr<Session>;

// Of a log that is too large to be sent whole.
constexpr std::size_t kLinesOfLargeLog = 10'000;

template <class T>
struct Read {
  Generation generation = Generation::kA;
  T value;
};

template <class T>
void AskFor(const SessionPtr& session, Call call, Deadline deadline,
            Result<T> (*reader)(const std::string&), Got<Read<T>> got) {
  const std::string name = session->options().name;
  session->Send(call, {session->options().most_bytes}, deadline,
                [name, call, reader, got = std::move(got)](const Result<Answer>& answer) {
                  if (!answer) return got(Error(answer.error()));
                  if (answer->response.status != 200) {
                    return got(Error(FailureOf(name, call, answer->response)));
                  }
                  auto value = reader(answer->response.body);
                  if (!value) return got(Error(Unreadable(name, std::move(value.error().message))));
                  got(Read<T>{answer->generation, *std::move(value)});
                });
}

// The rest of the lines after the first `bytes` that may not stay.
void KeepEnd(std::size_t bytes, Log& log) {
  if (log.text.size() <= bytes) return;
  log.truncated = true;
  std::size_t start = log.text.size() - bytes;
  const std::size_t line = log.text.find('\n', start - 1);
  if (line != std::string::npos && line + 1 < log.text.size()) start = line + 1;
  // Not in the middle of a character.
  while (start < log.text.size() &&
         (static_cast<unsigned char>(log.text[start]) & 0xC0U) == 0x80U) {
    ++start;
  }
  log.text.erase(0, start);
}

// Its beginning is missing.
void DropFirstLine(std::string& text) {
  const std::size_t line = text.find('\n');
  if (line != std::string::npos && line + 1 < text.size()) text.erase(0, line + 1);
}

// True: there were more.
bool KeepLines(std::size_t lines, std::string& text) {
  if (lines == 0 || text.empty()) return false;
  std::size_t at = text.size() - (text.back() == '\n' ? 1 : 0);
  for (std::size_t left = lines; left > 0; --left) {
    if (at == 0) return false;
    const std::size_t end = text.rfind('\n', at - 1);
    if (end == std::string::npos) return false;
    at = end;
  }
  text.erase(0, at + 1);
  return true;
}

Result<Log> LogOf(const std::string& name, const Call& call, const LogQuestion& question,
                  const fetch::Response& response) {
  // Generation A says 404 of a log that is not there yet, and of a task that is not.
  if (response.status == 404 && SaysNoFileYet(call, DetailOf(response.body))) {
    return Log{.text = {}, .truncated = false, .none_yet = true};
  }
  if (response.status != 200) {
    Status failure = FailureOf(name, call, response);
    if (failure.code == Code::kUpstreamError) {
      failure.message += ", perhaps bytes in the log that are no UTF-8";
    }
    return Error(std::move(failure));
  }
  if (!Fits(call, response)) return Error(Unreadable(name, "its log is no plain text"));
  Log log;
  log.text = ToValidUtf8(response.body);
  log.none_yet = log.text.empty();
  if (response.cut) DropFirstLine(log.text);
  log.truncated = !KeepLines(question.lines, log.text) && response.cut;
  KeepEnd(question.most_bytes, log);
  return log;
}

// In generation A only the list of VPS tells that a task is one, and its port.
void AddVps(const SessionPtr& session, Task task, Deadline deadline, const Got<Task>& got) {
  AskFor<std::vector<Vps>>(
      session, {.what = What::kActiveVps}, deadline, ReadVps,
      [task = std::move(task), got](const Result<Read<std::vector<Vps>>>& active) mutable {
        if (active) {
          for (const Vps& vps : active->value) {
            if (vps.id != task.id) continue;
            task.type = "vps";
            task.ssh_port = vps.ssh_port;
          }
        }
        got(std::move(task));
      });
}

void AddPorts(const SessionPtr& session, std::vector<Vps> all, Deadline deadline,
              const Got<std::vector<Vps>>& got) {
  AskFor<std::vector<Vps>>(
      session, {.what = What::kActiveVps}, deadline, ReadVps,
      [all = std::move(all), got](const Result<Read<std::vector<Vps>>>& active) mutable {
        if (active) {
          for (Vps& vps : all) {
            for (const Vps& one : active->value) {
              if (one.id == vps.id) vps.ssh_port = one.ssh_port;
            }
          }
        }
        got(std::move(all));
      });
}

Result<Health> JudgedHealth(Session& session, const HealthQuestion& question, Health health,
                            const std::vector<Node>& nodes) {
  const bool still =
      !health.aggregates.empty() && session.StandsStill(health.aggregates.back().last_updated.text);
  health.stale = still || IsBehind(health, nodes);
  MarkFresh(health);
  FindUnsampled(nodes, health);
  if (question.hostname.empty()) return health;
  std::erase_if(health.unsampled,
                [&](const HealthSample& sample) { return sample.hostname != question.hostname; });
  if (KeepNode(question.hostname, question.past, health)) {
    health.unsampled.clear();
  } else if (health.unsampled.empty()) {
    return Error(Code::kNotFound,
                 session.options().name + " has no health of a node " + question.hostname);
  }
  return health;
}

}  // namespace

Result<std::string> ParseBaseUrl(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  if (!fetch::IsHttpUrl(text)) {
    return Error(Code::kInvalidParameter, "is no http:// or https:// URL");
  }
  if (text.find_first_of("?# \t\r\n") != std::string_view::npos) {
    return Error(Code::kInvalidParameter, "has a query, a fragment or a blank");
  }
  return std::string(text);
}

bool IsTaskId(std::string_view text) {
  std::int64_t id = 0;  // as hosts have it
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

Client::Client(fetch::Client& fetch, const Clock& clock, ClientOptions options)
    : session_(std::make_shared<Session>(fetch, clock, std::move(options))) {}

Status Client::BadId() const {
  return {Code::kInvalidParameter, "the id of a HakuRiver task is a whole number below 2^63", ""};
}

void Client::GetNodes(Deadline deadline, Got<std::vector<Node>> got) {
  AskFor<std::vector<Node>>(session_, {.what = What::kNodes}, deadline, ReadNodes,
                            [got = std::move(got)](Result<Read<std::vector<Node>>> read) {
                              if (!read) return got(Error(std::move(read.error())));
                              got(std::move(read->value));
                            });
}

void Client::GetHealth(HealthQuestion question, Deadline deadline, Got<Health> got) {
  const Call call{.what = What::kHealth,
                  .subject = question.past ? std::string() : question.hostname};
  const auto judge = [session = session_, question, deadline,
                      got = std::move(got)](Result<Read<Health>> read) {
    // Some generations do not find a node that they never sampled.
    const bool unsampled = !read && read.error().code == Code::kNotFound;
    if (!read && !unsampled) return got(Error(std::move(read.error())));
    // Only the list of nodes tells that samples have stopped.
    AskFor<std::vector<Node>>(
        session, {.what = What::kNodes}, deadline, ReadNodes,
        [session, question, got, health = unsampled ? Health() : std::move(read->value)](
            const Result<Read<std::vector<Node>>>& nodes) mutable {
          got(JudgedHealth(*session, question, std::move(health),
                           nodes ? nodes->value : std::vector<Node>()));
        });
  };
  AskFor<Health>(session_, call, deadline, ReadHealth, judge);
}

void Client::GetTask(const std::string& id, Deadline deadline, Got<Task> got) {
  if (!IsTaskId(id)) return got(Error(BadId()));
  AskFor<Task>(session_, {.what = What::kTask, .subject = id}, deadline, ReadTask,
               [session = session_, deadline, got = std::move(got)](Result<Read<Task>> read) {
                 if (!read) return got(Error(std::move(read.error())));
                 if (read->generation == Generation::kA && read->value.active()) {
                   return AddVps(session, std::move(read->value), deadline, got);
                 }
                 got(std::move(read->value));
               });
}

void Client::GetTasks(TaskQuestion question, Deadline deadline, Got<TaskList> got) {
  const std::size_t limit = std::max<std::size_t>(question.limit, 1);
  // One more tells whether there are more.
  const Call call{.what = What::kTasks, .status = question.status, .limit = limit + 1};
  AskFor<std::vector<Task>>(session_, call, deadline, ReadTasks,
                            [status = question.status, limit,
                             got = std::move(got)](Result<Read<std::vector<Task>>> read) {
                              if (!read) return got(Error(std::move(read.error())));
                              TaskList list;
                              list.tasks = std::move(read->value);
                              std::erase_if(list.tasks, [&status](const Task& task) {
                                return !status.empty() && task.status != status;
                              });
                              list.more = list.tasks.size() > limit;
                              if (list.more)
                                list.tasks.erase(
                                    list.tasks.begin() + static_cast<std::ptrdiff_t>(limit),
                                    list.tasks.end());
                              got(std::move(list));
                            });
}

void Client::GetVps(VpsScope scope, Deadline deadline, Got<std::vector<Vps>> got) {
  const What what = scope == VpsScope::kActive ? What::kActiveVps : What::kVps;
  AskFor<std::vector<Vps>>(session_, {.what = what}, deadline, ReadVps,
                           [session = session_, scope, deadline,
                            got = std::move(got)](Result<Read<std::vector<Vps>>> read) {
                             if (!read) return got(Error(std::move(read.error())));
                             if (read->generation == Generation::kA && scope == VpsScope::kAll) {
                               return AddPorts(session, std::move(read->value), deadline, got);
                             }
                             got(std::move(read->value));
                           });
}

void Client::GetLog(LogQuestion question, Deadline deadline, Got<Log> got) {
  if (!IsTaskId(question.id)) return got(Error(BadId()));
  const Call call{.what = question.stream == Stream::kStdout ? What::kStdout : What::kStderr,
                  .subject = question.id,
                  .lines = question.lines};
  const auto session = session_;
  const std::size_t most = session->options().most_bytes;
  session->Send(
      call, {most}, deadline,
      [session, call, question, deadline, most, got = std::move(got)](const Result<Answer>& whole) {
        const std::string& name = session->options().name;
        if (whole) return got(LogOf(name, call, question, whole->response));
        if (whole.error().code != Code::kUpstreamTooLarge) return got(Error(whole.error()));
        Call end = call;
        if (end.lines == 0) end.lines = kLinesOfLargeLog;
        // Generation A sends the whole log whatever it is asked for.
        const BodyLimit limit{std::min(most, question.most_bytes), true};
        session->Send(end, limit, deadline,
                      [session, end, question, got,
                       too_large = whole.error()](const Result<Answer>& answer) mutable {
                        if (!answer && answer.error().code == Code::kUpstreamTimeout) {
                          too_large.message +=
                              ", and its end did not come in time; it is in a file on the host";
                          return got(Error(too_large));
                        }
                        if (!answer) return got(Error(answer.error()));
                        auto log = LogOf(session->options().name, end, question, answer->response);
                        if (log && question.lines == 0) log->truncated = true;
                        got(std::move(log));
                      });
      });
}

void Client::Act(Action action, const std::string& id, Deadline deadline, Got<void> got) {
  if (!IsTaskId(id)) return got(Error(BadId()));
  constexpr std::array kCalls = {What::kKill, What::kPause, What::kResume};
  const Call call{.what = kCalls[static_cast<std::size_t>(action)], .subject = id};
  session_->Send(
      call, {session_->options().most_bytes}, deadline,
      [name = session_->options().name, call, got = std::move(got)](const Result<Answer>& answer) {
        if (!answer) return got(Error(answer.error()));
        const int status = answer->response.status;
        if (status < 200 || status >= 300) {
          return got(Error(FailureOf(name, call, answer->response)));
        }
        // Others answer 200 to anything.
        const auto said = json::ParseDocument(answer->response.body);
        if (said && said->is_object()) return got({});
        got(Error(Unreadable(name, "it does not say that it did so")));
      });
}

void Client::GetRaw(const Call& call, Deadline deadline, Got<RawAnswer> got) {
  const bool about_task = call.what != What::kHealth && !call.subject.empty();
  if (about_task && !IsTaskId(call.subject)) return got(Error(BadId()));
  session_->Send(call, {session_->options().most_bytes}, deadline,
                 [got = std::move(got)](Result<Answer> answer) {
                   if (!answer) return got(Error(std::move(answer.error())));
                   fetch::Response& response = answer->response;
                   got(RawAnswer{answer->generation, response.status,
                                 std::move(response.content_type), std::move(response.body)});
                 });
}

}  // namespace gpumon::hakuriver
