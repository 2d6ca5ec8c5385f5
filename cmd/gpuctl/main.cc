#include <iostream>

#include "cmd/gpuctl/app.h"
#include "internal/config/options.h"

int main(int argc, char** argv) {
  return gpumon::ctl::Run(gpumon::config::Arguments(argc, argv),
                          gpumon::config::ProcessEnvironment(), std::cout, std::cerr);
}
