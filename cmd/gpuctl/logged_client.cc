#include "cmd/gpuctl/logged_client.h"

#include <string>
#include <utility>

#include "internal/base/log.h"
#include "internal/fetch/url.h"

namespace gpumon::ctl {
namespace {

std::string ResultOf(const Result<fetch::Response>& response) {
  if (!response) return response.error().message;
  return "HTTP " + std::to_string(response->status) + ", " + std::to_string(response->body.size()) +
         " bytes";
}

class LoggedClient final : public fetch::Client {
 public:
  LoggedClient(std::unique_ptr<fetch::Client> client, const Clock& clock)
      : clock_(clock), client_(std::move(client)) {}

  void Fetch(fetch::Request request, Deadline deadline, fetch::Done done) override {
    if (!log::Enabled(log::Level::kDebug)) {
      return client_->Fetch(std::move(request), deadline, std::move(done));
    }
    std::string method = request.method;
    if (method.empty()) method = request.form.empty() ? "GET" : "POST";
    std::string url = fetch::RedactUrl(request.url);
    client_->Fetch(
        std::move(request), deadline,
        [this, begun = clock_.Steady(), method = std::move(method), url = std::move(url),
         done = std::move(done)](Result<fetch::Response> response) {
          const auto took = std::chrono::duration_cast<Millis>(clock_.Steady() - begun).count();
          log::Debug(
              "asked",
              {{"method", method}, {"url", url}, {"result", ResultOf(response)}, {"ms", took}});
          done(std::move(response));
        });
  }

 private:
  const Clock& clock_;
  const std::unique_ptr<fetch::Client> client_;
};

}  // namespace

std::unique_ptr<fetch::Client> Logged(std::unique_ptr<fetch::Client> client, const Clock& clock) {
  return std::make_unique<LoggedClient>(std::move(client), clock);
}

}  // namespace gpumon::ctl
