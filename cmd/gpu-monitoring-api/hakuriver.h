// The HakuRiver host that the server tells of, with all it needs.
#pragma once

#include <memory>

#include "handlers/hakuriver_host.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/result.h"
#include "internal/config/server_options.h"
#include "internal/fetch/client.h"
#include "internal/gpu/command.h"
#include "internal/hakuriver/client.h"

namespace gpumon::api {

// Ends what is under way at its destruction: after the server, and after `executor` has stopped.
class HakuRiverPart {
 public:
  // Null where HAKURIVER_URL is not set. kInvalidParameter, naming the option and the file, when
  // the token cannot be read. `clock` and `executor` must outlive it.
  static Result<std::unique_ptr<HakuRiverPart>> Make(const config::ServerConfig& config,
                                                     gpu::CommandStyle commands, const Clock& clock,
                                                     Executor& executor);

  handlers::HakuRiverHost& host() { return host_; }

 private:
  HakuRiverPart(std::unique_ptr<fetch::Client> fetch, const config::ServerConfig& config,
                gpu::CommandStyle commands, const Clock& clock, Executor& executor);

  hakuriver::Client client_;
  handlers::HakuRiverHost host_;
  std::unique_ptr<fetch::Client> fetch_;  // last: it ends first
};

}  // namespace gpumon::api
