#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "internal/exporter/curves.h"
#include "internal/exporter/families.h"
#include "internal/exporter/fleet.h"

namespace gpumon::exporter {
namespace {

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;
constexpr double kBytesPerGpuPod = 64.0 * 1024 * 1024 * 1024;  // host memory asked for per GPU

// The state and the label blocks that many families share.
struct Cluster {
  const FleetState& state;
  std::vector<std::string> nodes;       // node
  std::vector<std::string> pods;        // namespace, pod, uid
  std::vector<std::string> containers;  // namespace, pod, uid, container
  std::vector<std::string> jobs;        // namespace, job_name; "" for pods of other owners
};

struct KubeFamily {
  Family family;
  void (*write)(const Cluster&, Exposition&);
};

std::string Label(std::string_view name, std::string_view value) {
  std::string block;
  AppendLabel(block, name, value);
  return block;
}

std::string Address(std::string_view net, std::uint64_t number) {
  return std::string(net) + std::to_string(number / 250 % 250) + '.' +
         std::to_string(number % 250 + 1);
}

std::string_view NodeName(const Cluster& c, const PodState& pod) {
  if (pod.node < 0) return "";
  return c.state.nodes[static_cast<std::size_t>(pod.node)].spec->name;
}

template <class Write>
void ForPods(const Cluster& c, Write write) {
  for (std::size_t i = 0; i < c.pods.size(); ++i) write(i, c.state.pods[i]);
}

template <class Write>
void ForJobs(const Cluster& c, Write write) {
  for (std::size_t i = 0; i < c.jobs.size(); ++i) {
    if (!c.jobs[i].empty()) write(c.jobs[i], c.state.pods[i]);
  }
}

// GPUs, cores and memory of each node, `gpus(node)` of them.
template <class Gpus>
void WriteNodeResources(const Cluster& c, Exposition& out, Gpus gpus) {
  for (std::size_t n = 0; n < c.nodes.size(); ++n) {
    out.Sample(c.nodes[n], R"(resource="cpu",unit="core")", CoresPerNode(c.state));
    out.Sample(c.nodes[n], R"(resource="memory",unit="byte")", kNodeMemoryBytes);
    out.Sample(c.nodes[n], R"(resource="nvidia_com_gpu",unit="integer")", gpus(c.state.nodes[n]));
  }
}

void WritePodResources(const Cluster& c, Exposition& out, double cores_per_gpu) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    const std::string node = Label("node", NodeName(c, pod));
    const auto sample = [&](std::string_view resource, double value) {
      out.Sample(c.containers[i], node + ',' + std::string(resource), value);
    };
    sample(R"(resource="cpu",unit="core")", cores_per_gpu * pod.gpus);
    sample(R"(resource="memory",unit="byte")", kBytesPerGpuPod / 8 * pod.gpus);
    sample(R"(resource="nvidia_com_gpu",unit="integer")", pod.gpus);
  });
}

void WriteNodeInfo(const Cluster& c, Exposition& out) {
  for (std::size_t n = 0; n < c.nodes.size(); ++n) {
    std::string more =
        R"(kernel_version="6.8.0-71-generic",os_image="Ubuntu 24.04.3 LTS",)"
        R"(container_runtime_version="containerd://1.7.27",kubelet_version="v1.33.2")";
    AppendLabel(more, "internal_ip", Address("10.20.", n));
    AppendLabel(more, "system_uuid", UuidOf(c.state.nodes[n].spec->hash));
    out.Sample(c.nodes[n], more, 1);
  }
}

void WriteNodeLabels(const Cluster& c, Exposition& out) {
  for (std::size_t n = 0; n < c.nodes.size(); ++n) {
    const NodeSpec& spec = *c.state.nodes[n].spec;
    std::string more;
    AppendLabel(more, "label_nvidia_com_gpu_product", spec.model->product);
    AppendLabel(more, "label_nvidia_com_gpu_count", static_cast<std::int64_t>(spec.traits.size()));
    AppendLabel(more, "label_nvidia_com_gpu_memory", std::int64_t{spec.model->memory_mib});
    out.Sample(c.nodes[n], more, 1);
  }
}

