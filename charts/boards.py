#!/usr/bin/python3
"""Writes the Grafana boards of the chart from one row per panel.

Usage: charts/boards.py [FOLDER]     FOLDER is charts/gpu-monitoring/files/dashboards by default
"""
import json
import os
import sys

RATE = "$__rate_interval"
# The bits of nvmlClocksEventReasons that cost speed; bit 1 is an idle GPU.
THROTTLE = (("power cap", 4), ("hardware slowdown", 8), ("software thermal", 32),
            ("hardware thermal", 64), ("power brake", 128))


def throttled(metric, where):
    return [("sum(floor(%s%s / %d) %% 2)" % (metric, where, bit), name) for name, bit in THROTTLE]


def rate(metric, where, by=""):
    text = "rate(%s%s[%s])" % (metric, where, RATE)
    return "sum by (%s) (%s)" % (by, text) if by else text


# A panel: kind, title, what it tells, unit, width of 24, queries (PromQL, legend).
def gpu_panels(names, where, legend, node):
    """The same board for two exporters: names says how each calls what it measures."""
    at = {key: "%s%s" % (name, where) for key, name in names.items()}
    count = "count(%s)" % at["temperature"]
    return [
        ("stat", "GPUs", "GPUs that are reported now.", "short", 4, [(count, "")]),
        ("stat", "Mean utilization", "Of all GPUs that report it.", names["busy unit"], 4,
         [("avg(%s)" % at["utilization"], "")]),
        ("stat", "Memory in use", "Of the memory of all GPUs.", "percent", 4,
         [("100 * sum(%s) / sum(%s + %s)" % (at["used"], at["used"], at["free"]), "")]),
        ("stat", "Power", "Of all GPUs.", "watt", 4, [("sum(%s)" % at["power"], "")]),
        ("stat", "Hottest", "The hottest GPU.", "celsius", 4,
         [("max(%s)" % at["temperature"], "")]),
        ("stat", "Without work", "GPUs with less than 5 % utilization now.", "short", 4,
         [("sum(%s < bool %s)" % (at["utilization"], names["idle"]), "")]),
        ("timeseries", "Utilization", "Time in which a kernel ran.", names["busy unit"], 12,
         [(at["utilization"], legend)]),
        ("timeseries", "Memory in use", "By GPU.", names["memory unit"], 12,
         [(at["used"], legend)]),
        ("timeseries", "Temperature", "Above 85 °C for long is too hot; 90 °C throttles.",
         "celsius", 12, [(at["temperature"], legend)]),
        ("timeseries", "Power", "By GPU.", "watt", 12, [(at["power"], legend)]),
        ("timeseries", "Tensor cores active",
         "What utilization hides: whether the GPU computes." + names["profiled"],
         names["share unit"], 12, [(at["tensor"], legend)]),
        ("timeseries", "Memory bandwidth in use",
         "Time in which device memory was read or written." + names["profiled"],
         names["share unit"], 12, [(at["dram"], legend)]),
        ("timeseries", "Clock of the multiprocessors", "It falls when the GPU is throttled.",
         names["clock unit"], 12, [(at["clock"], legend)]),
        ("timeseries", "GPUs throttled, by reason", "A GPU may have several reasons.", "short", 12,
         throttled(names["throttle"], where)),
        ("timeseries", "PCIe", "Received and sent by the GPUs of each node.", "Bps", 12,
         [(names["pcie"]("rx", where, node), "to {{%s}}" % node),
          (names["pcie"]("tx", where, node), "from {{%s}}" % node)]),
        ("timeseries", "NVLink", "All links of the GPUs of each node.", "Bps", 12,
         [(names["nvlink"](where, node), "{{%s}}" % node)]),
        ("table", "XID of each GPU", "The last error that the driver reported; 0 is none.", "short",
         12, [(at["xid"], "")]),
        ("table", "Memory errors", "Uncorrectable ECC errors and rows that could not be remapped.",
         "short", 12, [(at["ecc"], "uncorrectable"), (at["remap"], "remapping failed")]),
    ]


