#include "cmd/gpu-monitoring-api/hakuriver.h"

#include <string>
#include <utility>

namespace gpumon::api {
namespace {

hakuriver::ClientOptions ClientOptionsOf(const config::ServerConfig& config, Executor& executor) {
  hakuriver::ClientOptions options;
  options.base_url = config.hakuriver_url;
  options.name = handlers::kHakuRiverName;
  options.executor = &executor;
  return options;
}

handlers::HakuRiverOptions HostOptionsOf(const config::ServerConfig& config,
                                         gpu::CommandStyle commands) {
  handlers::HakuRiverOptions options;
  options.commands = commands;
  options.sharing.ttl = config.cache_ttl;
  options.sharing.max_stale = config.max_stale;
  // Whoever asked is answered in time.
  options.sharing.timeout = config.request_timeout * 9 / 10;
  return options;
}

}  // namespace

HakuRiverPart::HakuRiverPart(std::unique_ptr<fetch::Client> fetch,
                             const config::ServerConfig& config, gpu::CommandStyle commands,
                             const Clock& clock, Executor& executor)
    : client_(*fetch, clock, ClientOptionsOf(config, executor)),
      host_(client_, clock, HostOptionsOf(config, commands)),
      fetch_(std::move(fetch)) {}

Result<std::unique_ptr<HakuRiverPart>> HakuRiverPart::Make(const config::ServerConfig& config,
                                                           gpu::CommandStyle commands,
                                                           const Clock& clock, Executor& executor) {
  if (config.hakuriver_url.empty()) return std::unique_ptr<HakuRiverPart>();
  fetch::ClientOptions options;
  options.name_prefix = "--hakuriver-token-file (HAKURIVER_TOKEN_FILE) as ";
  options.bearer_token_file = config.hakuriver_token_file;
  options.gzip = fetch::Gzip::kAcrossMachines;
  auto fetch = fetch::MakeClient(options, clock);
  if (!fetch) return Error(fetch.error());
  return std::unique_ptr<HakuRiverPart>(
      new HakuRiverPart(*std::move(fetch), config, commands, clock, executor));
}

}  // namespace gpumon::api
