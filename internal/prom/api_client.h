// prom::Client over Prometheus's HTTP API.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/prom/client.h"

namespace gpumon::prom {

struct ApiClientOptions {
  // Servers with the same data, the first preferred: `http://host:9090`, a path prefix allowed.
  // Another one is asked, within the same deadline, when one cannot be reached, fails (5xx) or is
  // not ready; the one that answered last is asked first from then on.
  std::vector<std::string> urls;
  Millis timeout{9000};              // no query gets more, whatever its deadline
  std::size_t max_concurrency = 16;  // queries under way; the rest wait, first come first served
  std::size_t max_response_bytes = std::size_t{64} << 20U;  // of one answer, decompressed
  bool use_get = false;  // GET instead of POST, for proxies that allow no other
};

// Answers are decoded, and `done` is called, on `executor`. A query is sent at most twice to one
// server alone, and otherwise once to each: again only when the connection failed or the server
// answered 5xx, never after 4xx. A server that said 429 is not asked at all for as long as it said:
// until then its queries fail as that one did. A query carries `timeout`, so that the server gives
// up when we do, and `nocache=1` (VictoriaMetrics would serve samples 30 s late without it;
// Prometheus ignores it).
//
// `fetch`, `executor` and `clock` must outlive the client and every query under way: destroy the
// client, or stop it, then `fetch` (which ends them), then `executor`. kInvalidParameter, without
// the URL's userinfo, when `urls` is empty or one of them is not http or https.
Result<std::unique_ptr<Client>> MakeApiClient(const ApiClientOptions& options, fetch::Client& fetch,
                                              Executor& executor, const Clock& clock);

}  // namespace gpumon::prom