def nvidia_gpu():
    names = {key: "nvidia_gpu_" + name for key, name in (
        ("utilization", "utilization_percent"), ("used", "used_memory_bytes"),
        ("free", "free_memory_bytes"), ("temperature", "temperature_celsius"),
        ("power", "power_watts"), ("tensor", "tensor_active_percent"),
        ("dram", "dram_active_percent"), ("clock", "sm_clock_mhz"),
        ("throttle", "throttle_reasons"), ("xid", "xid_last"),
        ("ecc", "ecc_uncorrected_aggregate_total"), ("remap", "row_remap_failure"))}
    names.update({
        "busy unit": "percent", "idle": "5", "memory unit": "bytes", "share unit": "percent",
        "clock unit": "suffix:MHz",
        "profiled": " gpu-exporter does not profile real GPUs: empty where it is alone.",
        "pcie": lambda way, where, by: rate("nvidia_gpu_pcie_%s_bytes_total" % way, where, by),
        "nvlink": lambda where, by: "sum by (%s) (%s + %s)" % (
            by, rate("nvidia_gpu_nvlink_rx_bytes_total", where),
            rate("nvidia_gpu_nvlink_tx_bytes_total", where))})
    where = '{node=~"$node"}'
    legend = "{{node}} {{gpu}}"
    panels = gpu_panels(names, where, legend, "node") + [
        ("table", "Processes", "GPU memory of each process.", "bytes", 24,
         [("topk(50, nvidia_gpu_process_gpu_memory_bytes%s)" % where, "")])]
    return board("nvidia-gpu", "GPUs (nvidia_gpu_*)", panels,
                 ("node", "label_values(nvidia_gpu_temperature_celsius, node)"))


def of_dcgm(name, title, label, names):
    """The board of one generation of dcgm-exporter, which names its node in this label."""
    links = "DCGM_FI_PROF_%s_%s_BYTES%s"  # bytes a second already
    names = {**names, "profiled": "",
             "pcie": lambda way, where, by: "sum by (%s) (%s)" % (
                 by, links % ("PCIE", way.upper(), where)),
             "nvlink": lambda where, by: "sum by (%s) (%s + %s)" % (
                 by, links % ("NVLINK", "RX", where), links % ("NVLINK", "TX", where))}
    panels = gpu_panels(names, '{%s=~"$node"}' % label, "{{%s}} {{gpu}}" % label, label)
    nodes = "label_values(%s, %s)" % (names["temperature"], label)
    return board(name, title, panels, ("node", nodes))


def dcgm():
    return of_old_dcgm("dcgm", "GPUs (dcgm-exporter up to 4.8.2)", "Hostname")


def dcgm_4_8_3():
    """The same metrics, and the node's label in lower case."""
    return of_old_dcgm("dcgm-4-8-3", "GPUs (dcgm-exporter 4.8.3)", "hostname")


def of_old_dcgm(name, title, label):
    field, share = "DCGM_FI_DEV_", "DCGM_FI_PROF_"
    return of_dcgm(name, title, label, {
        "utilization": field + "GPU_UTIL", "used": field + "FB_USED", "free": field + "FB_FREE",
        "temperature": field + "GPU_TEMP", "power": field + "POWER_USAGE",
        "clock": field + "SM_CLOCK", "throttle": field + "CLOCKS_EVENT_REASONS",
        "xid": field + "XID_ERRORS", "ecc": field + "ECC_DBE_AGG_TOTAL",
        "remap": field + "ROW_REMAP_FAILURE", "tensor": share + "PIPE_TENSOR_ACTIVE",
        "dram": share + "DRAM_ACTIVE", "busy unit": "percent", "idle": "5",
        "memory unit": "mbytes", "share unit": "percentunit", "clock unit": "suffix:MHz"})


def dcgm_4_9():
    field, share = "DCGM_FI_DEV_", "DCGM_FI_PROF_"
    return of_dcgm("dcgm-4-9", "GPUs (dcgm-exporter from 4.9)", "hostname", {
        "utilization": share + "GR_ENGINE_UTIL_RATIO", "used": field + "FB_USED_BYTES",
        "free": field + "FB_FREE_BYTES", "temperature": field + "GPU_TEMP_CELSIUS",
        "power": field + "BOARD_POWER_WATTS", "clock": field + "SM_CLOCK_HERTZ",
        "throttle": field + "CLOCKS_EVENT_REASONS", "xid": field + "XID_ERROR",
        "ecc": field + "ECC_DBE_AGG_TOTAL", "remap": field + "ROW_REMAP_FAILED",
        "tensor": share + "TENSOR_UTIL_RATIO", "dram": share + "DRAM_UTIL_RATIO",
        "busy unit": "percentunit", "idle": "0.05", "memory unit": "bytes",
        "share unit": "percentunit", "clock unit": "hertz"})


def quantile(metric, by, share):
    return "histogram_quantile(%s, %s)" % (share, rate(metric + "_bucket", "", "le, " + by))


