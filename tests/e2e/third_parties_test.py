#!/usr/bin/python3
"""The real server asked by programs that others wrote: load generators, a gRPC client, validators
of formats, and pprof. None of them shares a line with us, so what they agree on is the protocol.

Usage: third_parties_test.py API EXPORTER PROMETHEUS [unittest's arguments]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from world import API, EXPORTER, LIMIT_SECONDS, PROMETHEUS, World, end_with_us, fetch

PROMTOOL = os.path.join(os.path.dirname(PROMETHEUS), "promtool")
OPENAPI_SCHEMA = "/usr/share/openapi-specification/schemas/v3.0/schema.json"
ROUTES = ("/livez", "/api/v1/gpu/metrics", "/api/v1/gpu/processes?limit=3", "/metrics")


def health_messages():
    """HealthCheckRequest and HealthCheckResponse of grpc.health.v1, as protoc would make them."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="health.proto", package="grpc.health.v1",
                                              syntax="proto3")
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    response = file.message_type.add(name="HealthCheckResponse")
    status = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        status.value.add(name=name, number=number)
    response.field.add(name="status", number=1, type=field.TYPE_ENUM, label=field.LABEL_OPTIONAL,
                       type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return [factory.GetPrototype(pool.FindMessageTypeByName("grpc.health.v1." + name))
            for name in ("HealthCheckRequest", "HealthCheckResponse")]


class ThirdPartiesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(DEBUG_ENDPOINTS="true", TCMALLOC_SAMPLE_PARAMETER="32768")
        cls.addClassCleanup(cls.world.stop)

    def run_tool(self, *command, stdin=None):
        if shutil.which(command[0]) is None:
            self.fail("%s is missing; scripts/deps.sh test installs it" % command[0])
        result = subprocess.run(command, input=stdin, stdin=None if stdin else subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=LIMIT_SECONDS, check=False)
        text = result.stdout.decode("utf-8", "replace")
        self.assertEqual(result.returncode, 0, "%s\n%s" % (" ".join(command), text))
        return text

    def number(self, pattern, text):
        found = re.search(pattern, text)
        self.assertIsNotNone(found, "no %s in:\n%s" % (pattern, text))
        return int(found[1])

    def test_ab(self):
        for route in ROUTES:
            for keep_alive in ([], ["-k"]):
                # -l: a list is longer or shorter than the one before.
                text = self.run_tool("ab", "-q", "-l", *keep_alive, "-n", "1000", "-c", "8",
                                     self.world.url(route))
                self.assertEqual(self.number(r"Complete requests: +(\d+)", text), 1000)
                self.assertEqual(self.number(r"Failed requests: +(\d+)", text), 0, text)
                self.assertNotIn("Non-2xx", text)

    def test_wrk(self):
        for route in ROUTES:
            text = self.run_tool("wrk", "-t", "2", "-c", "8", "-d", "1s", self.world.url(route))
            self.assertGreater(self.number(r"(\d+) requests in", text), 0)
            self.assertNotIn("Socket errors", text)
            self.assertNotIn("Non-2xx", text)

    def test_hey(self):
        for route in ROUTES:
            text = self.run_tool("hey", "-c", "8", "-z", "1s", self.world.url(route))
            self.assertEqual(re.findall(r"\[(\d{3})\]\s+\d+ responses", text), ["200"], text)
            self.assertNotIn("Error distribution", text)

    def test_h2load(self):
        for route in ROUTES:
            text = self.run_tool("h2load", "--h1", "-n", "2000", "-c", "8", self.world.url(route))
            self.assertIn("2000 succeeded, 0 failed, 0 errored, 0 timeout", text)
            self.assertIn("status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx", text)

    def test_grpc_client(self):
        import grpc

        request_type, response_type = health_messages()
        serving = response_type.ServingStatus.Value("SERVING")
        coding = {"request_serializer": request_type.SerializeToString,
                  "response_deserializer": response_type.FromString}
        with grpc.insecure_channel("127.0.0.1:%d" % self.world.grpc_port) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check", **coding)
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **coding)
            for service in ("", "readiness", "liveness"):
                asked = request_type(service=service)
                self.assertEqual(check(asked, timeout=LIMIT_SECONDS).status, serving, service)
                seen = watch(asked, timeout=LIMIT_SECONDS)
                self.assertEqual(next(seen).status, serving, service)
                seen.cancel()
            with self.assertRaises(grpc.RpcError) as unknown:
                check(request_type(service="nobody"), timeout=LIMIT_SECONDS)
            self.assertEqual(unknown.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_openapi_document(self):
        import jsonschema

        with open(OPENAPI_SCHEMA, encoding="utf-8") as file:
            validator = jsonschema.Draft4Validator(json.load(file))
        document = json.loads(fetch(self.world.url("/api/openapi.json")))
        errors = ["/".join(str(step) for step in error.absolute_path) + ": " + error.message[:300]
                  for error in validator.iter_errors(document)]
        self.assertEqual(errors, [])
        listed = json.loads(fetch(self.world.url("/api")))["data"]
        self.assertEqual({(row["path"], method.lower()) for row in listed
                          for method in row["methods"]},
                         {(path, method) for path, operations in document["paths"].items()
                          for method in operations})

    def test_promtool(self):
        # Around its GPUs a demo fleet has names of others, such as node_memory_MemTotal_bytes.
        alone = self.world.listening("exporter-alone", [EXPORTER, "--demo", "--surroundings", "gpu",
                                                        "--listen-addr", "127.0.0.1"])
        for url in (self.world.url("/metrics"), "http://127.0.0.1:%d/metrics" % alone):
            self.assertEqual(self.run_tool(PROMTOOL, "check", "metrics", stdin=fetch(url)), "", url)

    def profile(self, target):
        path = os.path.join(self.world.folder, "profile")
        with open(path, "wb") as file:
            file.write(fetch(self.world.url(target)))
        return path

    def busy_profile(self):
        with subprocess.Popen(["hey", "-z", "3s", "-c", "4", self.world.url("/api/v1/gpu/metrics")],
                              stdout=subprocess.DEVNULL, preexec_fn=end_with_us) as load:
            path = self.profile("/debug/pprof/profile?seconds=1")
            load.terminate()
        return path

    def test_google_pprof(self):
        text = self.run_tool("google-pprof", "--text", API, self.busy_profile())
        self.assertGreater(self.number(r"Total: (\d+) samples", text), 0)
        self.assertIn("gpumon::", text)
        self.run_tool("google-pprof", "--text", API, self.profile("/debug/pprof/heap"))

    @unittest.skipIf(shutil.which("go") is None, "go is not installed (80 MB, so deps.sh does not)")
    def test_go_tool_pprof(self):
        text = self.run_tool("go", "tool", "pprof", "-top", API, self.busy_profile())
        self.assertIn("flat%", text)
        text = self.run_tool("go", "tool", "pprof", "-top", API, self.profile("/debug/pprof/heap"))
        self.assertIn("flat%", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
