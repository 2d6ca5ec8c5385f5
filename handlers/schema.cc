#include "handlers/schema.h"

#include <utility>

#include "handlers/list_answer.h"
#include "internal/gpu/mig.h"
#include "internal/wire/encode.h"
#include "internal/wire/schema_report.h"

namespace gpumon::handlers {

void GetSchema(const CallPtr& call) {
  GetBoth(
      call, kGpusAndProcesses, {}, true, [call](Result<gpu::Got> gpus, Result<gpu::Got> processes) {
        for (const auto* const got : {&gpus, &processes}) {
          if (!*got) return call->SendError(got->error());
        }
        const gpu::Got& stale = gpus->stale ? *gpus : *processes;
        wire::Page page;
        page.stale = stale.stale;
        page.stale_code = stale.why.wire_name();
        if (page.stale) call->services().metrics.CountStaleServed();
        call->SendText(200,
                       wire::EncodeSchema(call->services().registry, *gpus->snapshot,
                                          gpu::BoardsOf(gpus->snapshot->gpus), *processes->snapshot,
                                          "GPU schema retrieved successfully", page,
                                          call->services().settings.commands_hidden),
                       call->route().content_type);
      });
}

}  // namespace gpumon::handlers
