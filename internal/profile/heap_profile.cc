#include <malloc.h>

#include "internal/profile/profile.h"

#if GPUMON_HAS_GPERFTOOLS
#include <gperftools/malloc_extension.h>

#include <cstdlib>
#endif

namespace gpumon::profile {

#if GPUMON_HAS_GPERFTOOLS

Result<std::string> HeapProfile() {
  // tcmalloc reads it once, before main: setting it later changes nothing.
  const char* text = std::getenv("TCMALLOC_SAMPLE_PARAMETER");
  if (text == nullptr || std::strtoll(text, nullptr, 10) <= 0) {
    return Error(Code::kUnavailable,
                 "heap profile: sampling is off; start the server with "
                 "TCMALLOC_SAMPLE_PARAMETER=524288 in its environment");
  }
  std::string profile;
  MallocExtension::instance()->GetHeapSample(&profile);
  if (!profile.starts_with("heap profile:")) {
    return Error(Code::kUnavailable, "heap profile: the program does not run on tcmalloc");
  }
  return profile;
}

void ReleaseMemory() {
  MallocExtension::instance()->ReleaseFreeMemory();
}

#else

Result<std::string> HeapProfile() {
  return Error(Code::kUnavailable, "heap profile: this build has no tcmalloc");
}

void ReleaseMemory() {
  malloc_trim(0);
}

#endif

}  // namespace gpumon::profile
