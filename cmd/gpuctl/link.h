// The names of other programs by which gpuctl may be started.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::ctl {

// All of them.
std::span<const std::string_view> LinkNames();

// The arguments as gpuctl takes them. `program` is argv[0]: by the name backend-ai-health-checker
// its commands are those of gpuctl check, and monitor. By the name flow they are gpuctl's own, but
// for ssh and logs. By the names hakuriver.client, hakuriver.task and hakuriver.vps its commands
// are those of gpuctl hakuriver; what stands behind submit is left out.
std::vector<std::string> LinkedArguments(std::string_view program,
                                         std::vector<std::string> arguments);

}  // namespace gpumon::ctl
