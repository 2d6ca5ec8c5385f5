// The server that gpuctl asks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/json/document.h"

namespace gpumon::fetch {
class Client;
}

namespace gpumon::ctl {

struct ServerOptions {
  std::string url;  // http or https, a base path allowed
  std::string token_file;
  std::string ca_file;
  Millis timeout{15'000};  // of one request
};

// One thread at a time.
class Server {
 public:
  struct Answer {
    int status = 0;
    json::Value document;  // null when it is no JSON
  };
  using Query = std::vector<std::pair<std::string, std::string>>;
  struct Raw {
    int status = 0;
    std::string body;
    std::string content_type;  // as sent, "" when absent
    std::string warning;       // likewise
  };
  // Called some times a second while an answer is awaited, with how long that was so far. True
  // gives the answer up: it is then kDraining.
  using Glance = std::function<bool(Millis waited)>;

  // kInvalidParameter when a file cannot be used.
  static Result<Server> Make(const ServerOptions& options);
  Server(Server&&) noexcept;
  ~Server();

  // Any HTTP status is an answer; an error says in one line what is wrong with the server.
  Result<Answer> Get(const std::string& path, const Query& query = {});
  // The body as it came.
  Result<Raw> GetRaw(const std::string& path, const Query& query = {});
  // As Get, but anything else than 200 with an envelope is an error too.
  Result<json::Value> GetData(const std::string& path, const Query& query = {});
  // What is wrong with an answer that lacks `what`.
  Status Lack(const std::string& path, const std::string& what) const;
  // What an answer that is no success says.
  Status Refusal(const std::string& path, const Answer& answer) const;
  void SetGlance(Glance glance) { glance_ = std::move(glance); }
  // Without credentials.
  const std::string& name() const { return name_; }

 private:
  Server(const ServerOptions& options, std::string token);

  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<fetch::Client> client_;
  std::string url_;
  std::string name_;
  std::string token_;
  Millis timeout_;
  Glance glance_;
};

}  // namespace gpumon::ctl
