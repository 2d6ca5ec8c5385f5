#include <array>

#include "internal/rules/rows.h"

namespace gpumon::rules {
namespace {

constexpr std::array kRecords = {
    RecordRow{"api_target",
              "group by (job, instance) (gpu_monitoring_build_info)\nor\n"
              "(gpu_monitoring:api_target and on (job, instance) up)",
              "1 for each target that is a server of this product."},
};

constexpr std::array kAlerts = {
    AlertRow{
        "GpuMonitoringApiDown", "critical", "5m",
        "up == 0\nand on (job, instance) gpu_monitoring:api_target\nor\n"
        "(up == 0 and on (job) gpu_monitoring:api_target)\n"
        "unless on (job) (up == 1 unless on (job, instance) gpu_monitoring:api_target)",
        "gpu-monitoring-api is down: {{ $labels.instance }}",
        "The server {{ $labels.instance }} (job {{ $labels.job }}) has not been scraped for 5 "
        "minutes.",
        "Prometheus cannot scrape a server that it still discovers.",
        "`kubectl get pods`, then `kubectl describe pod` and `kubectl logs --previous` of the "
        "one that is not ready. An exit code 2 is a wrong option: the log's last line names it."},
    AlertRow{"GpuMonitoringApiAbsent", "critical", "10m", "absent(gpu_monitoring_build_info)",
             "No gpu-monitoring-api is scraped",
             "Prometheus has no series of any server for 10 minutes.",
             "All servers are gone, or Prometheus no longer discovers them.",
             "See whether the Deployment has pods, and whether its ServiceMonitor has the labels "
             "that this Prometheus selects (page /targets)."},
    AlertRow{
        "GpuMonitoringApiStale", "warning", "5m",
        "max by (job, instance, part) (gpu_monitoring_snapshot_age_seconds) > 120\n"
        "and on (job, instance, part)\n"
        "increase(gpu_monitoring_refreshes_total{result!=\"ok\"}[5m]) > 0",
        "gpu-monitoring-api shows old data: {{ $labels.instance }}",
        "The newest snapshot of {{ $labels.part }} at {{ $labels.instance }} is "
        "{{ humanizeDuration $value }} old, and refreshes fail.",
        "Somebody asks and gets old data or an error. A server that nobody asks refreshes "
        "nothing: its age alone is no alert.",
        "`curl SERVER/api/healthz` says whether Prometheus is reachable; the server's log says "
        "why a refresh failed. See GpuMonitoringUpstreamErrors."},
    AlertRow{
        "GpuMonitoringUpstreamErrors", "warning", "10m",
        "sum by (job, instance) (rate(gpu_monitoring_upstream_queries_total{result!=\"ok\"}[5m]))"
        "\n/\nsum by (job, instance) (rate(gpu_monitoring_upstream_queries_total[5m]))\n> 0.05",
        "gpu-monitoring-api's queries fail: {{ $labels.instance }}",
        "{{ humanizePercentage $value }} of the queries of {{ $labels.instance }} have failed for "
        "10 minutes.",
        "More than one query in twenty gets no good answer from Prometheus.",
        "`sum by (result) (rate(gpu_monitoring_upstream_queries_total[5m]))` names the reasons: "
        "`upstream_timeout` and `upstream_throttled` want a Prometheus with more room or fewer "
        "other queries, `upstream_auth` a token, `upstream_unreachable` a look at the network "
        "policy."},
    AlertRow{
        "GpuMonitoringSheds", "warning", "5m",
        "sum by (job, instance) (\nrate(gpu_monitoring_sheds_total[5m])\nor\n"
        "rate(gpu_monitoring_http_requests_total{status=~\"429|503\",route!~\"/readyz|"
        "/api/healthz\"}[5m])\n) > 0",
        "gpu-monitoring-api refuses requests: {{ $labels.instance }}",
        "{{ $labels.instance }} has refused {{ printf \"%.2g\" $value }} requests a second for 5 "
        "minutes because of load.",
        "More is asked than the server answers at once; the rest gets 429 or 503 with a "
        "Retry-After.",
        "Add replicas, or find who asks so much: "
        "`topk(5, rate(gpu_monitoring_http_requests_total[5m]))`."},
    AlertRow{
        "GpuExporterGpuLost", "critical", "5m",
        "gpu_exporter_gpu_up == 0\nand on (job, instance) gpu_exporter_up == 1\n"
        "unless on (node, gpu) ALERTS{alertname=\"GpuLost\",alertstate=\"firing\"}",
        "gpu-exporter cannot read GPU {{ $labels.gpu }} of {{ $labels.node }}",
        "GPU {{ $labels.gpu }} of {{ $labels.node }} ({{ $labels.uuid }}) has not answered for 5 "
        "minutes, while gpu-exporter reads others.",
        "NVML lists the GPU and says of it that it is lost, or cannot be read. GpuLost tells of one "
        "that was seen within a day; this one may never have been, or has been away for longer.",
        "`dmesg | grep -i xid` on the node. Cordon it and reboot the machine; if the GPU stays away, "
        "reseat or replace the board."},
    AlertRow{
        "GpuExporterWithoutKubelet", "warning", "15m",
        "gpu_exporter_kubelet_up == 0 and on (job, instance) gpu_exporter_up == 1",
        "gpu-exporter does not know whose the GPUs of {{ $labels.node }} are",
        "The kubelet of {{ $labels.node }} has not told gpu-exporter for 15 minutes which pods "
        "have its GPUs.",
        "The kubelet's pod-resources socket is mounted, and does not answer or refuses the "
        "exporter. What GPUs measure is right; pods, namespaces and containers are missing.",
        "The exporter's log says why (`kubectl logs`): a refused permission wants "
        "`exporter.access.podResources`, a time-out a look at the kubelet."},
    AlertRow{"GpuMonitoringApiRestarts", "warning", "0s",
             "changes(process_start_time_seconds[30m]) > 2\n"
             "and on (job, instance) gpu_monitoring:api_target",
             "gpu-monitoring-api starts again and again: {{ $labels.instance }}",
             "{{ $labels.instance }} has started {{ $value }} times within half an hour.",
             "The process ends and is started again.",
             "`kubectl describe pod` says why it ended: OOMKilled wants a higher memory limit, a "
             "failed probe a look at the log."},
};

}  // namespace

std::span<const RecordRow> ApiRecordRows() {
  return kRecords;
}

std::span<const AlertRow> ApiAlertRows() {
  return kAlerts;
}

}  // namespace gpumon::rules
