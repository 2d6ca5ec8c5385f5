// Where gpuctl health learns of nodes and tasks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cmd/gpuctl/health_report.h"
#include "cmd/gpuctl/ssh_client.h"
#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::ctl {

class HakuHost;
class Server;

// What was asked for.
struct HealthQuestion {
  std::string task;        // "" for any
  std::string node;        // likewise; not both
  bool gpu_tasks = false;  // tasks, else nodes where the source tells of nodes
  bool all = false;        // those without GPUs too
  bool usage = false;      // the curve of GPU utilization too
  std::int64_t hours = 24;
};

// Errors of all of these: kNotFound (no such task or node), else why nothing could be learned, in
// one line. One thread at a time; they block it.

// The server's API. A task is a GPU workload, `namespace/owner`.
Result<HealthReport> AskApi(Server& server, const HealthQuestion& question);
// Of a task that is a workload of several pods: all of theirs.
Result<HealthPast> AskApiForPast(Server& server, const HealthQuestion& question);

// A task that the server's store knows and its fleet does not: the newest snapshot within the
// hours.
Result<HealthReport> AskApiForStored(Server& server, const HealthQuestion& question);

// A HakuRiver host. A task is its number; the curve is of the last minute.
Result<HealthReport> AskHakuRiver(HakuHost& host, const HealthQuestion& question);

struct GpudPlace {
  SshWay ssh;        // without a host: asked from here
  std::string bind;  // as GPUd's own option has it
  std::uint16_t port = 0;
  std::string name() const;
};
// Each is one row; with several of them one that does not answer is a critical row. `timeout` is
// each one's.
Result<HealthReport> AskGpuds(const std::vector<GpudPlace>& places, Millis timeout,
                              const HealthQuestion& question);
// One answer as it came: `target` is "/v1/states". kUpstreamInvalid when its status is not 200.
Result<std::string> AskGpudRaw(const GpudPlace& place, const std::string& target, Millis timeout);

// The newest of each task within the last hours.
Result<HealthReport> ReadStore(const std::string& folder, const HealthQuestion& question,
                               WallTime now);
Result<HealthPast> ReadStoredPast(const std::string& folder, const HealthQuestion& question,
                                  WallTime now);

}  // namespace gpumon::ctl
