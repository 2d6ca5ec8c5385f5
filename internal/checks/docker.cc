#include "internal/checks/docker.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <future>
#include <optional>
#include <utility>

#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/base/text.h"
#include "internal/checks/ask.h"
#include "internal/checks/docker_state.h"
#include "internal/checks/failure.h"
#include "internal/checks/texts.h"
#include "internal/json/document.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kNotAccessible = "Docker daemon not accessible";
constexpr std::string_view kDaemonHint =
    "ensure that Docker is running (docker version), and that this user may use it: its socket is "
    "for root and the group docker";
constexpr std::size_t kMostListBytes = std::size_t{8} << 20U;
constexpr std::size_t kLogLines = 20;
constexpr std::size_t kMostShown = 200;

struct Container {
  std::string id;
  std::vector<std::string> names;  // without the slash
  std::string service;             // of Docker Compose; "" for none
};
using Containers = Result<std::vector<Container>>;

// It becomes a part of a path.
bool IsId(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

Result<std::vector<Container>> ReadList(std::string_view body) {
  const auto fail = [](const std::string& why) {
    return Error(Code::kUpstreamInvalid, "its list of containers is not understood: " + why);
  };
  const auto list = json::ParseDocument(body);
  if (!list) return fail(list.error().message);
  if (!list->is_array()) return fail("it is no list");
  std::vector<Container> containers;
  for (const json::Value& entry : list->elements()) {
    Container container;
    container.id = TextOf(entry["Id"]);
    if (!IsId(container.id)) return fail("a container has no Id");
    for (const json::Value& name : entry["Names"].elements()) {
      std::string text = TextOf(name);
      if (text.starts_with('/')) text.erase(0, 1);
      container.names.push_back(std::move(text));
    }
    container.service = TextOf(entry["Labels"]["com.docker.compose.service"]);
    containers.push_back(std::move(container));
  }
  return containers;
}

// Why nobody can connect to the socket, in words that curl lacks; "" when it is no plain case.
std::string SocketProblem(const std::string& path) {
  if (path.empty()) return {};
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) {
    return errno == EACCES ? "no permission to reach " + path : "there is no socket " + path;
  }
  if (!S_ISSOCK(file.st_mode)) return path + " is no socket";
  if (access(path.c_str(), W_OK) != 0) return "no permission to use " + path;
  return {};
}

// What the daemon says in an answer that is no success.
std::string Refusal(const fetch::Response& response) {
  std::string text = "it answered HTTP " + std::to_string(response.status);
  const auto answer = json::ParseDocument(response.body);
  const std::string message = answer ? TextOf((*answer)["message"]) : "";
  if (!message.empty()) {
    text += ": " + std::string(FrontCharacters(ToValidUtf8(message), kMostShown));
  }
  return text;
}

// The daemon, in one round. Thread-safe.
class Engine {
 public:
  Engine(std::shared_ptr<fetch::Client> client, DockerOptions options)
      : client_(std::move(client)), options_(std::move(options)) {}

  // A success with its body; else a clause that says why not.
  Result<fetch::Response> Get(const std::string& path, std::size_t most_bytes, const Clock& clock,
                              Deadline deadline, std::vector<std::string>& steps) const {
    const DockerAddress& address = options_.address;
    if (!address.problem.empty()) {
      steps.push_back("nobody is asked: " + address.problem);
      return Error(Code::kInvalidParameter, address.problem);
    }
    auto response = Ask(*client_,
                        {.url = address.url + path,
                         .max_response_bytes = most_bytes,
                         .unix_socket = address.unix_socket},
                        clock, deadline, steps);
    if (!response) {
      gpumon::Status why = response.error();
      const std::string plain =
          why.code == Code::kUpstreamUnreachable ? SocketProblem(address.unix_socket) : "";
      if (!plain.empty()) why.message = plain;
      return Error(std::move(why));
    }
    if (response->status == 404) return Error(Code::kNotFound, Refusal(*response));
    if (response->status != 200) return Error(Code::kUpstreamInvalid, Refusal(*response));
    return response;
  }

