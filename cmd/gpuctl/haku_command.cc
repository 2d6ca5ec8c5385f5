#include "cmd/gpuctl/haku_command.h"

#include <utility>

#include "internal/gpu/command.h"

namespace gpumon::ctl {
namespace {

std::string WholeLine(const hakuriver::Task& task) {
  std::string line = task.command;
  for (const std::string& argument : task.arguments) line += ' ' + argument;
  return line;
}

}  // namespace

std::string CommandLineOf(const hakuriver::Task& task) {
  return gpu::ShowCommand(WholeLine(task), gpu::CommandStyle::kRedacted);
}

hakuriver::Task WithoutSecrets(hakuriver::Task task) {
  std::string shown = CommandLineOf(task);
  if (shown == WholeLine(task)) return task;
  task.command = std::move(shown);
  task.arguments.clear();
  return task;
}

}  // namespace gpumon::ctl
