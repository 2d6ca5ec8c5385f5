#include "cmd/gpuctl/server.h"

#include <algorithm>
#include <future>

#include "cmd/gpuctl/logged_client.h"
#include "internal/base/regular_file.h"
#include "internal/fetch/client.h"
#include "internal/fetch/url.h"

namespace gpumon::ctl {
namespace {

constexpr Millis kGlance{50};
constexpr std::size_t kMostTokenBytes = std::size_t{64} << 10U;
constexpr std::string_view kReachStep =
    "; is the server running, and is --server right? In Kubernetes: kubectl port-forward "
    "service/gpu-monitoring-api 8080:8080 -n NAMESPACE";

Result<std::string> ReadToken(const std::string& path) {
  if (path.empty()) return std::string();
  const auto refuse = [&path](const std::string& why) {
    return Error(Code::kInvalidParameter, "--token-file: " + path + ' ' + why);
  };
  const auto text = ReadRegularFile(path);
  if (!text) return refuse(text.error().message);
  if (text->size() > kMostTokenBytes) return refuse("has more than 64 KiB");
  std::string token = text->substr(0, text->find('\n'));
  token.erase(token.find_last_not_of(" \t\r") + 1);
  const bool printable =
      token.find_first_not_of(" \t\r") == 0 &&
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (printable) return token;
  return refuse("has no token in its first line");
}

}  // namespace

Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

Server::Server(const ServerOptions& options, std::string token)
    : clock_(std::make_unique<SystemClock>()),
      url_(options.url),
      token_(std::move(token)),
      timeout_(options.timeout) {
  while (url_.ends_with('/')) url_.pop_back();
  name_ = fetch::RedactUrl(url_);
}

Result<Server> Server::Make(const ServerOptions& options) {
  auto token = ReadToken(options.token_file);
  if (!token) return Error(token.error());
  Server server(options, *std::move(token));
  fetch::ClientOptions client;
  client.name_prefix = "--";
  client.ca_file = options.ca_file;
  client.gzip = fetch::Gzip::kAcrossMachines;
  auto made = fetch::MakeClient(client, *server.clock_);
  if (!made) return Error(made.error());
  server.client_ = Logged(*std::move(made), *server.clock_);
  return server;
}

Result<Server::Raw> Server::GetRaw(const std::string& path, const Query& query) {
  std::string parameters;
  for (const auto& [name, value] : query) fetch::AddParam(parameters, name, value);
  fetch::Request request;
  request.url = url_ + path + (parameters.empty() ? "" : "?" + parameters);
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  // Shared: an answer that was given up may still come.
  const auto answered = std::make_shared<std::promise<Result<fetch::Response>>>();
  auto future = answered->get_future();
  const SteadyTime begin = clock_->Steady();
  client_->Fetch(std::move(request), Deadline::After(*clock_, timeout_),
                 [answered](Result<fetch::Response> r) { answered->set_value(std::move(r)); });
  while (glance_ && future.wait_for(kGlance) != std::future_status::ready) {
    if (glance_(std::chrono::duration_cast<Millis>(clock_->Steady() - begin))) {
      return Error(Code::kDraining, "the answer of " + name_ + " was not waited for");
    }
  }
  auto response = future.get();
  if (!response) {
    return Error(response.error().code,
                 name_ + " cannot be asked: " + response.error().message + std::string(kReachStep));
  }
  return Raw{response->status, std::move(response->body), std::move(response->content_type),
             std::move(response->warning)};
}

Result<Server::Answer> Server::Get(const std::string& path, const Query& query) {
  auto raw = GetRaw(path, query);
  if (!raw) return Error(raw.error());
  Answer answer;
  answer.status = raw->status;
  if (auto document = json::ParseDocument(raw->body)) answer.document = *std::move(document);
  return answer;
}

Status Server::Lack(const std::string& path, const std::string& what) const {
  return {Code::kUpstreamInvalid,
          name_ + path + " answered without " + what + "; is this a gpu-monitoring-api?"};
}

Status Server::Refusal(const std::string& path, const Answer& answer) const {
  const std::string* const error = answer.document["error"].AsString();
  if (answer.status == 401) {
    return {Code::kUnauthorized,
            name_ + (token_.empty() ? " wants an API token: give it with --token-file"
                                    : " refuses the API token that --token-file gives: is it this "
                                      "server's, and still good?")};
  }
  return {Code::kUpstreamInvalid,
          name_ + path + " answered " + std::to_string(answer.status) +
              (error != nullptr ? ": " + *error : "; is this a gpu-monitoring-api?")};
}

Result<json::Value> Server::GetData(const std::string& path, const Query& query) {
  auto answer = Get(path, query);
  if (!answer) return Error(answer.error());
  if (answer->status != 200 || answer->document["success"].AsBool() != true) {
    return Error(Refusal(path, *answer));
  }
  return std::move(answer->document);
}

}  // namespace gpumon::ctl
