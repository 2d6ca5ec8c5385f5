#include "tests/fakes/servers/etcd_server.h"

#include <future>
#include <stdexcept>
#include <utility>
#include <vector>

#include "internal/fetch/client.h"

namespace gpumon::servers {
namespace {

// The status of a request and its body; 0 when there is no answer.
fetch::Response Send(const std::string& url, const std::string& json = {}) {
  const SystemClock clock;
  const auto client = fetch::MakeClient({}, clock);
  if (!client) throw std::runtime_error(client.error().message);
  fetch::Request request;
  request.url = url;
  if (!json.empty()) {
    request.method = "POST";
    request.body = json;
    request.headers = {{"Content-Type", "application/json"}};
  }
  std::promise<fetch::Response> answer;
  (*client)->Fetch(std::move(request), Deadline::After(clock, process::Scaled(Millis(10'000))),
                   [&answer](Result<fetch::Response> response) {
                     answer.set_value(response ? *std::move(response) : fetch::Response{});
                   });
  return answer.get_future().get();
}

}  // namespace

EtcdServer::EtcdServer(std::size_t quota_bytes) {
  port_ = StartOnFreePort(
      [&](std::uint16_t port) {
        const std::string client = "http://127.0.0.1:" + std::to_string(port);
        const std::string peer = "http://127.0.0.1:" + std::to_string(FreePort());
        std::vector<std::string> arguments = {
            "--name=test",
            // A new one for each try: it remembers its peers' addresses.
            "--data-dir=" + directory_.File(std::to_string(port)),
            "--listen-client-urls=" + client,
            "--advertise-client-urls=" + client,
            "--listen-peer-urls=" + peer,
            "--initial-advertise-peer-urls=" + peer,
            "--initial-cluster=test=" + peer,
            "--heartbeat-interval=20",
            "--election-timeout=100",
        };
        if (quota_bytes > 0) {
          arguments.push_back("--quota-backend-bytes=" + std::to_string(quota_bytes));
        }
        child_ = StartUnpacked("usr/bin/etcd", std::move(arguments));
        process::WaitUntil(
            [&] { return !child_->Running() || Send(client + "/health").status == 200; },
            Millis(20'000));
        return child_->Running() && Send(client + "/health").status == 200;
      },
      [&] { return child_->Errors(); });
}

void EtcdServer::Fill() {
  constexpr int kMostPuts = 200;
  const std::string value(16 * 1024, 'A');  // is base64 too
  for (int i = 0; i < kMostPuts; ++i) {
    const std::string key = "a2V5" + std::to_string(1000 + i);
    const int status =
        Send(url() + "/v3/kv/put", R"({"key":")" + key + R"(","value":")" + value + R"("})").status;
    if (status == 200) continue;
    if (process::WaitUntil([&] { return Send(url() + "/health").status == 503; }, Millis(10'000))) {
      return;
    }
    break;
  }
  throw std::runtime_error("etcd did not run out of space: " + child_->Errors());
}

}  // namespace gpumon::servers
