#include "handlers/join.h"

#include <array>
#include <utility>

#include "internal/wire/join_report.h"

namespace gpumon::handlers {
namespace {

Result<gpu::GpuName> NameOf(const Parameters& parameters) {
  const bool by_uuid = parameters.Has("uuid");
  const bool node = parameters.Has("node");
  const bool gpu = parameters.Has("gpu");
  if (by_uuid ? node || gpu : !node || !gpu) {
    return Error(Code::kInvalidParameter,
                 "a GPU is named by node and gpu together, or by uuid alone; GET "
                 "/api/v1/gpu/metrics lists node_name, gpu_id and uuid of all");
  }
  return gpu::GpuName{parameters.Text("node"), parameters.Text("gpu"), parameters.Text("uuid")};
}

void Answer(const CallPtr& call, Result<models::Explanation> explanation) {
  if (!explanation) return call->SendError(explanation.error());
  call->SendText(200, wire::EncodeJoin(*explanation, "Join explained successfully"),
                 call->route().content_type);
}

}  // namespace

void GetJoin(const CallPtr& call) {
  auto name = NameOf(call->parameters());
  if (!name) return call->SendError(name.error());
  call->services().source.Get(
      {}, call->deadline(), [call, name = *std::move(name)](Result<gpu::Got> got) {
        if (!got) return call->SendError(got.error());
        call->Defer([call, name, snapshot = std::move(got->snapshot)] {
          call->services().explain(
              name, snapshot, call->deadline(),
              [call](Result<models::Explanation> result) { Answer(call, std::move(result)); });
        });
      });
}

std::span<const ParameterSpec> JoinParameters() {
  static constexpr std::array kParameters = {
      ParameterSpec{.name = "node",
                    .kind = ParameterKind::kNodeName,
                    .help = "The node's exact name; with gpu."},
      ParameterSpec{
          .name = "gpu", .kind = ParameterKind::kText, .help = "The GPU's gpu_id; with node."},
      ParameterSpec{.name = "uuid",
                    .kind = ParameterKind::kText,
                    .help = "Instead of both: the uuid of a GPU or a MIG instance."}};
  return kParameters;
}

}  // namespace gpumon::handlers