  // Asked for once; the others wait for that answer.
  Containers List(const Clock& clock, Deadline deadline, std::vector<std::string>& steps) {
    std::optional<std::promise<Listed>> mine;
    std::shared_future<Listed> list;
    {
      const MutexLock lock(mutex_);
      if (!list_.valid()) list_ = mine.emplace().get_future().share();
      list = list_;
    }
    if (mine) {
      Listed asked;
      asked.containers = AskForList(clock, deadline, asked.steps);
      mine->set_value(std::move(asked));
    }
    if (list.wait_for(deadline.Left(clock)) == std::future_status::ready) {
      const Listed& listed = list.get();
      for (const std::string& step : listed.steps) {
        steps.push_back(mine ? step : step + " (asked once, for all containers)");
      }
      return listed.containers;
    }
    steps.emplace_back("the list of containers, asked for once: it did not come in time");
    return Error(Code::kUpstreamTimeout, "its list of containers did not come in time");
  }

  Outcome Judge(const std::string& name, const Clock& clock, Deadline deadline);

 private:
  struct Listed {
    Containers containers = Error(Code::kInternal, "");
    std::vector<std::string> steps;
  };

  Containers AskForList(const Clock& clock, Deadline deadline,
                        std::vector<std::string>& steps) const {
    const auto response = Get("/containers/json?all=true", kMostListBytes, clock, deadline, steps);
    if (!response) return Error(response.error());
    return ReadList(response->body);
  }
  Outcome Inspect(const Container& container, const std::string& name, const Clock& clock,
                  Deadline deadline, std::vector<std::string>& steps) const;
  void TakeLogs(const Container& container, const Clock& clock, Deadline deadline, Outcome& outcome,
                std::vector<std::string>& steps) const;

  const std::shared_ptr<fetch::Client> client_;
  const DockerOptions options_;

  Mutex mutex_;
  std::shared_future<Listed> list_ GUARDED_BY(mutex_);
};

Outcome NotAccessible(Status status, std::string_view why) {
  Outcome outcome = Failed(status, kNotAccessible, why, kDaemonHint);
  outcome.details = kNotAccessible;
  return outcome;
}

void Engine::TakeLogs(const Container& container, const Clock& clock, Deadline deadline,
                      Outcome& outcome, std::vector<std::string>& steps) const {
  if (!options_.logs || outcome.status == Status::kHealthy) return;
  const auto response = Get("/containers/" + container.id +
                                "/logs?stdout=true&stderr=true&tail=" + std::to_string(kLogLines),
                            kMostBytes, clock, deadline, steps);
  if (response) outcome.log_lines = LogLines(response->body, kLogLines);
}

Outcome Engine::Inspect(const Container& container, const std::string& name, const Clock& clock,
                        Deadline deadline, std::vector<std::string>& steps) const {
  const auto response =
      Get("/containers/" + container.id + "/json", kMostBytes, clock, deadline, steps);
  if (!response) {
    return Failed(Status::kUnknown, "container " + name,
                  "inspection failed: " + response.error().message, "docker inspect " + name);
  }
  const auto inspected = json::ParseDocument(response->body);
  if (!inspected) {
    return Failed(Status::kUnknown, "container " + name,
                  "Docker's answer is not understood: " + inspected.error().message,
                  "docker inspect " + name);
  }
  Outcome outcome = JudgeContainer(*inspected, name);
  TakeLogs(container, clock, deadline, outcome, steps);
  return outcome;
}

int Badness(Status status) {
  switch (status) {
    case Status::kHealthy:
      return 0;
    case Status::kUnknown:
      return 1;
    case Status::kDegraded:
      return 2;
    case Status::kUnhealthy:
      break;
  }
  return 3;
}

std::vector<Container> Matching(const std::vector<Container>& all, const std::string& name) {
  std::vector<Container> by_service;
  for (const Container& container : all) {
    const auto& names = container.names;
    if (std::find(names.begin(), names.end(), name) != names.end()) return {container};
    if (container.service == name) by_service.push_back(container);
  }
  return by_service;
}

