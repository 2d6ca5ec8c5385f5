#include <unistd.h>

#include <iostream>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/link.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/checks/run.h"
#include "internal/config/options.h"

int main(int argc, char** argv) {
  gpumon::OpenStandardDescriptors();
  const int code = gpumon::ctl::Run(
      gpumon::ctl::LinkedArguments(argc > 0 ? argv[0] : "", gpumon::config::Arguments(argc, argv)),
      gpumon::config::ProcessEnvironment(), std::cout, std::cerr);
  if (gpumon::checks::RunningTasks() > 0) {
    gpumon::log::Flush(gpumon::log::kEndLimit);
    _exit(code);
  }
  return code;
}
