#include "internal/gpu/node_queries.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "internal/gpu/named_pods.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/pods.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::NodeQuantity;

constexpr char kReady[] = "kube_node_status_condition{condition=\"Ready\",status=\"true\"}";
constexpr std::array<std::string_view, kNodeQueries> kNames = {
    "node_exporter/hosts", "node_exporter/rates", "kube_state_metrics/nodes",
    "kube_state_metrics/requests", "exporters/targets"};

constexpr std::string_view kIdle = "node_cpu_seconds_total{mode=\"idle\"}";
// Devices that move what a physical one moves too, or nothing that leaves the machine.
constexpr std::string_view kPhysical =
    "device!~\"(lo|veth|cali|cni|flannel|docker|br-|virbr|bond|team|tun|tap|tunl|vxlan|geneve|"
    "cilium|"
    "lxc|dummy|kube|nodelocaldns|ovs|genev_sys|wg).*\"";
// Not a machine's own.
constexpr std::string_view kDisks =
    "fstype!~\"tmpfs|devtmpfs|overlay|squashfs|ramfs|nsfs|autofs|iso9660|efivarfs|fuse.lxcfs\","
    "mountpoint!~\"/(var/lib/(kubelet|docker|containerd|containers)|run|proc|sys|dev)/.+\"";

// An earlier row stands above a later one of the same quantity: node-exporter measures the host for
// itself, GPU exporters do so beside.
constexpr std::array kMetrics = {
    NodeMetric{NodeQuery::kRates, "cpu", NodeQuantity::kCpu, "",
               "node_cpu_seconds_total{mode=\"idle\"}"},
    NodeMetric{NodeQuery::kHosts, "gpu_metrics_cpu_utilization", NodeQuantity::kCpu, "", ""},
    NodeMetric{NodeQuery::kHosts, "all_smi_cpu_utilization", NodeQuantity::kCpu, "", ""},
    NodeMetric{NodeQuery::kHosts, "host_cpu_percent_Percentage", NodeQuantity::kCpu, "", ""},
    NodeMetric{NodeQuery::kHosts, "cpu_used_percent", NodeQuantity::kCpu, "gpud_component", ""},
    NodeMetric{NodeQuery::kHosts, "node_load1", NodeQuantity::kLoad1, "", ""},
    NodeMetric{NodeQuery::kHosts, "node_load5", NodeQuantity::kLoad5, "", ""},
    NodeMetric{NodeQuery::kHosts, "node_load15", NodeQuantity::kLoad15, "", ""},
    NodeMetric{NodeQuery::kRates, "cores", NodeQuantity::kCores, "",
               "node_cpu_seconds_total{mode=\"idle\"}"},
    NodeMetric{NodeQuery::kHosts, "node_memory_MemTotal_bytes", NodeQuantity::kMemoryTotal, "", ""},
    NodeMetric{NodeQuery::kHosts, "node_memory_MemAvailable_bytes", NodeQuantity::kMemoryAvailable,
               "", ""},
    NodeMetric{NodeQuery::kHosts, "gpu_metrics_memory_utilization",
               NodeQuantity::kMemoryUsedPercent, "", ""},
    NodeMetric{NodeQuery::kHosts, "all_smi_memory_utilization", NodeQuantity::kMemoryUsedPercent,
               "", ""},
    NodeMetric{NodeQuery::kHosts, "host_virtual_memory_percent_Percentage",
               NodeQuantity::kMemoryUsedPercent, "", ""},
    NodeMetric{NodeQuery::kHosts, "memory_used_percent", NodeQuantity::kMemoryUsedPercent,
               "gpud_component", ""},
    NodeMetric{NodeQuery::kRates, "rx", NodeQuantity::kNetworkRx, "",
               "node_network_receive_bytes_total"},
    NodeMetric{NodeQuery::kRates, "tx", NodeQuantity::kNetworkTx, "",
               "node_network_transmit_bytes_total"},
    NodeMetric{NodeQuery::kRates, "temperature", NodeQuantity::kTemperature, "",
               "node_hwmon_temp_celsius, node_thermal_zone_temp"},
};

// Read from series of their own, by nodes.cc.
constexpr std::array<std::string_view, 5> kMoreOfHosts = {
    "node_uname_info", "node_filesystem_size_bytes", "node_filesystem_avail_bytes",
    "node_memory_numa_MemTotal", "node_memory_numa_MemFree"};

