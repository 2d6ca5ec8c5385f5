#include "cmd/gpu-monitoring-api/healthcheck.h"

#include <future>
#include <ostream>
#include <string>
#include <utility>

#include "internal/base/clock.h"
#include "internal/fetch/client.h"

namespace gpumon::api {
namespace {

constexpr Millis kLimit{5000};

// A server on every address is asked on the loopback one.
std::string HostToAsk(const std::string& listen_host) {
  if (listen_host == "0.0.0.0") return "127.0.0.1";
  if (listen_host == "::") return "[::1]";
  return listen_host.find(':') == std::string::npos ? listen_host : '[' + listen_host + ']';
}

}  // namespace

int CheckHealth(const config::ServerConfig& config, std::ostream& err) {
  const SystemClock clock;
  auto client = fetch::MakeClient({}, clock);
  if (!client) {
    err << "healthcheck: " << client.error().message << '\n';
    return 1;
  }
  fetch::Request request;
  request.url = "http://" + HostToAsk(config.listen_host) + ':' + std::to_string(config.port) +
                config.base_path + *config.healthcheck;
  std::promise<Result<fetch::Response>> answered;
  auto answer = answered.get_future();
  (*client)->Fetch(request, Deadline::After(clock, kLimit),
                   [&](Result<fetch::Response> r) { answered.set_value(std::move(r)); });
  const auto response = answer.get();
  if (!response) {
    err << "healthcheck: " << request.url << ": " << response.error().message << '\n';
    return 1;
  }
  if (response->status < 200 || response->status > 299) {
    err << "healthcheck: " << request.url << " answered " << response->status << '\n';
    return 1;
  }
  return 0;
}

}  // namespace gpumon::api