Outcome Engine::Judge(const std::string& name, const Clock& clock, Deadline deadline) {
  std::vector<std::string> steps;
  const Containers list = List(clock, deadline, steps);
  Outcome worst;
  if (!list) {
    worst = NotAccessible(Status::kUnknown, list.error().message);
  } else {
    const std::vector<Container> containers = Matching(*list, name);
    if (containers.empty()) {
      worst = Failed(Status::kUnhealthy, "container " + name, "not found",
                     "see docker ps -a, and start it: docker compose up -d");
    }
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const auto& names = containers[i].names;
      Outcome outcome =
          Inspect(containers[i], names.empty() ? name : names.front(), clock, deadline, steps);
      if (i == 0 || Badness(outcome.status) > Badness(worst.status)) worst = std::move(outcome);
    }
  }
  worst.steps = std::move(steps);
  return worst;
}

Outcome OfDaemon(const Engine& engine, const Clock& clock, Deadline deadline) {
  Outcome outcome;
  std::vector<std::string> steps;
  const auto response = engine.Get("/version", kMostBytes, clock, deadline, steps);
  const auto answer = response ? json::ParseDocument(response->body) : Error(response.error());
  const std::string version = answer ? TextOf((*answer)["Version"]) : "";
  if (!version.empty()) {
    outcome.status = Status::kHealthy;
    outcome.details = "Docker " + version + " (API " + TextOf((*answer)["ApiVersion"]) + ')';
  } else {
    const std::string why =
        !response ? response.error().message
                  : "its answer is not understood: " +
                        (answer ? std::string("it has no Version") : answer.error().message);
    outcome = NotAccessible(Status::kUnhealthy, why);
  }
  outcome.steps = std::move(steps);
  return outcome;
}

}  // namespace

DockerAddress ParseDockerHost(std::string_view text) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kTcp = "tcp://";
  constexpr std::size_t kLongestSocketPath = 107;  // as the kernel takes it
  DockerAddress address;
  if (text.empty()) return address;
  if (text.starts_with(kUnix) && text.size() > kUnix.size() &&
      text.size() - kUnix.size() <= kLongestSocketPath) {
    address.unix_socket = text.substr(kUnix.size());
    return address;
  }
  address.unix_socket.clear();
  if (text.starts_with(kTcp) && text.size() > kTcp.size() &&
      text.find_first_of("?# @", kTcp.size()) == std::string_view::npos) {
    address.url = "http://" + std::string(text.substr(kTcp.size()));
    while (address.url.ends_with('/')) address.url.pop_back();
    return address;
  }
  address.problem =
      "DOCKER_HOST cannot be used: give unix:///path or tcp://host:port, without TLS or ssh";
  return address;
}

Probe DockerDaemonProbe(std::shared_ptr<fetch::Client> client, DockerOptions options) {
  const auto engine = std::make_shared<const Engine>(std::move(client), std::move(options));
  return [engine](const Clock& clock, Deadline deadline) {
    return OfDaemon(*engine, clock, deadline);
  };
}

std::vector<Check> ContainerChecks(std::shared_ptr<fetch::Client> client, DockerOptions options,
                                   const std::vector<std::string>& names) {
  const auto engine = std::make_shared<Engine>(std::move(client), std::move(options));
  std::vector<Check> checks;
  for (const std::string& given : names) {
    // Docker's own API writes a slash before a name, and so do people who copy it from there.
    const std::string name = given.size() > 1 && given[0] == '/' ? given.substr(1) : given;
    const auto is_it = [&name](const Check& check) { return check.name == name; };
    if (std::any_of(checks.begin(), checks.end(), is_it)) continue;
    checks.push_back({name, [engine, name](const Clock& clock, Deadline deadline) {
                        return engine->Judge(name, clock, deadline);
                      }});
  }
  return checks;
}

}  // namespace gpumon::checks
