// A real dockerd with a socket and data of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/process/child_process.h"

namespace gpumon::docker {

// Has no network and touches no rules of the host's. It and all its containers live in a process
// namespace that ends with this object, or with the test; one that is paused outlives a test that
// is killed. One thread at a time.
class Engine {
 public:
  // Null, with the reason in `why`, where dockerd is not unpacked or this machine does not let it
  // run.
  static std::unique_ptr<Engine> Start(std::string& why);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::string socket() const { return directory_.File("docker.sock"); }
  // Runs the docker client. Throws std::runtime_error, with what it printed, when it fails.
  std::string Docker(const std::vector<std::string>& arguments) const;
  // Makes an image of one program, which says 30 lines and then waits, or exits with N when it is
  // run as `/inside exit N`. `change` is a line of a Dockerfile; "" for none.
  void MakeImage(const std::string& name, const std::string& change) const;

 private:
  Engine() = default;

  process::ScratchDirectory directory_;
  std::unique_ptr<process::ChildProcess> dockerd_;
};

}  // namespace gpumon::docker
