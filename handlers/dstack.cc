#include "handlers/dstack.h"

#include <string>
#include <utility>

#include "internal/json/writer.h"

namespace gpumon::handlers {
namespace {

// The requirement's: workers look for them.
constexpr std::string_view kVersion = "1.0.0";
constexpr std::string_view kTopic = "dstack-gpu-monitor";

std::string BackendInfo(const dstack::Availability& seen) {
  json::Writer writer;
  writer.BeginObject();
  writer.Key("version");
  writer.String(kVersion);
  writer.Key("topic");
  writer.String(kTopic);
  writer.Key("pubkeys");
  writer.Raw("[]");
  writer.Key("status");
  writer.String(seen.available ? "available" : "unavailable");
  writer.Key("metadata");
  writer.String(seen.metadata);
  writer.EndObject();
  return writer.Take();
}

}  // namespace

void GetBackendInfo(const CallPtr& call) {
  call->services().ask_dstack([call](const dstack::Availability& seen) {
    call->SendText(seen.available ? 200 : 503, BackendInfo(seen), call->route().content_type);
  });
}

}  // namespace gpumon::handlers
