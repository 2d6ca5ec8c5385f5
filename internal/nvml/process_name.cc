#include "internal/nvml/process_name.h"

#include "internal/base/text.h"

namespace gpumon::nvml {

std::string ProgramNameOf(std::string_view command) {
  std::string_view program = command.substr(0, command.find(' '));
  program.remove_prefix(program.rfind('/') + 1);
  return ReplaceHidden(ToValidUtf8(program), "?");
}

}  // namespace gpumon::nvml
