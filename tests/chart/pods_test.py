#!/usr/bin/python3
"""Every pod of the chart under the Pod Security Standard "restricted", what the exporter may need
beyond it by name, probes, and the checker itself.
"""
import copy
import unittest

import chart
import pod_security

GOOD = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [{
        "name": "c", "image": "x",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
    "volumes": [{"name": "v", "emptyDir": {}}]}

# Where in GOOD, the value there, what it breaks.
BAD = (
    (("hostNetwork",), True, ["hostNetwork"]),
    (("hostPID",), True, ["hostPID"]),
    (("hostIPC",), True, ["hostIPC"]),
    (("volumes", 0), {"name": "v", "hostPath": {"path": "/"}}, ["volume v"]),
    (("volumes", 0), {"name": "v", "nfs": {"server": "x", "path": "/"}}, ["volume v"]),
    (("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}],
     ["sysctl kernel.msgmax"]),
    (("securityContext", "runAsNonRoot"), False, ["runAsNonRoot"]),
    (("securityContext", "runAsUser"), 0, ["runAsUser"]),
    (("securityContext", "seccompProfile", "type"), "Unconfined", ["seccompProfile"]),
    (("securityContext", "seLinuxOptions"), {"type": "spc_t"}, ["seLinuxOptions"]),
    (("securityContext", "seLinuxOptions"), {"user": "system_u"}, ["seLinuxOptions"]),
    (("securityContext", "appArmorProfile"), {"type": "Unconfined"}, ["appArmorProfile"]),
    (("securityContext", "windowsOptions"), {"hostProcess": True}, ["hostProcess"]),
    (("securityContext",), {"runAsNonRoot": True}, ["c: seccompProfile"]),
    (("securityContext",), {"seccompProfile": {"type": "Localhost"}}, ["c: runAsNonRoot"]),
    (("securityContext",), None, ["c: runAsNonRoot", "c: seccompProfile"]),
    (("containers", 0, "securityContext", "privileged"), True, ["c: privileged"]),
    (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True,
     ["c: allowPrivilegeEscalation"]),
    (("containers", 0, "securityContext", "capabilities", "drop"), ["KILL"],
     ["c: capabilities.drop"]),
    (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"],
     ["c: capabilities.add"]),
    (("containers", 0, "securityContext", "procMount"), "Unmasked", ["c: procMount"]),
    (("containers", 0, "securityContext", "runAsUser"), 0, ["c: runAsUser"]),
    (("containers", 0, "securityContext", "runAsNonRoot"), False, ["c: runAsNonRoot"]),
    (("containers", 0, "securityContext", "seccompProfile"), {"type": "Unconfined"},
     ["c: seccompProfile"]),
    (("containers", 0, "securityContext"), {},
     ["c: allowPrivilegeEscalation", "c: capabilities.drop"]),
    (("containers", 0, "ports"), [{"containerPort": 80, "hostPort": 80}], ["c: hostPort"]),
    (("containers", 0, "livenessProbe"), {"httpGet": {"port": 80, "host": "127.0.0.1"}},
     ["c: host of a probe"]),
    (("containers", 0, "lifecycle"), {"preStop": {"tcpSocket": {"port": 80, "host": "x"}}},
     ["c: host of a probe"]),
    (("initContainers",), [{"name": "i", "securityContext": {"privileged": True}}],
     ["i: allowPrivilegeEscalation", "i: capabilities.drop", "i: privileged"]),
    (("ephemeralContainers",), [{"name": "e", "securityContext": {}}],
     ["e: allowPrivilegeEscalation", "e: capabilities.drop"]),
)
ALLOWED = (
    (("containers", 0, "securityContext", "capabilities", "add"), ["NET_BIND_SERVICE"]),
    (("securityContext", "sysctls"), [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]),
    (("volumes", 0), {"name": "v", "projected": {"sources": []}}),
    (("containers", 0, "ports"), [{"containerPort": 8080}]),
)

# All that the exporter may break, by the value that switches it on.
EXCEPTIONS = {
    "exporter.access.hostPID=true": ["hostPID"],
    "exporter.access.podResources.enabled=true": ["runAsNonRoot", "runAsUser",
                                                  "volume pod-resources"],
    "exporter.access.podLogs.enabled=true": ["volume pod-logs"],
    "exporter.access.hostUsers.enabled=true": ["volume users"],
    "exporter.access.hostDevices.enabled=true,exporter.runtimeClassName=": [
        "exporter: allowPrivilegeEscalation", "exporter: capabilities.drop", "exporter: privileged",
        "volume dev", "volume nvml"]}


def changed(path, value):
    pod = copy.deepcopy(GOOD)
    at = pod
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return pod


def probes(container):
    return {name: container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")
            if name in container}


class CheckerTest(unittest.TestCase):
    def test_a_good_pod_breaks_nothing(self):
        self.assertEqual(pod_security.violations(GOOD), [])
        for path, value in ALLOWED:
            self.assertEqual(pod_security.violations(changed(path, value)), [], path)

    def test_each_bad_pod_breaks_exactly_its_rule(self):
        for path, value, broken in BAD:
            with self.subTest(path=path, value=value):
                self.assertEqual(pod_security.violations(changed(path, value)), broken)


class PodsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.modes = dict(zip(map(chart.mode, chart.FILES), chart.in_parallel(
            lambda path: chart.render("--values", path), chart.FILES)))

    def test_every_pod_of_every_mode_is_restricted(self):
        pods = 0
        for mode, rendered in self.modes.items():
            for of, spec in chart.pod_specs(rendered):
                if mode == "everything" and of.startswith("DaemonSet"):
                    continue  # all exceptions at once: below, one by one
                self.assertEqual(pod_security.violations(spec), [], "%s of %s" % (of, mode))
                pods += 1
        self.assertGreaterEqual(pods, 3 * len(chart.FILES) - 2)

    def test_the_exporter_breaks_only_what_is_asked_for_one_by_one(self):
        for switch, broken in EXCEPTIONS.items():
            rendered = chart.render("--set", switch)
            found = {of.split("/")[0]: pod_security.violations(spec)
                     for of, spec in chart.pod_specs(rendered)}
            self.assertEqual(found, {"Deployment": [], "Pod": [], "DaemonSet": broken}, switch)

    def test_all_exceptions_together_are_the_sum(self):
        for of, spec in chart.pod_specs(self.modes["everything"]):
            if of.startswith("DaemonSet"):
                self.assertEqual(pod_security.violations(spec), sorted(sum(EXCEPTIONS.values(), [])))

    def test_no_pod_gets_a_token_or_a_writable_root(self):
        for mode, rendered in self.modes.items():
            for of, spec in chart.pod_specs(rendered):
                what = "%s of %s" % (of, mode)
                self.assertIs(spec["automountServiceAccountToken"], False, what)
                self.assertIs(spec["enableServiceLinks"], False, what)
                for container in spec["containers"]:
                    self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True, what)
                    self.assertIn("memory", container["resources"]["limits"], what)
                    self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]))

    def test_probes_ask_the_process_for_life_and_never_prometheus(self):
        for mode, rendered in self.modes.items():
            base = "/gpu" if mode == "everything" else ""
            for of, spec in chart.pod_specs(rendered):
                found = probes(spec["containers"][0])
                if of.startswith("Pod/"):
                    self.assertEqual(found, {})
                    continue
                self.assertLessEqual({"startupProbe", "livenessProbe", "readinessProbe"}, set(found),
                                     of)
                for probe in found.values():
                    self.assertGreaterEqual(probe["timeoutSeconds"], 1)
                if mode == "everything" and of.startswith("Deployment"):
                    self.assertEqual({name: probe["grpc"] for name, probe in found.items()}, {
                        "startupProbe": {"port": 8081, "service": "liveness"},
                        "livenessProbe": {"port": 8081, "service": "liveness"},
                        "readinessProbe": {"port": 8081, "service": "readiness"}})
                    continue
                paths = {name: probe["httpGet"]["path"] for name, probe in found.items()}
                prefix = base if of.startswith("Deploy") else ""
                self.assertEqual(paths, {"startupProbe": prefix + "/livez",
                                         "livenessProbe": prefix + "/livez",
                                         "readinessProbe": prefix + "/readyz"})

    def test_probes_follow_the_base_path(self):
        rendered = chart.render("--set", "api.basePath=/a/b")
        found = probes(chart.api_container(rendered))
        self.assertEqual([probe["httpGet"]["path"] for probe in found.values()],
                         ["/a/b/livez", "/a/b/livez", "/a/b/readyz"])

    def test_openshift_chooses_the_user_where_it_is_null(self):
        rendered = chart.render("--set", "api.runAsUser=null,exporter.runAsUser=null")
        for of, spec in chart.pod_specs(rendered):
            self.assertNotIn("runAsUser", spec["securityContext"], of)
            self.assertEqual(pod_security.violations(spec), [], of)


if __name__ == "__main__":
    chart.need(chart.HELM)
    unittest.main(verbosity=2)