void WriteNodeConditions(const Cluster& c, Exposition& out) {
  constexpr std::array<std::string_view, 4> kConditions = {"DiskPressure", "MemoryPressure",
                                                           "PIDPressure", "Ready"};
  constexpr std::array<std::string_view, 3> kStatuses = {"true", "false", "unknown"};
  for (const std::string& node : c.nodes) {
    for (const std::string_view condition : kConditions) {
      const std::string_view holds = condition == "Ready" ? "true" : "false";
      for (const std::string_view status : kStatuses) {
        std::string more = Label("condition", condition);
        AppendLabel(more, "status", status);
        out.Sample(node, more, status == holds ? 1 : 0);
      }
    }
  }
}

void WritePodInfo(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    const bool placed = pod.node >= 0;
    std::string more = Label("node", NodeName(c, pod));
    const auto node = static_cast<std::uint64_t>(placed ? pod.node : 0);
    AppendLabel(more, "host_ip", placed ? Address("10.20.", node) : "");
    AppendLabel(more, "pod_ip", placed ? Address("10.244.", pod.hash >> 24U) : "");
    AppendLabel(more, "created_by_kind", pod.kind->owner_kind);
    AppendLabel(more, "created_by_name", pod.owner_name);
    more += R"(,priority_class="",host_network="false")";
    out.Sample(c.pods[i], more, 1);
  });
}

void WritePodOwner(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    std::string more = Label("owner_kind", pod.kind->owner_kind);
    AppendLabel(more, "owner_name", pod.owner_name);
    AppendLabel(more, "owner_is_controller", "true");
    out.Sample(c.pods[i], more, 1);
  });
}

// kube-state-metrics shows pod labels only where it is told to; this is the one that says whose
// a pod is.
void WritePodLabels(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    out.Sample(c.pods[i], Label("label_user", pod.user), 1);
  });
}

void WritePodPhase(const Cluster& c, Exposition& out) {
  struct Row {
    std::string_view block;
    int phase;  // of Phase; -1 for the one that never holds here
  };
  constexpr std::array kRows = {Row{R"(phase="Pending")", static_cast<int>(Phase::kPending)},
                                Row{R"(phase="Succeeded")", static_cast<int>(Phase::kSucceeded)},
                                Row{R"(phase="Failed")", static_cast<int>(Phase::kFailed)},
                                Row{R"(phase="Unknown")", -1},
                                Row{R"(phase="Running")", static_cast<int>(Phase::kRunning)}};
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    for (const Row& row : kRows) {
      out.Sample(c.pods[i], row.block, row.phase == static_cast<int>(pod.phase) ? 1 : 0);
    }
  });
}

void WritePodReason(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    if (pod.phase != Phase::kFailed) return;
    for (const std::string_view reason :
         {"Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError"}) {
      out.Sample(c.pods[i], Label("reason", reason), 0);
    }
  });
}

void WriteScheduled(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    const std::string_view holds = pod.node >= 0 ? "true" : "false";
    for (const std::string_view condition : {"true", "false", "unknown"}) {
      out.Sample(c.pods[i], Label("condition", condition), condition == holds ? 1 : 0);
    }
  });
}

std::string_view ExitReason(int exit_code) {
  return exit_code == 0 ? "Completed" : exit_code == 137 ? "OOMKilled" : "Error";
}

void WriteTerminatedReason(const Cluster& c, Exposition& out) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    if (pod.finished) {
      out.Sample(c.containers[i], Label("reason", ExitReason(pod.last_exit_code)), 1);
    }
  });
}

template <class Value>
void SampleFinished(const Cluster& c, Exposition& out, Value value) {
  ForPods(c, [&](std::size_t i, const PodState& pod) {
    if (pod.finished) out.Sample(c.pods[i], value(pod));
  });
}

double Created(const PodState& pod) {
  return static_cast<double>(pod.created);
}
double Finished(const PodState& pod) {
  return static_cast<double>(pod.finished.value_or(0));
}

void WriteOneForEachJob(const Cluster& c, Exposition& out) {
  ForJobs(c, [&](const std::string& job, const PodState&) { out.Sample(job, 1); });
}