constexpr std::array<std::string_view, 8> kNodeLabels = {
    "exported_node",   "node", "exported_hostname", "hostname", "Hostname",
    "kubernetes_node", "host", "exported_instance"};

std::string Named(const std::string& vector, std::string_view series) {
  return "label_replace(" + vector + ",\"__series__\"," + prom::Quote(series) + ",\"\",\"\")";
}

std::string OneOf(std::string_view label, const std::vector<std::string>& values) {
  std::string any;
  for (const std::string& value : values) any.append(any.empty() ? "" : "|").append(value);
  return std::string(label) + "=~" + prom::Quote(any);
}

std::string GpuResourceMatcher(std::string_view more = "") {
  std::vector<std::string> resources;
  if (!more.empty()) resources.emplace_back(more);
  for (const auto& resource : GpuResources()) resources.emplace_back(resource);
  return OneOf("resource", resources);
}

std::string HostsQuery() {
  std::vector<std::string> names;
  for (const NodeMetric& metric : kMetrics) {
    if (metric.query == NodeQuery::kHosts) names.emplace_back(metric.series);
  }
  names.insert(names.end(), kMoreOfHosts.begin(), kMoreOfHosts.end());
  return '{' + OneOf("__name__", names) + ',' + std::string(kDisks) + '}';
}

// Over `range`, as PromQL writes it. rate() divides by the range though a series be younger. What
// all modes of one CPU take together is a second of each second: so much of the time is there.
// Where only the idle mode is kept, the range itself, of series that are as old and still told: a
// rate over what has ended falls, as if the CPU were ever busier.
std::string CpuQuery(const std::string& range) {
  const std::string idle(kIdle);
  const std::string first = "node_cpu_seconds_total{cpu=\"0\"}";
  const std::string rate = "rate(" + idle + '[' + range + "])";
  const auto of_all = [](const std::string& how, const std::string& vector) {
    return how + " without(cpu,mode)(" + vector + ')';
  };
  // Where some modes began later than others their sum is not the time that passed.
  const std::string samples = "count_over_time(" + first + '[' + range + "])";
  const std::string there = '(' + of_all("sum", "rate(" + first + '[' + range + "])") + " and " +
                            of_all("count", first) + " > 1 and " + of_all("min", samples) +
                            " > 0.8 * " + of_all("max", samples) + ')';
  return Named("(clamp_min(100 * (1 - " + of_all("avg", rate) + " / " + there +
                   "),0) or clamp_min(100 * (1 - " +
                   of_all("avg", rate + " and " + idle + " and " + idle + " offset " + range) +
                   "),0))",
               "cpu");
}

std::string MovedQuery(const std::string& metric, std::string_view series,
                       const std::string& range) {
  return Named(
      "sum without(device)(rate(" + metric + '{' + std::string(kPhysical) + "}[" + range + "]))",
      series);
}

std::string TemperatureQuery() {
  return Named(
      "(max without(chip,sensor)(node_hwmon_temp_celsius) or "
      "max without(type,zone)(node_thermal_zone_temp))",
      "temperature");
}

std::string RatesQuery() {
  return CpuQuery("5m") + " or " +
         Named("count without(cpu,mode)(" + std::string(kIdle) + ')', "cores") + " or " +
         MovedQuery("node_network_receive_bytes_total", "rx", "5m") + " or " +
         MovedQuery("node_network_transmit_bytes_total", "tx", "5m") + " or " + TemperatureQuery();
}

std::string KubernetesQuery() {
  const std::string gpus = "kube_node_status_capacity{" + GpuResourceMatcher() + '}';
  return "{__name__=~\"kube_node_status_capacity|kube_node_status_allocatable\"," +
         GpuResourceMatcher("cpu") + "} or kube_node_info or " + kReady + " or " +
         Named("(max by(node,exported_node)(max_over_time(timestamp(" + gpus +
                   ")[1h:1m])) unless on(node,exported_node) kube_node_info)",
               kVanishedSeries);
}

