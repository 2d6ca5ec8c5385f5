// What the command lines of the requirements ask, beside the demo fleet.
#pragma once

#include <string>

#include "tests/e2e/programs.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/hakuriver/fake_host.h"
#include "tests/fakes/servers/etcd_server.h"
#include "tests/fakes/servers/postgres_server.h"
#include "tests/fakes/servers/redis_server.h"

namespace gpumon::e2e {

// A Backend.AI halfstack whose manager is away (PostgreSQL, Redis and etcd are real), one GPU of
// this machine, a GPUd, a DStack VMM, a HakuRiver host of the first generation, and a folder of
// snapshots that has a task task-abc123. What a further row needs is added here.
class World {
 public:
  explicit World(const std::string& prometheus_url);

  // For gpu-monitoring-api, and for the commands.
  Environment server_variables() const;
  Environment command_variables() const;

 private:
  const std::string prometheus_url_;
  ScratchDirectory home_;
  fault::FaultServer docker_;
  fault::FaultServer grafana_;
  fault::FaultServer gpud_;
  fault::FaultServer vmm_;
  hakuriver::FakeHost haku_{hakuriver::Generation::kA};
  servers::PostgresServer postgres_;
  servers::RedisServer redis_;
  servers::EtcdServer etcd_;
};

}  // namespace gpumon::e2e