void WriteJobStart(const Cluster& c, Exposition& out) {
  ForJobs(c, [&](const std::string& job, const PodState& pod) { out.Sample(job, Created(pod)); });
}

void WriteReplicaSetOwner(const Cluster& c, Exposition& out) {
  for (const PodState& pod : c.state.pods) {
    if (pod.kind->owner_kind != "ReplicaSet") continue;
    std::string block = Label("namespace", pod.kind->name_space);
    AppendLabel(block, "replicaset", pod.owner_name);
    block += R"(,owner_kind="Deployment",owner_is_controller="true")";
    AppendLabel(block, "owner_name", pod.kind->name);
    out.Sample(block, 1);
  }
}

constexpr KubeFamily kFamilies[] = {
    {{"kube_node_info", kGauge, "The node and what it runs; always 1."}, WriteNodeInfo},
    {{"kube_node_labels", kGauge, "Labels of the node; always 1."}, WriteNodeLabels},
    {{"kube_node_created", kGauge, "When the node joined, in Unix seconds."},
     [](const Cluster& c, Exposition& out) {
       for (const std::string& node : c.nodes) out.Sample(node, double{kFleetStart});
     }},
    {{"kube_node_spec_unschedulable", kGauge, "1 when the node takes no new pods."},
     [](const Cluster& c, Exposition& out) {
       for (const std::string& node : c.nodes) out.Sample(node, 0);
     }},
    {{"kube_node_status_capacity", kGauge, "What the node has of a resource."},
     [](const Cluster& c, Exposition& out) {
       WriteNodeResources(c, out, [](const NodeState& node) {
         return static_cast<double>(node.spec->traits.size());
       });
     }},
    {{"kube_node_status_allocatable", kGauge, "What the node can give to pods of a resource."},
     [](const Cluster& c, Exposition& out) {
       // The device plugin takes a GPU that fell off the bus out of the count.
       WriteNodeResources(c, out, [](const NodeState& node) { return node.gpus_present; });
     }},
    {{"kube_node_status_condition", kGauge, "Condition of the node."}, WriteNodeConditions},
    {{"kube_pod_info", kGauge, "The pod and where it runs; always 1."}, WritePodInfo},
    {{"kube_pod_owner", kGauge, "What made the pod; always 1."}, WritePodOwner},
    {{"kube_pod_labels", kGauge, "Labels of the pod; always 1."}, WritePodLabels},
    {{"kube_pod_status_phase", kGauge, "1 for the phase that the pod is in."}, WritePodPhase},
    {{"kube_pod_status_reason", kGauge, "1 for the reason why the pod is in its phase."},
     WritePodReason},
    {{"kube_pod_status_scheduled", kGauge, "Whether the pod has a node."}, WriteScheduled},
    {{"kube_pod_status_unschedulable", kGauge, "1 for a pod that no node can take."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         if (pod.phase == Phase::kPending) out.Sample(c.pods[i], 1);
       });
     }},
    {{"kube_pod_created", kGauge, "When the pod was made, in Unix seconds."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) { out.Sample(c.pods[i], Created(pod)); });
     }},
    {{"kube_pod_start_time", kGauge, "When the node took the pod, in Unix seconds."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         if (pod.node >= 0) out.Sample(c.pods[i], Created(pod));
       });
     }},
    {{"kube_pod_completion_time", kGauge, "When the pod ended, in Unix seconds."},
     [](const Cluster& c, Exposition& out) { SampleFinished(c, out, Finished); }},
    {{"kube_pod_container_info", kGauge, "The container and its image; always 1."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         out.Sample(c.containers[i], Label("image", pod.kind->image), 1);
       });
     }},
    {{"kube_pod_container_resource_requests", kGauge, "What the container asks for."},
     [](const Cluster& c, Exposition& out) { WritePodResources(c, out, 1); }},
    {{"kube_pod_container_resource_limits", kGauge, "What the container may use."},
     [](const Cluster& c, Exposition& out) { WritePodResources(c, out, 2); }},
    {{"kube_pod_container_status_restarts_total", kCounter, "Restarts of the container."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         if (pod.node >= 0) out.Sample(c.containers[i], pod.restarts);
       });
     }},
    {{"kube_pod_container_status_terminated_reason", kGauge, "Why the container ended."},
     WriteTerminatedReason},
    {{"kube_pod_container_status_last_terminated_reason", kGauge,
      "Why the container's run before the last restart ended."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         if (pod.restarts == 0) return;
         out.Sample(c.containers[i], Label("reason", ExitReason(pod.last_exit_code)), 1);
       });
     }},
    {{"kube_pod_container_status_last_terminated_exitcode", kGauge,
      "Exit code of the container's run before the last restart."},
     [](const Cluster& c, Exposition& out) {
       ForPods(c, [&](std::size_t i, const PodState& pod) {
         if (pod.restarts > 0) out.Sample(c.containers[i], pod.last_exit_code);
       });
     }},
    {{"kube_replicaset_owner", kGauge, "What made it; always 1."}, WriteReplicaSetOwner},
    {{"kube_job_info", kGauge, "The job; always 1."}, WriteOneForEachJob},
    {{"kube_job_owner", kGauge, "What made the job; always 1."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         out.Sample(
             job,
             pod.from_cron
                 ? R"(owner_kind="CronJob",owner_name="hourly-eval",owner_is_controller="true")"
                 : R"(owner_kind="",owner_name="",owner_is_controller="")",
             1);
       });
     }},
    {{"kube_job_created", kGauge, "When the job was made, in Unix seconds."}, WriteJobStart},
    {{"kube_job_spec_completions", kGauge, "Pods that have to succeed."}, WriteOneForEachJob},
    {{"kube_job_spec_parallelism", kGauge, "Pods that may run at once."}, WriteOneForEachJob},
    {{"kube_job_status_active", kGauge, "Pods of the job that have not ended."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         out.Sample(job, pod.finished ? 0 : 1);
       });
     }},
    {{"kube_job_status_succeeded", kGauge, "Pods of the job that succeeded."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         out.Sample(job, pod.phase == Phase::kSucceeded ? 1 : 0);
       });
     }},
    {{"kube_job_status_failed", kGauge, "Pods of the job that failed."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         const bool failed = pod.phase == Phase::kFailed;
         out.Sample(job, failed ? R"(reason="BackoffLimitExceeded")" : "", failed ? 1 : 0);
       });
     }},
    {{"kube_job_complete", kGauge, "1 when the job succeeded."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         if (pod.phase == Phase::kSucceeded) out.Sample(job, R"(condition="true")", 1);
       });
     }},
    {{"kube_job_failed", kGauge, "1 when the job failed."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         if (pod.phase == Phase::kFailed) out.Sample(job, R"(condition="true")", 1);
       });
     }},
    {{"kube_job_status_start_time", kGauge, "When the job started, in Unix seconds."},
     WriteJobStart},
    {{"kube_job_status_completion_time", kGauge, "When the job succeeded, in Unix seconds."},
     [](const Cluster& c, Exposition& out) {
       ForJobs(c, [&](const std::string& job, const PodState& pod) {
         if (pod.phase == Phase::kSucceeded) out.Sample(job, Finished(pod));
       });
     }},
};

}  // namespace

void WriteKubeFamilies(const FleetState& state, Exposition& out) {
  Cluster cluster{.state = state, .nodes = {}, .pods = {}, .containers = {}, .jobs = {}};
  for (const NodeState& node : state.nodes) {
    cluster.nodes.push_back(Label("node", node.spec->name));
  }
  for (const PodState& pod : state.pods) {
    std::string block = Label("namespace", pod.kind->name_space);
    std::string job;
    if (pod.kind->owner_kind == "Job") {
      job = block;
      AppendLabel(job, "job_name", pod.owner_name);
    }
    AppendLabel(block, "pod", pod.name);
    AppendLabel(block, "uid", UuidOf(pod.hash));
    cluster.pods.push_back(block);
    AppendLabel(block, "container", pod.kind->container);
    cluster.containers.push_back(std::move(block));
    cluster.jobs.push_back(std::move(job));
  }
  for (const KubeFamily& row : kFamilies) {
    out.Begin(row.family);
    row.write(cluster, out);
  }
}

}  // namespace gpumon::exporter