std::string RequestsQuery() {
  constexpr std::string_view kSamePod = "on(namespace,pod,exported_namespace,exported_pod)";
  const std::string requests =
      "kube_pod_container_resource_requests{" + GpuResourceMatcher("cpu") + '}';
  const std::string live = '(' + requests + " > 0 and " + std::string(kSamePod) +
                           " (kube_pod_status_phase{phase=~\"Pending|Running\"} == 1) unless " +
                           std::string(kSamePod) +
                           " (kube_pod_status_scheduled{condition=\"true\"} == 0))";
  // Two kube-state-metrics name one container once, whatever their own nodes are.
  return Named(R"--(sum by(node,resource)(label_replace(max by(of,resource)()--" +
                   WithOwnNames(live, {"namespace", "pod", "container", "uid", "node"}) +
                   R"--(),"node","$1","of",".*/([^/]*)")))--",
               kRequestsSeries);
}

// Whose hosts an exporter's targets tell of.
std::string HostsOf(const std::string& series, std::string_view exporter, bool nodename) {
  std::string by = "job,instance";
  for (const std::string_view label : kNodeLabels) by.append(",").append(label);
  if (nodename) by += ",nodename";
  return "label_replace(" + Named("group by(" + by + ")(" + series + ')', kExporterSeries) +
         ",\"exporter\"," + prom::Quote(exporter) + ",\"\",\"\")";
}

// When `up` was 1 last, looked for at these times.
std::string LastUp(const std::string& up, const std::string& times) {
  return "label_replace(max_over_time((timestamp(" + up + ") and " + up + " == 1)[" + times +
         "]),\"times\",\"" + times + "\",\"\",\"\")";
}

// Closely for a few that are known to be down; of others the more so the later it was.
std::string LastUpOf(const Detected& detected, const std::string& up) {
  constexpr std::size_t kFew = 20;
  std::string looks = LastUp(up, "2m:5s") + " or " + LastUp(up, "1h:1m");
  std::set<std::string> jobs;
  std::set<std::string> instances;
  for (const Subject& subject : detected.subjects) {
    for (const auto& [target, shown] : subject.down) {
      jobs.insert(prom::EscapeRegex(shown.job));
      instances.insert(prom::EscapeRegex(shown.instance));
    }
  }
  if (instances.empty() || instances.size() > kFew) return looks;
  const auto one_of = [](std::string_view label, const std::set<std::string>& any) {
    return OneOf(label, {any.begin(), any.end()});
  };
  const std::string few = "up{" + one_of("job", jobs) + ',' + one_of("instance", instances) + '}';
  return looks + " or " + LastUp(few, "1h:1s");
}

std::string TargetsQuery(const Detected& detected) {
  std::string shown = HostsOf("node_uname_info", kNodeExporter, true);
  std::set<std::string> jobs;
  for (const Subject& subject : detected.subjects) {
    const schema::Exporter& exporter = *subject.exporter;
    shown += " or " + HostsOf(SelectorOfMarks(exporter, exporter.require), exporter.name, false);
    for (const std::string& job : subject.jobs) jobs.insert(prom::EscapeRegex(job));
  }
  std::vector<std::string> any(jobs.begin(), jobs.end());
  any.emplace_back(".*node.exporter.*");
  const std::string of_jobs = '{' + OneOf("job", any) + '}';
  const std::string up = "up" + of_jobs;
  // Samples with time stamps of their own are left for a while of a target that is down.
  const std::string present =
      '(' + shown + ") unless on(job,instance) (up == 0 unless on(job,instance) up == 1)";
  // `up` is written together with the samples of its target, and there is one of it.
  return present + " or " +
         Named("max by(job,instance)(timestamp(" + up +
                   ") or timestamp(up) and on(job,instance) node_uname_info)",
               kScrapedSeries) +
         " or " + Named("(up == 0)", kDownSeries) + " or " +
         Named("(time() - max by(job,instance)(max_over_time(timestamp(" + up +
                   " == 0)[2m:1s])) and on(job,instance) " + up +
                   " == 1 or time() - max by(job,instance)(process_start_time_seconds" + of_jobs +
                   ") < 120 and on(job,instance) " + up + " == 1 or max by(job,instance)(120 * (" +
                   up + " == 1 unless " + up + " offset 2m)))",
               kStartedSeries) +
         " or " +
         Named("(max by(job,instance)(" + LastUpOf(detected, up) +
                   ") and on(job,instance) (up == 0))",
               kLastUpSeries);
}

