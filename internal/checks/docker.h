// Containers, over the Docker Engine's API.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/checks/check.h"
#include "internal/fetch/client.h"

namespace gpumon::checks {

struct DockerAddress {
  std::string url = "http://localhost";
  std::string unix_socket = "/var/run/docker.sock";  // "": by TCP
  std::string
      problem;  // why it cannot be asked at all: a clause for the checks' errors; "" if it can
};
// As DOCKER_HOST has it: "unix:///var/run/docker.sock", "tcp://host:2375"; "" is the default.
// TLS and ssh:// are problems.
DockerAddress ParseDockerHost(std::string_view text);

struct DockerOptions {
  DockerAddress address;
  bool logs = false;  // take the last lines of those that are not healthy
};

// Healthy when the daemon says its version; else "Docker daemon not accessible".
Probe DockerDaemonProbe(std::shared_ptr<fetch::Client> client, DockerOptions options);

// One for each name: of a container, or of a service of Docker Compose (then of the worst of its
// containers). They share one query for the list: make new ones for each round. Without Docker they
// are unknown.
std::vector<Check> ContainerChecks(std::shared_ptr<fetch::Client> client, DockerOptions options,
                                   const std::vector<std::string>& names);

}  // namespace gpumon::checks
