// How a process's command line is shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpumon::gpu {

// Option PROCESS_COMMANDS.
enum class CommandStyle : std::uint8_t { kRedacted, kFull, kName, kHidden };

// kFull: as it is. kName: its first word. kHidden: "". kRedacted: with every value that looks
// like a secret replaced by `***`: values of options and variables whose names say password,
// token, secret, key, credential; -pX of database clients; userinfo in URLs; Bearer and Basic
// credentials; well-known token shapes (JWT, AKIA.., ghp_.., hf_.., sk-.., PEM) and long opaque
// base64 or hex words.
std::string ShowCommand(std::string_view command, CommandStyle style);

}  // namespace gpumon::gpu