std::string Or(const std::vector<std::string>& vectors) {
  std::string promql;
  for (const std::string& vector : vectors) promql.append(promql.empty() ? "" : " or ") += vector;
  return promql;
}

bool Wants(const std::bitset<models::kNodeQuantities>& wanted, NodeQuantity quantity) {
  return wanted.test(static_cast<std::size_t>(quantity));
}

std::string PastHosts(const std::bitset<models::kNodeQuantities>& wanted) {
  std::vector<std::string> names = {"node_uname_info"};
  for (const NodeMetric& metric : kMetrics) {
    const bool of_memory = metric.gives == NodeQuantity::kMemoryTotal ||
                           metric.gives == NodeQuantity::kMemoryAvailable;
    const bool is_wanted = Wants(wanted, metric.gives) ||
                           (of_memory && Wants(wanted, NodeQuantity::kMemoryUsedPercent));
    if (metric.query == NodeQuery::kHosts && is_wanted) names.emplace_back(metric.series);
  }
  return '{' + OneOf("__name__", names) + '}';
}

std::string PastRates(const std::bitset<models::kNodeQuantities>& wanted, double step) {
  const std::string range = std::to_string(std::max(300LL, std::llround(step))) + 's';
  std::vector<std::string> vectors;
  if (Wants(wanted, NodeQuantity::kCpu)) vectors.push_back(CpuQuery(range));
  if (Wants(wanted, NodeQuantity::kNetworkRx)) {
    vectors.push_back(MovedQuery("node_network_receive_bytes_total", "rx", range));
  }
  if (Wants(wanted, NodeQuantity::kNetworkTx)) {
    vectors.push_back(MovedQuery("node_network_transmit_bytes_total", "tx", range));
  }
  if (Wants(wanted, NodeQuantity::kTemperature)) vectors.push_back(TemperatureQuery());
  return Or(vectors);
}

std::string PastKubernetes(const std::bitset<models::kNodeQuantities>& wanted) {
  // By name in one selector: `or` takes series of other names for the same ones.
  std::vector<std::string> names = {"kube_node_status_capacity"};
  if (Wants(wanted, NodeQuantity::kGpusAllocatable))
    names.emplace_back("kube_node_status_allocatable");
  std::vector<std::string> vectors = {
      "kube_node_info", '{' + OneOf("__name__", names) + ',' + GpuResourceMatcher() + '}'};
  if (Wants(wanted, NodeQuantity::kReady)) vectors.emplace_back(kReady);
  return Or(vectors);
}

std::string PastTargets(std::span<const Subject> subjects) {
  std::vector<std::string> vectors = {HostsOf("node_uname_info", kNodeExporter, true)};
  for (const Subject& subject : subjects) {
    const schema::Exporter& exporter = *subject.exporter;
    vectors.push_back(HostsOf(SelectorOfMarks(exporter, exporter.require), exporter.name, false));
  }
  return Or(vectors);
}

}  // namespace

std::string_view NameOf(NodeQuery query) {
  return kNames[static_cast<std::size_t>(query)];
}

std::span<const NodeMetric> NodeMetrics() {
  return kMetrics;
}

std::span<const std::string_view> NodeLabels() {
  return kNodeLabels;
}

std::string PromqlOf(NodeQuery query, const Detected& detected) {
  switch (query) {
    case NodeQuery::kHosts:
      return HostsQuery();
    case NodeQuery::kRates:
      return RatesQuery();
    case NodeQuery::kKubernetes:
      return KubernetesQuery();
    case NodeQuery::kRequests:
      return RequestsQuery();
    case NodeQuery::kTargets:
      return TargetsQuery(detected);
  }
  return {};
}

std::string PastPromqlOf(NodeQuery query, std::span<const Subject> subjects,
                         const std::bitset<models::kNodeQuantities>& wanted, double step) {
  switch (query) {
    case NodeQuery::kHosts:
      return PastHosts(wanted);
    case NodeQuery::kRates:
      return PastRates(wanted, step);
    case NodeQuery::kKubernetes:
      return PastKubernetes(wanted);
    case NodeQuery::kRequests:
      return {};
    case NodeQuery::kTargets:
      return PastTargets(subjects);
  }
  return {};
}

bool IsGpuResource(std::string_view resource) {
  return !resource.empty() && resource != "cpu" && resource != "memory";
}

}  // namespace gpumon::gpu
