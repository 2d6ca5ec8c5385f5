#include "internal/nvml/symbols.h"

#include <dlfcn.h>

#include <string_view>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::nvml {

Result<Symbols> Symbols::Load(const std::string& path) {
  if (void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL); library != nullptr) {
    return Symbols(library);
  }
  const char* const said = dlerror();
  const std::string why = ToValidUtf8(said == nullptr ? "unknown error" : said);
  // Of a library that it needs the name stands there instead.
  const bool is_itself = why.starts_with(path + ":");
  if (is_itself && why.find("No such file") != std::string::npos) {
    return Error(Code::kNotFound, "NVML: " + path + " is not installed; install the NVIDIA driver");
  }
  return Error(Code::kUnavailable,
               "NVML cannot be loaded: " + why + "; install the NVIDIA driver again");
}

Symbols::~Symbols() {
  if (library_ != nullptr) dlclose(library_);
}

Symbols::Symbols(Symbols&& other) noexcept : library_(std::exchange(other.library_, nullptr)) {}

void* Symbols::Find(const char* name) const {
  return dlsym(library_, name);
}

}  // namespace gpumon::nvml
