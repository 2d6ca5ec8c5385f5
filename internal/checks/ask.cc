#include "internal/checks/ask.h"

#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include "internal/checks/failure.h"
#include "internal/fetch/url.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kRefused = "the connection was refused";

std::string Clause(const gpumon::Status& status, Millis limit) {
  if (status.code == Code::kUpstreamTimeout) return NoAnswerWithin(limit);
  if (status.message == kRefused) return "Connection refused";
  return status.message;
}

std::string Asked(const fetch::Request& request) {
  const std::string_view method = request.method.empty() ? "GET" : std::string_view(request.method);
  return std::string(method) + ' ' + fetch::RedactUrl(request.url) +
         (request.unix_socket.empty() ? "" : " through " + request.unix_socket);
}

}  // namespace

Result<fetch::Response> Ask(fetch::Client& client, fetch::Request request, const Clock& clock,
                            Deadline deadline, std::vector<std::string>& steps) {
  // The deadline began a moment ago, with a whole number of seconds.
  const Millis limit = std::chrono::ceil<std::chrono::seconds>(deadline.Left(clock));
  const std::string asked = Asked(request);
  const auto answered = std::make_shared<std::promise<Result<fetch::Response>>>();
  auto future = answered->get_future();
  client.Fetch(std::move(request), deadline, [answered](Result<fetch::Response> response) {
    answered->set_value(std::move(response));
  });
  auto response = future.get();
  if (!response) {
    gpumon::Status status = response.error();
    status.message = Clause(status, limit);
    steps.push_back(asked + ": " + status.message +
                    (status.detail.empty() ? "" : " [" + status.detail + ']'));
    return Error(std::move(status));
  }
  steps.push_back(asked + ": HTTP " + std::to_string(response->status) + ", " +
                  std::to_string(response->body.size()) + " bytes");
  return response;
}

}  // namespace gpumon::checks
