#include "internal/config/endpoint.h"

#include "internal/config/address.h"

namespace gpumon::config {

Result<Endpoint> ReadEndpoint(const Values& values) {
  const auto address = ParseListenAddress(values.Text("--listen-addr"));
  if (!address) return Error(values.Refuse("--listen-addr", address.error().message));
  Endpoint endpoint{address->host, static_cast<std::uint16_t>(values.Integer("--port"))};
  if (!address->port) return endpoint;
  if (values.Given("--port") && *address->port != endpoint.port) {
    return Error(values.Refuse("--listen-addr",
                               "has a port that differs from --port " +
                                   std::to_string(endpoint.port) + " (from " +
                                   values.Where("--port") + ")",
                               "the same port in both, or a port in one of them"));
  }
  endpoint.port = *address->port;
  return endpoint;
}

}  // namespace gpumon::config