def api():
    own = "gpu_monitoring_"
    panels = [
        ("stat", "Servers", "That are scraped.", "short", 4, [("count(%sbuild_info)" % own, "")]),
        ("stat", "Age of the oldest data", "Above 30 s viewers get an error.", "s", 4,
         [("max(%ssnapshot_age_seconds)" % own, "")]),
        ("stat", "GPUs known", "Rows of the last snapshot.", "short", 4,
         [('max(%ssnapshot_rows{part="gpus"})' % own, "")]),
        ("stat", "Followers of the stream", "Open pages of the dashboard, mostly.", "short", 4,
         [("sum(%sstream_clients)" % own, "")]),
        ("stat", "Connections", "Open now.", "short", 4, [("sum(%shttp_connections)" % own, "")]),
        ("stat", "Longest up", "Since its start.", "s", 4, [("max(%suptime_seconds)" % own, "")]),
        ("timeseries", "Requests", "By route.", "reqps", 12,
         [(rate(own + "http_requests_total", "", "route"), "{{route}}")]),
        ("timeseries", "Answers by status", "5xx: Prometheus is away, or the server is wrong.",
         "reqps", 12, [(rate(own + "http_requests_total", "", "status"), "{{status}}")]),
        ("timeseries", "Time of a request, p99", "By route; the stream is open for minutes.", "s", 12,
         [(quantile(own + "http_request_duration_seconds", "route", 0.99), "{{route}}")]),
        ("timeseries", "Time of a refresh, p99", "One set of queries, shared by all viewers.", "s", 12,
         [(quantile(own + "refresh_duration_seconds", "part", 0.99), "{{part}}")]),
        ("timeseries", "Queries to Prometheus", "By result; all but ok are failures.", "reqps", 12,
         [(rate(own + "upstream_queries_total", "", "result"), "{{result}}")]),
        ("timeseries", "Read from Prometheus", "Decompressed.", "Bps", 12,
         [(rate(own + "upstream_response_bytes_total", "", "instance"), "{{instance}}")]),
        ("timeseries", "Stale answers and refused requests", "Both are 0 on a good day.", "reqps", 12,
         [("sum(rate(%sstale_served_total[%s]))" % (own, RATE), "stale"),
          ("sum(rate(%shttp_refused_total[%s]))" % (own, RATE), "refused")]),
        ("timeseries", "Age of snapshots", "By part.", "s", 12,
         [("max by (part) (%ssnapshot_age_seconds)" % own, "{{part}}")]),
        ("timeseries", "Processor time", "Cores in use.", "short", 12,
         [('rate(process_cpu_seconds_total{job="gpu-monitoring-api"}[%s])' % RATE, "{{instance}}")]),
        ("timeseries", "Memory", "Resident.", "bytes", 12,
         [('process_resident_memory_bytes{job="gpu-monitoring-api"}', "{{instance}}")]),
    ]
    return board("api", "GPU Monitoring API", panels, None)


def panel(number, row, place):
    kind, title, text, unit, width, queries = row
    result = {
        "id": number, "type": kind, "title": title, "description": text, "gridPos": place,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": []}
    for letter, (expr, legend) in zip("ABCDEFGH", queries):
        target = {"refId": letter, "expr": expr, "legendFormat": legend,
                  "datasource": {"type": "prometheus", "uid": "${datasource}"}}
        if kind != "timeseries":
            target["instant"] = True
        if kind == "table":
            target["format"] = "table"
        result["targets"].append(target)
    if kind == "timeseries":
        result["options"] = {"legend": {"displayMode": "list", "placement": "bottom"},
                             "tooltip": {"mode": "multi", "sort": "desc"}}
    if kind == "table":
        result["transformations"] = [{"id": "merge", "options": {}}]
    return result


def board(name, title, rows, variable):
    panels, x, y, height = [], 0, 0, 0
    for number, row in enumerate(rows, 1):
        width = row[4]
        if x + width > 24:
            x, y = 0, y + height
        height = 4 if row[0] == "stat" else 8
        panels.append(panel(number, row, {"x": x, "y": y, "w": width, "h": height}))
        x += width
    variables = [{"name": "datasource", "type": "datasource", "query": "prometheus",
                  "label": "Data source", "current": {}, "hide": 0}]
    if variable:
        variables.append({
            "name": variable[0], "type": "query", "label": "Node", "query": variable[1],
            "definition": variable[1], "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "multi": True, "includeAll": True, "allValue": ".*", "refresh": 2, "sort": 7,
            "current": {"text": ["All"], "value": ["$__all"]}})
    return {
        "uid": "gpu-monitoring-" + name, "title": title, "tags": ["gpu"], "schemaVersion": 39,
        "version": 1, "editable": True, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"}, "timezone": "", "links": [],
        "annotations": {"list": []},
        "templating": {"list": variables}, "panels": panels}


BOARDS = {"nvidia_gpu": nvidia_gpu, "dcgm": dcgm, "dcgm_4_8_3": dcgm_4_8_3,
          "dcgm_4_9": dcgm_4_9, "api": api}


def main():
    chart = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpu-monitoring")
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(chart, "files", "dashboards")
    for name, make in BOARDS.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(make(), file, indent=1, ensure_ascii=False)
            file.write("\n")


if __name__ == "__main__":
    main()
