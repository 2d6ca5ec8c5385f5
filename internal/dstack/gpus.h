// What a DStack VMM says of the GPUs of its host: the answer to ListGpus.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/base/result.h"

namespace gpumon::dstack {

struct Gpu {
  std::string slot;         // PCI, "18:00.0"
  std::string product_id;   // "10de:2335"
  std::string description;  // "NVIDIA Corporation GH100 [H200 SXM 141GB]"
  bool is_free = false;     // no virtual machine has it
};

struct GpuList {
  std::vector<Gpu> gpus;
  bool allow_attach_all = false;
};

// Strict, as the VMM's other clients are: `gpus` and `allow_attach_all` have to be there, and the
// four fields of each GPU; others are passed over. kUpstreamInvalid, with a clause that names the
// field and has nothing of the text itself.
Result<GpuList> ParseGpuList(std::string_view text);

// The list as a BackendInfo's metadata has it: one line of JSON.
std::string MetadataOf(const GpuList& list);

}  // namespace gpumon::dstack
