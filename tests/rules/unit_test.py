#!/usr/bin/python3
"""promtool check rules and promtool test rules over every rule file of the chart: of each exporter
a world in its own units, where each alert has a GPU that it calls out and others that it must not.

Usage: unit_test.py PROMTOOL RULES_FOLDER [unittest's arguments]
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from exporters import EXPORTERS

PROMTOOL, RULES = (os.path.abspath(path) for path in sys.argv[1:3])
MINUTES = 124          # when the worlds are judged
STEP = "4m"            # between evaluations: rules remember by what they recorded last
HEALTHY = {"utilization": 60, "memory_used": 2**34, "memory_free": 2**34, "memory_total": 2**35,
           "temperature": 60, "power": 300, "throttle": 0x5, "xid": 0, "ecc": 0,
           "ecc_lifetime": 4, "remap_failure": 0, "remap_pending": 0}
TARGET = 'job="gpu",instance="10.0.0.1:9400"'
OTHER = 'job="gpu",instance="10.0.0.2:9400"'
MOVED = 'job="gpu",instance="10.0.0.4:9400"'
NEW = 'job="gpu",instance="10.0.0.5:9400"'      # a pod that took another's place
MIXED = 'job="pods",instance="10.0.0.1:940%d"'  # of a job that scrapes all kinds of pods


def steady(value):
    return "%sx%d" % (value, MINUTES + 5)


def turned(old, new, minutes):
    """`old`, and for the last `minutes` `new`."""
    return "%sx%d %sx%d" % (old, MINUTES - minutes, new, minutes + 5)


class Steps:
    """A value that changes: an exporter's unit makes no difference to counts and codes."""

    def __init__(self, old, new, minutes):
        self.text = turned(old, new, minutes)


# Alert -> what makes a GPU that it calls out, and what comes close and is none. `blank` stands for
# what the exporter writes where it knows nothing.
FIRING = {
    "GpuHot": [{"temperature": 91}, {"temperature": 86}],
    "GpuThrottledThermal": [{"throttle": 0x40}, {"throttle": 0x28}, {"throttle": 0x68}],
    "GpuThrottledPower": [{"throttle": 0x80}, {"throttle": 0x8C}],
    "GpuThrottledHardware": [{"throttle": 0x8}, {"throttle": 0xD}],
    "GpuXidReset": [{"xid": 79}, {"xid": 48}],
    "GpuXidContained": [{"xid": 94}],
    "GpuXidApplication": [{"xid": Steps(0, 31, 10)}, {"xid": Steps(13, 43, 10)}],
    "GpuXidInformation": [{"xid": Steps(0, 63, 10)}],
    "GpuXidUnknown": [{"xid": Steps(0, 999, 10)}],
    "GpuRowRemapFailed": [{"remap_failure": 1}],
    "GpuRowRemapPending": [{"remap_pending": 2}],
}
QUIET = {
    "GpuHot": [{"temperature": 85}, {"temperature": Steps(60, 91, 4)}, {"temperature": "blank"}],
    "GpuThrottledThermal": [{"throttle": 0x1}, {"throttle": 0x4}, {"throttle": Steps(0, 0x40, 4)}],
    "GpuThrottledPower": [{"throttle": 0x104}],
    "GpuThrottledHardware": [{"throttle": 0x0}],
    "GpuXidReset": [{"xid": 0}, {"xid": "blank"}],
    "GpuXidApplication": [{"xid": 31}],
    "GpuXidInformation": [{"xid": 63}],
    "GpuXidUnknown": [{"xid": 999}],
    "GpuEccUncorrected": [{"ecc": 0}, {"ecc": "blank"}, {"ecc_lifetime": 5},
                          {"ecc_lifetime": Steps(4, 5, 80)}],
    "GpuRowRemapFailed": [{"remap_failure": 0}, {"remap_failure": "blank"}],
    "GpuRowRemapPending": [{"remap_pending": 0}, {"remap_pending": Steps(0, 1, 10)}],
}
FIRING["GpuEccUncorrected"] = [{"ecc": 1}, {"ecc_lifetime": Steps(4, 5, 30)}]


