#!/usr/bin/python3
"""Values that the chart refuses, each with words that name it, and that its schema is closed."""
import json
import os
import re
import unittest

import chart

# What is set, and what the schema's refusal names: the place as /a/b, or the key that has none.
BAD = (
    ("nope=1", "nope"),
    ("api.replicsa=3", "replicsa"),
    ("api.replicas=-1", "/api/replicas"),
    ("api.replicas=two", "/api/replicas"),
    ("api.port=80", "/api/port"),
    ("api.port=70000", "/api/port"),
    ("api.logLevel=verbose", "/api/logLevel"),
    ("api.basePath=gpu", "/api/basePath"),
    ("api.basePath=/gpu/", "/api/basePath"),
    ("api.cacheTtl=2", "/api/cacheTtl"),
    ("api.cacheTtl=2 s", "/api/cacheTtl"),
    ("api.image.tag=a b", "/api/image/tag"),
    ("api.image.digest=sha256:12", "/api/image/digest"),
    ("api.image.repository=Gpu Monitoring", "/api/image/repository"),
    ("api.image.pullPolicy=Sometimes", "/api/image/pullPolicy"),
    ("api.probes.type=exec", "/api/probes/type"),
    ("api.probes.liveness.path=/api/healthz", "path"),
    ("api.probes.liveness.timeoutSeconds=0", "/api/probes/liveness/timeoutSeconds"),
    ("api.runAsUser=0", "/api/runAsUser"),
    ("api.service.type=ExternalName", "/api/service/type"),
    ("api.service.nodePort=80", "/api/service/nodePort"),
    ("api.processCommands=all", "/api/processCommands"),
    ("api.threads=0", "/api/threads"),
    ("api.allowedHosts={https://a}", "/api/allowedHosts/0"),
    ("api.corsAllowedOrigins={a.example}", "/api/corsAllowedOrigins/0"),
    ("api.gpuPrices[0].model=H100", "/api/gpuPrices/0"),
    ("api.gpuPrices[0].model=a\\,b,api.gpuPrices[0].price=1", "/api/gpuPrices/0/model"),
    ("api.extraEnv[0].name=A", "/api/extraEnv/0"),
    ("api.extraEnv[0].name=API_TOKEN,api.extraEnv[0].value=hunter2", "/api/extraEnv/0"),
    ("api.extraEnv[0].name=DB_PASSWORD,api.extraEnv[0].value=hunter2", "/api/extraEnv/0"),
    ("api.bearerTokenSecret.token=hunter2", "token"),
    ("api.resources.limits.memory=lots", "/api/resources/limits/memory"),
    ("api.resources.limit.memory=1Gi", "limit"),
    ("api.topologySpread.whenUnsatisfiable=Never", "/api/topologySpread/whenUnsatisfiable"),
    ("api.tolerations[0].effect=Never", "/api/tolerations/0/effect"),
    ("api.affinity.podAfinity.x=1", "podAfinity"),
    ("api.affinity.nodeAffinity.requiredDuringScheduling=1", "requiredDuringScheduling"),
    ("api.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].wait=1", "wait"),
    ("api.healthRules.foo=1", "foo"),
    ("api.healthRules.temperature_critical=hot", "/api/healthRules/temperature_critical"),
    ("api.healthRules.lost_factor=2", "/api/healthRules/lost_factor"),
    ("api.healthRules.ecc_corrected=no", "/api/healthRules/ecc_corrected"),
    ("api.schemas[0].name=x", "/api/schemas/0"),
    ("api.schemas[0].gpus=1", "gpus"),
    ("api.podLabels.a=b c", "/api/podLabels/a"),
    ("prometheus.url=", "/prometheus/url"),
    ("prometheus.url=prometheus:9090", "/prometheus/url"),
    ("prometheus.url=http://user:hunter2@prometheus", "/prometheus/url"),
    ("prometheus.url=http://prometheus/?a=b", "/prometheus/url"),
    ("prometheus.timeout=forever", "/prometheus/timeout"),
    ("prometheus.maxConcurrency=0", "/prometheus/maxConcurrency"),
    ("prometheus.gzip=yes", "/prometheus/gzip"),
    ("prometheus.headers.Authorization=Bearer hunter2", "Authorization"),
    ("prometheus.headers.X-Api-Key=hunter2", "X-Api-Key"),
    ("prometheus.headers.X Y=1", "X Y"),
    ("prometheus.bearerToken=hunter2", "bearerToken"),
    ("exporter.enabled=maybe", "/exporter/enabled"),
    ("exporter.privileged=true", "privileged"),
    ("exporter.access.podResources.path=relative", "/exporter/access/podResources/path"),
    ("exporter.maxUnavailable=0%", "/exporter/maxUnavailable"),
    ("monitor.enabled=yes", "/monitor/enabled"),
    ("monitor.kind=Probe", "/monitor/kind"),
    ("monitor.interval=0s", "/monitor/interval"),
    ("prometheusRule.schemas={a/b}", "/prometheusRule/schemas/0"),
    ("prometheusRule.additionalGroups[0].name=x", "/prometheusRule/additionalGroups/0"),
    ("dashboards.boards={cpu}", "/dashboards/boards/0"),
    ("ingress.hosts={a/b}", "/ingress/hosts/0"),
    ("networkPolicy.apiFrom[0].podselector.x=1", "podselector"),
    ("networkPolicy.exporterFrom[0].ipBlock.cidr=everywhere",
     "/networkPolicy/exporterFrom/0/ipBlock/cidr"),
    ("autoscaling.maxReplicas=0", "/autoscaling/maxReplicas"),
    ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"),
    ("extraObjects[0]=7", "/extraObjects/0"),
    ("fullnameOverride=Gpu_Monitoring", "/fullnameOverride"),
)

