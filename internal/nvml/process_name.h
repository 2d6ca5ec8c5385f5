// What a process is called where only its program matters.
#pragma once

#include <string>
#include <string_view>

namespace gpumon::nvml {

// "python" of "/usr/bin/python train.py --token=...": arguments may hold secrets. One line of
// valid UTF-8; "" of "".
std::string ProgramNameOf(std::string_view command);

}  // namespace gpumon::nvml