class World:
    """GPUs of one exporter, as promtool's input series, and which alert calls out which."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.series = []
        self.gpus = 0
        self.called = {}   # alert -> identities
        self.up(TARGET, 1)

    def up(self, target, value, pod="exporter-1"):
        values = steady(value) if isinstance(value, int) else value
        self.series.append(('up{%s,namespace="gpu",pod="%s"}' % (target, pod), values))

    def can(self, change):
        known = set(self.exporter["series"])
        known |= {"throttle"} if "flags" in self.exporter else set()
        return all(field in known and (value != "blank" or "blank" in self.exporter)
                   for field, value in change.items())

    def value(self, field, value, unit):
        if value == "blank":
            return steady(self.exporter["blank"])
        if isinstance(value, Steps):
            return value.text
        number = value * unit
        return steady(int(number) if number == int(number) else number)

    def gpu(self, change=None, more="", target=TARGET, minutes=None):
        """One more GPU; its identity. With `minutes` its series end then."""
        i = self.gpus
        self.gpus += 1
        labels = ",".join(filter(None, (
            self.exporter["labels"].replace("{i}", str(i)), more.replace("{i}", str(i)), target)))
        values = dict(HEALTHY, **(change or {}))

        def add(name, text):
            name, inside = re.fullmatch(r"(\w+)(?:\{(.*)\})?", name).groups()
            text = "%sx%d" % (text.split("x")[0], minutes) if minutes else text
            self.series.append(("%s{%s}" % (name, ",".join(filter(None, (labels, inside)))), text))

        for field, (name, unit) in self.exporter["series"].items():
            add(name, self.value(field, values[field], unit))
        for name, bit in self.exporter.get("flags", {}).items():
            mask = values["throttle"]
            if isinstance(mask, Steps):
                old, new = (int(part.split("x")[0]) for part in mask.text.split())
                minutes_new = int(mask.text.split("x")[-1]) - 5
                add(name, turned(int(bool(old & bit)), int(bool(new & bit)), minutes_new))
            else:
                add(name, steady(int(bool(mask & bit))))
        return self.exporter.get("identity", "GPU-{i}").replace("{i}", str(i))

    def call(self, alert, identity):
        self.called.setdefault(alert, set()).add(identity)


def add_states(world):
    for alert, changes in FIRING.items():
        for change in filter(world.can, changes):
            if "flags" in world.exporter and change.get("throttle") == 0x28:
                continue    # it has no flag of 0x20
            world.call(alert, world.gpu(change))
    for change in (change for changes in QUIET.values() for change in changes):
        if world.can(change):
            world.gpu(change)


def add_holders(world):
    exporter = world.exporter
    idle = {"utilization": 3}
    if "share" in exporter:
        for change, called in ((idle, True), (None, False)):
            series = exporter["share"].replace("{i}", str(world.gpus))
            identity = world.gpu(change)
            world.series.append((series[:-1] + "," + TARGET + "}", steady(2**30)))
            if called:
                world.call("GpuIdleHeld", identity)
    if "pod" in exporter:
        world.call("GpuIdleHeld", world.gpu(idle, exporter["pod"]))
        world.gpu(None, exporter["pod"])
        world.gpu({"utilization": 10}, exporter["pod"])
    if exporter.get("own_pod"):
        # With honor_labels a pod stands in the label that an idle GPU's series have from the target.
        world.call("GpuIdleHeld", world.gpu(idle, 'namespace="ml",pod="serve-{i}"'))
        world.gpu(idle, 'namespace="gpu",pod="exporter-1"')
    world.gpu(idle)


def add_losses(world):
    exporter = world.exporter
    world.call("GpuLost", world.gpu(None, minutes=60))
    # Why it went is called out until that it went is.
    fatal = {"xid": 79}
    if world.can(fatal):
        world.call("GpuLost", world.gpu(fatal, minutes=60))
        world.call("GpuXidReset", world.gpu(fatal, minutes=MINUTES - 10))
    # One whose target is down, as all of its node are: nobody knows.
    apart = dict(exporter, labels=exporter["labels"].replace("node-1", "node-2"))
    world.exporter = apart
    world.gpu(None, target=OTHER, minutes=60)
    world.up(OTHER, turned(1, 0, 60), "exporter-2")
    # A board that is in another machine now, where its UUID tells that it is the same.
    if exporter.get("label", "uuid") == "uuid":
        world.exporter = dict(exporter, labels=exporter["labels"].replace("node-1", "node-3"))
        again = world.gpus
        world.gpu(None, target=MOVED, minutes=60)
        world.up(MOVED, 1, "exporter-4")
        world.exporter, world.gpus = exporter, again
        world.gpu()
    world.up(NEW, 0, "exporter-5")
    world.exporter = exporter
    world.gpu(target=MIXED % 6)
    world.up(MIXED % 6, 1, "exporter-6")
    world.up(MIXED % 7, 1, "web")
    world.up(MIXED % 8, 0, "web-2")
    # One that has shown no GPU is somebody else's.
    world.up('job="node",instance="10.0.0.2:9100"', 0, "node-exporter")
    world.exporter = exporter


def add_success(world):
    success = world.exporter.get("success")
    if success is None:
        return
    name, inside = re.fullmatch(r"(\w+)(?:\{(.*)\})?", success).groups()
    for target, value in ((TARGET, 1), ('job="gpu",instance="10.0.0.3:9400"', 0)):
        labels = ",".join(filter(None, (inside, target)))
        world.series.append(("%s{%s}" % (name, labels), steady(value)))


def world_of(schema):
    world = World(EXPORTERS[schema])
    world.gpu()
    add_states(world)
    add_holders(world)
    add_losses(world)
    add_success(world)
    return world


def alerts_of(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"^ *- alert: (\w+)$", file.read(), re.M))


def judged(expr, samples, minutes=MINUTES):
    return {"expr": expr, "eval_time": "%dm" % minutes,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples]}


def firing(alert, by):
    return 'group by (%s) (ALERTS{alertname="%s",alertstate="firing"})' % (by, alert)


def test_of(series, judgements):
    return {"interval": "1m", "promql_expr_test": judgements,
            "input_series": [{"series": name, "values": values} for name, values in series]}


def judgements_of(schema, world, alerts):
    label = EXPORTERS[schema].get("label", "uuid")
    tests = []
    for alert in sorted(alerts - {"GpuExporterDown", "GpuExporterFailing", "GpuMetricsAbsent"}):
        tests.append(judged(firing(alert, label), [
            ('{%s="%s"}' % (label, identity), 1) for identity in world.called.get(alert, ())]))
    node = EXPORTERS[schema].get("node", "node-1")
    tests.append(judged("group by (node) (gpu_monitoring:gpu_present)",
                        [('{node="%s"}' % node, 1)]))
    tests.append(judged(firing("GpuExporterDown", "job, instance"), [("{%s}" % one, 1) for one in (OTHER, NEW)]))
    tests.append(judged(firing("GpuMetricsAbsent", "exporter"), []))
    if "GpuExporterFailing" in alerts:
        tests.append(judged(firing("GpuExporterFailing", "instance"),
                            [('{instance="10.0.0.3:9400"}', 1)]))
    return tests


# Of the server: by alert, what one instance shows that is called out, and what one shows that is not.
COUNTED = "0+%dx130"
API_SERIES = {
    "gpu_monitoring_build_info": {"{version=\"1\"}": steady(1)},
    "gpu_monitoring_snapshot_age_seconds": {"{part=\"gpus\"}": steady(2)},
    "gpu_monitoring_refreshes_total": {
        "{part=\"gpus\",result=\"ok\"}": COUNTED % 30,
        "{part=\"gpus\",result=\"upstream_timeout\"}": steady(3)},
    "gpu_monitoring_upstream_queries_total": {
        "{query=\"a\",result=\"ok\"}": COUNTED % 100,
        "{query=\"a\",result=\"upstream_timeout\"}": COUNTED % 5},
    "gpu_monitoring_sheds_total": {"{reason=\"stream_clients\"}": steady(7)},
    "gpu_monitoring_http_requests_total": {
        "{route=\"/api/v1/gpu/metrics\",method=\"GET\",status=\"200\"}": COUNTED % 60,
        "{route=\"/readyz\",method=\"GET\",status=\"503\"}": COUNTED % 60},
    "process_start_time_seconds": {"": steady(1000)},
}
OLD = {"gpu_monitoring_snapshot_age_seconds": {"{part=\"gpus\"}": steady(300)}}
FAILING = {"{part=\"gpus\",result=\"upstream_timeout\"}": COUNTED % 20}
ERRORS = {"{query=\"a\",result=\"upstream_timeout\"}": COUNTED % 6}
REFUSED = {"{route=\"/api/v1/gpu/metrics\",method=\"GET\",status=\"429\"}": COUNTED % 6}
API_WORLD = {   # instance -> what it shows beside API_SERIES, and the alert that calls it out
    "well:8080": ({}, None),
    "asked-by-nobody:8080": (OLD, None),
    "old:8080": (dict(OLD, gpu_monitoring_refreshes_total=FAILING), "GpuMonitoringApiStale"),
    "errors:8080": ({"gpu_monitoring_upstream_queries_total": ERRORS},
                    "GpuMonitoringUpstreamErrors"),
    "busy:8080": ({"gpu_monitoring_http_requests_total": REFUSED}, "GpuMonitoringSheds"),
    "streams:8080": ({"gpu_monitoring_sheds_total": {"{reason=\"stream_clients\"}": COUNTED % 2}},
                     "GpuMonitoringSheds"),
    "restarts:8080": ({"process_start_time_seconds": {"": "1000x109 2000x4 3000x4 4000x20"}},
                      "GpuMonitoringApiRestarts"),
    "restarted:8080": ({"process_start_time_seconds": {"": "1000x114 2000x20"}}, None),
}


# gpu-exporter: whether it reads its GPUs, and whether the kubelet tells it whose they are.
EXPORTERS_OWN = {"exporter-1:9432": (1, 1), "exporter-2:9432": (1, 0), "exporter-3:9432": (0, 0)}


def api_test(alerts):
    series = []
    for instance, (up, kubelet) in EXPORTERS_OWN.items():
        labels = 'job="gpu-exporter",instance="%s",node="n"' % instance
        series.append(("gpu_exporter_up{%s}" % labels, steady(up)))
        series.append(("gpu_exporter_kubelet_up{%s}" % labels, steady(kubelet)))
        for gpu, answers in (("0", 1), ("1", 0 if instance != "exporter-2:9432" else 1)):
            series.append(('gpu_exporter_gpu_up{gpu="%s",uuid="GPU-%s",%s}' % (gpu, gpu, labels),
                           steady(answers)))
    # NVML refuses this one, so that its uuid is not known any more; GpuLost tells of it.
    lost = 'job="gpu-exporter",instance="exporter-4:9432",node="m"'
    series.append(("gpu_exporter_up{%s}" % lost, steady(1)))
    series.append(('gpu_exporter_gpu_up{gpu="1",%s}' % lost, steady(0)))
    series.append(('ALERTS{alertname="GpuLost",alertstate="firing",node="m",gpu="1",uuid="GPU-9"}',
                   steady(1)))
    for instance, (more, _) in API_WORLD.items():
        target = 'job="api",instance="%s"' % instance
        series.append(("up{%s}" % target, steady(1)))
        for name, rows in API_SERIES.items():
            for inside, values in dict(rows, **more.get(name, {})).items():
                labels = ",".join(filter(None, (inside.strip("{}"), target)))
                series.append(("%s{%s}" % (name, labels), values))
    down = 'job="api",instance="down:8080"'
    series.append(("up{%s}" % down, turned(1, 0, 60)))
    series.append(('gpu_monitoring_build_info{version="1",%s}' % down, "1x60"))
    series.append(('up{job="api",instance="new:8080"}', steady(0)))
    series.append(('up{job="other",instance="other:1"}', steady(0)))
    called = {"GpuMonitoringApiDown": {"down:8080", "new:8080"},
              "GpuExporterGpuLost": {"exporter-1:9432"}, "GpuMonitoringApiAbsent": set(),
              "GpuExporterWithoutKubelet": {"exporter-2:9432"}}
    for instance, (_, alert) in API_WORLD.items():
        if alert:
            called.setdefault(alert, set()).add(instance)
    return called, test_of(series, [
        judged(firing(alert, "instance"),
               [('{instance="%s"}' % instance, 1) for instance in called.get(alert, ())])
        for alert in sorted(alerts)])


class RulesTest(unittest.TestCase):
    def promtool(self, *arguments):
        ran = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def judge(self, path, tests):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "test.yaml")
            with open(name, "w", encoding="utf-8") as file:
                json.dump({"rule_files": [path], "evaluation_interval": STEP, "tests": tests}, file)
            self.promtool("test", "rules", name)

    def test_promtool_accepts_every_file(self):
        files = sorted(glob.glob(os.path.join(RULES, "*.yaml")))
        self.assertEqual({os.path.basename(path)[:-5] for path in files}, {*EXPORTERS, "api"})
        self.promtool("check", "rules", *files)

    def test_each_alert_calls_out_what_it_is_about_and_nothing_else(self):
        for schema in EXPORTERS:
            with self.subTest(schema):
                path = os.path.join(RULES, schema + ".yaml")
                alerts = alerts_of(path)
                world = world_of(schema)
                # Each alert of the file has a GPU that it calls out, and none is written for
                # nothing.
                of_targets = {"GpuExporterDown", "GpuExporterFailing", "GpuMetricsAbsent"}
                self.assertEqual(alerts - of_targets, set(world.called))
                nobody = test_of([("up{%s}" % TARGET, steady(1))],
                                 [judged(firing("GpuMetricsAbsent", "exporter"),
                                         [('{exporter="%s"}' % schema, 1)]),
                                  judged("ALERTS{alertname!=\"GpuMetricsAbsent\"}", [])])
                self.judge(path, [test_of(world.series, judgements_of(schema, world, alerts)),
                                  nobody])

    def test_each_alert_of_the_server_likewise(self):
        path = os.path.join(RULES, "api.yaml")
        alerts = alerts_of(path)
        called, test = api_test(alerts)
        self.assertEqual(alerts, set(called))
        nobody = test_of([('up{job="other",instance="other:1"}', steady(1))],
                         [judged(firing("GpuMonitoringApiAbsent", "alertname"),
                                 [('{alertname="GpuMonitoringApiAbsent"}', 1)]),
                          judged("ALERTS{alertname!=\"GpuMonitoringApiAbsent\"}", [])])
        self.judge(path, [test, nobody])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