# What types cannot tell: values that contradict each other, and what the refusal says.
CONTRADICTIONS = (
    ("prometheus.headers.X-Scope-OrgID=a,prometheus.headersSecret.name=b", "headersSecret"),
    ("prometheus.caSecret.name=a,prometheus.caConfigMap.name=b", "caConfigMap"),
    ("prometheus.bearerTokenSecret.name=a,prometheus.basicAuthSecret.name=b", "basicAuthSecret"),
    ("api.probes.type=grpc,api.grpcPort=0", "api.grpcPort"),
    ("api.port=8081", "api.grpcPort"),
    ("api.drainDelay=1m", "terminationGracePeriodSeconds is 30"),
    ("prometheus.timeout=30s", "more than api.requestTimeout"),
    ("monitor.interval=10s,monitor.scrapeTimeout=20s", "more than monitor.interval"),
    ("prometheus.url=http://169.254.169.254", "link-local"),
    ("prometheus.url=http://[fe80::1]:9090", "link-local"),
    ("api.cacheTtl=1h", "10m at most"),
    ("api.basePath=/a/../b", "api.basePath"),
    ("prometheus.url=http://a:1\\,http://b:99999/x", "99999"),
    ("api.requestTimeout=26s", "may need 36 to end"),
    ("autoscaling.enabled=true,autoscaling.minReplicas=7", "autoscaling.minReplicas"),
    ("autoscaling.enabled=true,autoscaling.targetCPUUtilizationPercentage=0", "targets"),
    ("ingress.enabled=true", "ingress.hosts"),
    ("httpRoute.enabled=true", "httpRoute.parentRefs"),
    ("api.hakuriver.tokenSecret.name=a", "api.hakuriver.url"),
    ("exporter.access.hostDevices.enabled=true", "exporter.runtimeClassName"),
    ("prometheusRule.schemas={tpu}", "names tpu"),
    ("prometheusRule.disabledAlerts={GpuHott}", "names GpuHott"),
    ("global.imageRegistri=a", "global.imageRegistri is no value"),
    ("api.healthRules.temperature_warning=86", "(86) must not be above api.healthRules.temperature_critical (85)"),
    ("api.healthRules.utilization_high=0", "utilization_low (10) must not be above"),
    ("api.healthRules.memory_critical=89", "memory_warning (90) must not be above"),
    ("api.healthRules.healthy=59", "degraded (60) must not be above"),
)

# The nearest good values: the refusals above are of what they name.
GOOD = (
    "api.replicas=0", "api.basePath=/a/b.c", "api.cacheTtl=500ms",
    "prometheus.url=https://a:1/x\\,http://b", "prometheus.headers.X-Scope-OrgID=team",
    "api.extraEnv[0].name=A,api.extraEnv[0].value=b",
    "api.extraEnv[0].name=API_TOKEN,api.extraEnv[0].valueFrom.secretKeyRef.name=a,"
    "api.extraEnv[0].valueFrom.secretKeyRef.key=b",
    "monitor.enabled=false", "monitor.enabled=auto",
    "api.drainDelay=1m,api.terminationGracePeriodSeconds=75",
    "global.imageRegistry=a.example:5000/b,global.cattle.clusterId=c-1",
    "prometheusRule.disabledAlerts={GpuHot,GpuMonitoringApiDown}",
    "api.resources.limits.nvidia\\.com/gpu=1", "api.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
    "nodeSelectorTerms[0].matchExpressions[0].key=gpu,"
    "api.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
    "nodeSelectorTerms[0].matchExpressions[0].operator=Exists",
    "api.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1,"
    "api.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
    "podAffinityTerm.topologyKey=zone",
    "api.healthRules.temperature_critical=90,api.healthRules.ecc_corrected=ignore",
    "api.healthRules.temperature_warning=85,api.healthRules.utilization_low=0,"
    "api.healthRules.degraded=80,api.healthRules.memory_warning=0",
    "podDisruptionBudget.maxUnavailable=50%", "api.grpcPort=0",
)

# Where what stands inside is not the schema's to know: the globals of a parent chart (without a
# parent the templates refuse what is not this chart's), and objects of any kind.
OPEN = {"global", "extraObjects[]"}


