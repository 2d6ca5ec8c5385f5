#!/usr/bin/python3
"""Stands in for gpu-exporter, gpu-demo-peers, prometheus, promtool and gpu-monitoring-api, by the name it is
started as.

Serves what scripts/run.sh asks for on the port it is given. STUB_<NAME> makes it misbehave:
`die` ends at once, `segv` does so by SIGSEGV and in silence, `die-after-data` ends after the first data were fetched, `busy-once` claims the
first time that its port is taken, `empty` answers that there are no data, `hang` does nothing for ever.
Every start leaves a file <name>.<pid> in the folder STUB_PIDS.
"""
import http.server
import json
import os
import re
import resource
import signal
import sys

name = os.path.basename(sys.argv[0])
if sys.argv[1:] == ["--check-config"]:
    bad = os.environ.get("STUB_BAD_OPTION", "")
    sys.exit("%s: BAD_OPTION is not allowed" % name if bad else 0)
if sys.argv[1:] == ["collect"]:
    name = "collect"
behaviour = os.environ.get("STUB_" + name.upper().replace("-", "_"), "")
pids = os.environ["STUB_PIDS"]
starts = len([entry for entry in os.listdir(pids) if entry.startswith(name + ".")])
mark = "%s.%d" % (name, os.getpid())
# Whole or not at all: somebody waits for it.
with open(pids + "-" + mark, "w", encoding="utf-8") as record:
    for variable in ("PROMETHEUS_URL", "DEBUG_ENDPOINTS", "TCMALLOC_SAMPLE_PARAMETER",
                     "METRICS_DIR", "DSTACK_URL", "HAKURIVER_URL", "FLOW_GPUD_BIND",
                     "FLOW_GPUD_PORT"):
        record.write("%s=%s\n" % (variable, os.environ.get(variable, "")))
    record.write("arguments=%s\n" % " ".join(sys.argv[1:]))
    store = re.search(r"--storage.tsdb.path=(\S+)", " ".join(sys.argv[1:]))
    if store and os.path.isdir(store.group(1)):
        record.write("blocks=%d\n" % len(os.listdir(store.group(1))))
os.rename(record.name, os.path.join(pids, mark))

if behaviour == "die":
    sys.exit("%s: the disk is on fire" % name)
if behaviour == "segv":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)
if behaviour == "busy-once" and starts == 0:
    sys.exit("%s: listen tcp: bind: address already in use" % name)
if behaviour == "hang":
    signal.pause()

if name == "promtool":
    with open(sys.argv[-2], encoding="utf-8") as samples:
        if not samples.read().endswith("# EOF\n"):
            sys.exit("promtool: half a text")
    block = os.path.join(sys.argv[-1], "block-%d" % os.getpid())
    os.makedirs(block)
    with open(os.path.join(block, "meta.json"), "w", encoding="utf-8") as meta:
        meta.write("{}\n")
    sys.exit(0)
if "--past" in sys.argv:
    print("up 1 1\n# EOF")
    sys.exit(0)

if name == "collect":
    while True:
        signal.pause()
if name == "gpu-monitoring-api":
    port = int(os.environ["PORT"])
else:
    port = int(re.search(r"--port (\d+)|127\.0\.0\.1:(\d+)", " ".join(sys.argv[1:])).expand(r"\1\2"))


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if name == "prometheus":
            result = [] if behaviour == "empty" else [{"metric": {}, "value": [1, "1"]}]
            body = json.dumps({"data": {"result": result}}, separators=(",", ":")).encode()
        else:
            body = b'{"success":true,"data":[{"node_name":"a","gpu_index":0}]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if behaviour == "die-after-data":
            print("%s: the disk is on fire" % name, file=sys.stderr, flush=True)
            os._exit(7)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
