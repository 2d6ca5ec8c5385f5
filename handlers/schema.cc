#include "handlers/schema.h"

#include <utility>

#include "internal/wire/schema_report.h"

namespace gpumon::handlers {
namespace {

using models::Part;

void Fetch(const CallPtr& call, Part part, std::function<void(gpu::SnapshotPtr)> then) {
  call->services().source.Get({part, {}, true}, call->deadline(),
                              [call, then = std::move(then)](Result<gpu::Got> got) {
                                if (!got) return call->SendError(got.error());
                                then(std::move(got->snapshot));
                              });
}

}  // namespace

void GetSchema(const CallPtr& call) {
  Fetch(call, Part::kGpus, [call](const gpu::SnapshotPtr& gpus) {
    Fetch(call, Part::kProcesses, [call, gpus](const gpu::SnapshotPtr& processes) {
      call->Defer([call, gpus, processes] {
        call->SendText(200,
                       wire::EncodeSchema(call->services().registry, *gpus, *processes,
                                          "GPU schema retrieved successfully"),
                       call->route().content_type);
      });
    });
  });
}

}  // namespace gpumon::handlers
