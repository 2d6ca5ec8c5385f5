#include <iostream>

#include "cmd/gpu-demo-peers/app.h"
#include "internal/base/process.h"
#include "internal/config/options.h"

int main(int argc, char** argv) {
  gpumon::OpenStandardDescriptors();
  return gpumon::demo::Run(gpumon::config::Arguments(argc, argv),
                           gpumon::config::ProcessEnvironment(), std::cout, std::cerr);
}
