// A GPUd v0.5.1, as far as its answers go.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {

// Path and answer.
const std::map<std::string, std::string, std::less<>>& GpudAnswers();

// These over plain HTTP, for a FaultServer; 404 for anything else.
fault::Reply ServeGpud(const fault::Request& request);

// These over TLS, with a certificate that names nobody. It has files for paths, so nothing for a
// path with a query.
class TlsGpud {
 public:
  TlsGpud();
  std::string url() const;
  std::string port() const;

 private:
  process::ScratchDirectory folder_;
  std::unique_ptr<process::ChildProcess> server_;
};

}  // namespace gpumon::ctl