def open_objects(part, path):
    """Paths of the schema's objects that take keys which it does not name."""
    if not isinstance(part, dict):
        return
    if "object" in part.get("type", ()) and part.get("additionalProperties", True) is True:
        yield path
    for name, below in part.get("properties", {}).items():
        yield from open_objects(below, path + "." + name if path else name)
    for name, below in part.get("definitions", {}).items():
        yield from open_objects(below, "definitions." + name)
    yield from open_objects(part.get("additionalProperties"), path + ".*")
    yield from open_objects(part.get("items"), path + "[]")
    for one in part.get("anyOf", []):
        yield from open_objects(one, path)


def keys_of(setting):
    return {row.split("=")[0] for row in setting.replace("\\,", "").split(",") if "=" in row}


def batches(rows):
    """Groups of rows that can be set at once, for Helm tells all that is wrong, and takes its time."""
    groups = []
    for row in rows:
        keys, word = keys_of(row[0]), row[1]
        for taken, words, group in groups:
            if not keys & taken and word not in words:
                break
        else:
            taken, words, group = set(), set(), []
            groups.append((taken, words, group))
        taken |= keys
        words.add(word)
        group.append(row)
    return [group for _, _, group in groups]


def names(errors, word):
    """Whether a line refuses this place, or a key of this name."""
    if word.startswith("/"):
        return any("at '%s':" % word in line and "validation failed" not in line
                   for line in errors.splitlines())
    return any("'%s'" % word in line and ("additional propert" in line or "propertyName" in line)
               for line in errors.splitlines())


class RefusalTest(unittest.TestCase):
    def test_bad_values_are_refused_with_words_that_name_them(self):
        self.assertGreaterEqual(len(BAD), 30)
        groups = batches(BAD)
        runs = chart.in_parallel(lambda group: chart.template(
            *(word for row in group for word in ("--set", row[0]))), groups)
        for group, run in zip(groups, runs):
            self.assertNotEqual(run.returncode, 0, group)
            for bad, word in group:
                with self.subTest(bad=bad):
                    self.assertTrue(names(run.stderr, word), run.stderr)

    def test_values_that_contradict_each_other_are_refused(self):
        runs = chart.in_parallel(lambda row: chart.template("--set", row[0]), CONTRADICTIONS)
        for (bad, word), run in zip(CONTRADICTIONS, runs):
            with self.subTest(bad=bad):
                self.assertNotEqual(run.returncode, 0, "was taken")
                self.assertIn(word, run.stderr)

    def test_a_refusal_does_not_tell_secrets_that_have_no_place(self):
        run = chart.template("--set", "prometheus.bearerToken=hunter2",
                             "--set", "api.bearerTokenSecret.token=hunter2")
        self.assertNotEqual(run.returncode, 0)
        self.assertNotIn("hunter2", run.stderr)

    def test_good_values_beside_them_are_taken(self):
        groups = batches([(good, good) for good in GOOD])
        runs = chart.in_parallel(lambda group: chart.template(
            *(word for good, _ in group for word in ("--set", good))), groups)
        for group, run in zip(groups, runs):
            self.assertEqual(run.returncode, 0, "%s: %s" % (group, run.stderr))

    def test_older_clusters_are_refused(self):
        run = chart.template(version="1.24")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("1.25", run.stderr)

    def test_the_schema_has_the_rules_that_the_server_has(self):
        with open(os.path.join(chart.CHART, "values.schema.json"), encoding="utf-8") as file:
            known = json.load(file)["properties"]["api"]["properties"]["healthRules"]["properties"]
        source = os.path.join(chart.SOURCE, "internal", "fleet", "health_rules.cc")
        with open(source, encoding="utf-8") as file:
            rows = re.findall(r'HealthRuleRow\{"(\w+)", &R::\w+, (-?\d+), (\d+)', file.read())
        self.assertEqual({name: (rule.get("minimum"), rule.get("maximum"))
                          for name, rule in known.items() if name != "ecc_corrected"},
                         {name: (int(low), int(high)) for name, low, high in rows})

    def test_the_order_of_rules_is_taken_of_the_servers_defaults(self):
        helpers = os.path.join(chart.CHART, "templates", "_helpers.tpl")
        with open(helpers, encoding="utf-8") as file:
            text = re.search(r'\$rules := dict (.*) -', file.read()).group(1)
        known = dict(re.findall(r'"(\w+)" (\d+)', text))
        fleet = os.path.join(chart.SOURCE, "internal", "fleet")
        with open(os.path.join(fleet, "health_rules.h"), encoding="utf-8") as file:
            defaults = dict(re.findall(r"double (\w+) = ([\d.]+);", file.read()))
        with open(os.path.join(fleet, "health_rules.cc"), encoding="utf-8") as file:
            pairs = file.read().split("Pair& pair")[1].split("continue")[0]
        self.assertEqual(known, {name: defaults[name] for name in re.findall(r'"(\w+)"', pairs)})

    def test_the_schema_names_every_key_but_what_is_not_the_charts(self):
        with open(os.path.join(chart.CHART, "values.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        self.assertEqual(set(open_objects(schema, "")), OPEN)


if __name__ == "__main__":
    chart.need(chart.HELM)
    unittest.main(verbosity=2)
