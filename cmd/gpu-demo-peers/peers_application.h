// The stand-ins as one HTTP application: their paths do not overlap.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/http/server.h"

namespace gpumon::demo {

// Thread-safe. Answers are made on `executor`, which has one thread: a large fleet takes a moment.
class PeersApplication final : public http::Application {
 public:
  // `clock` and `executor` must outlive this object and what it posted; what `peers` refer to too.
  PeersApplication(std::vector<std::vector<Row>> peers, const Clock& clock, Executor& executor);

  // For ServerOptions::routes; Handle expects their order.
  std::vector<http::Route> Routes() const;

  void Handle(http::Request request, http::Match match,
              std::shared_ptr<http::Responder> responder) override;
  http::Response Refuse(const Status& status, const http::Request* request,
                        const std::string& allow) override;
  http::Response Options(const http::Request& request, const std::string& allow) override;
  void Done(const http::Access& access) override;

 private:
  const Clock& clock_;
  Executor& executor_;
  std::vector<Row> rows_;
};

}  // namespace gpumon::demo
