#include "internal/gpud/client.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::gpud {
namespace {

constexpr std::size_t kMostBytes = std::size_t{32} << 20U;

std::string HostToAsk(std::string bind) {
  if (bind.empty() || bind == "0.0.0.0") return "127.0.0.1";
  if (bind == "::" || bind == "[::]") return "[::1]";
  if (bind.find(':') != std::string::npos && !bind.starts_with('[')) return '[' + bind + ']';
  return bind;
}

using Future = std::future<Result<fetch::Response>>;

Future Start(fetch::Client& client, fetch::Request request, Deadline deadline) {
  const auto promise = std::make_shared<std::promise<Result<fetch::Response>>>();
  auto future = promise->get_future();
  client.Fetch(std::move(request), deadline, [promise](Result<fetch::Response> response) {
    promise->set_value(std::move(response));
  });
  return future;
}

// States that say nothing of health.
std::size_t CountSilent(const std::vector<State>& states) {
  return static_cast<std::size_t>(std::count_if(
      states.begin(), states.end(), [](const State& state) { return state.health.empty(); }));
}

// What GPUd says of a request that it refuses, after a colon.
std::string ReasonIn(const std::string& body) {
  constexpr std::size_t kMost = 200;
  const auto document = json::ParseDocument(body);
  if (!document) return "";
  const auto message = (*document)["message"];
  const auto reason = message.AsString();
  if (!reason || reason->empty()) return "";
  return ": " + std::string(FrontCharacters(ReplaceHidden(ToValidUtf8(*reason), " "), kMost));
}

}  // namespace

Client::Client(fetch::Client& client, std::string bind, std::uint16_t port, Trust trust)
    : client_(client),
      address_(HostToAsk(std::move(bind)) + ':' + std::to_string(port)),
      trust_(trust) {}

fetch::Request Client::RequestOf(const std::string& target) const {
  fetch::Request request;
  request.url = scheme_ + "://" + address_ + target;
  // GPUd chooses the format by the request's own type.
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.max_response_bytes = kMostBytes;
  request.any_certificate = true;
  request.any_certificate_anywhere = trust_ == Trust::kAnyone;
  return request;
}

Result<std::string> Client::BodyOf(const Result<fetch::Response>& response) {
  if (!response) return Error(response.error());
  if (response->status == 200) return response->body;
  if (response->body.find("HTTP request to an HTTPS server") != std::string::npos) {
    return Error(Code::kUpstreamTls, "it speaks HTTPS only");
  }
  return Error(Code::kUpstreamInvalid,
               "it answered " + std::to_string(response->status) + ReasonIn(response->body));
}

Result<std::string> Client::Get(const std::string& target, Deadline deadline) {
  return BodyOf(Start(client_, RequestOf(target), deadline).get());
}

Status Client::Failure(const Status& why) const {
  return {why.code, "GPUd at " + address_ + " does not answer: " + why.message, why.detail};
}

Result<std::string> Client::GetRaw(const std::string& target, Deadline deadline) {
  auto body = GetFirst(target, deadline);
  if (body) return body;
  if (body.error().code != Code::kUpstreamInvalid) return Error(Failure(body.error()));
  return Error(body.error().code,
               "GPUd at " + address_ + " does not give " + target + ": " + body.error().message);
}

Result<std::string> Client::GetFirst(const std::string& target, Deadline deadline) {
  auto first = Get(target, deadline);
  const bool nobody = !first && (first.error().code == Code::kUpstreamTimeout ||
                                 first.error().code == Code::kUpstreamUnreachable);
  if (first || nobody) return first;
  scheme_ = scheme_ == "https" ? "http" : "https";
  auto second = Get(target, deadline);
  if (second) return second;
  scheme_ = "https";
  // Why it was not HTTPS is what says most, unless something speaks HTTP there.
  return second.error().code == Code::kUpstreamInvalid ? second : first;
}

std::vector<Metric> Client::AskUsage(Deadline deadline) {
  const auto body = Get("/v1/metrics?components=accelerator-nvidia-utilization&since=1h", deadline);
  if (!body) return {};
  return ReadAll(*body, "accelerator_nvidia_utilization_gpu_util_percent")
      .value_or(std::vector<Metric>());
}

Result<Host> Client::Ask(WallTime since, Deadline deadline) {
  const auto body = GetFirst("/v1/states", deadline);
  if (!body) return Error(Failure(body.error()));
  auto states = ReadStates(*body);
  if (!states) return Error(Failure(states.error()));
  Host host;
  host.states = *std::move(states);
  if (host.states.empty()) {
    host.missing.push_back("states: there are none");
  } else if (const std::size_t silent = CountSilent(host.states); silent > 0) {
    host.missing.push_back("states: " + std::to_string(silent) + " of " +
                           std::to_string(host.states.size()) + " have no health");
  }
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  Future events =
      Start(client_, RequestOf("/v1/events?startTime=" + std::to_string(seconds)), deadline);
  Future metrics = Start(client_, RequestOf("/v1/metrics"), deadline);
  Future machine = Start(client_, RequestOf("/machine-info"), deadline);
  const auto take = [&host](Future& from, const char* what, const auto& read, auto& into) {
    const auto text = BodyOf(from.get());
    if (!text) {
      host.missing.push_back(std::string(what) + ": " + text.error().message);
      return;
    }
    auto value = read(*text);
    if (value) {
      into = *std::move(value);
    } else {
      host.missing.push_back(std::string(what) + ": " + value.error().message);
    }
  };
  take(events, "events", ReadEvents, host.events);
  take(metrics, "metrics", ReadMetrics, host.metrics);
  take(machine, "machine info", ReadMachine, host.machine);
  return host;
}

}  // namespace gpumon::gpud
