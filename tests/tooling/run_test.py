#!/usr/bin/python3
"""scripts/run.sh with stubs for the three programs: how it starts, fails and ends."""
import os
import pty
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = {
    "gpu-monitoring-api": "build/bin",
    "gpu-exporter": "build/bin",
    "prometheus": ".run/tools/usr/bin",
}
LIMIT_SECONDS = 60


def free_port():
    """Outside the range that tests running beside this one get for port 0."""
    while True:
        port = random.randrange(10000, 20000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class RunTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="run_test.")
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(os.path.join(SOURCE, "scripts"), os.path.join(self.root, "scripts"))
        for name, folder in PROGRAMS.items():
            os.makedirs(os.path.join(self.root, folder), exist_ok=True)
            program = os.path.join(self.root, folder, name)
            shutil.copy(os.path.join(HERE, "stub_program.py"), program)
            os.chmod(program, 0o755)
        self.pids = os.path.join(self.root, "pids")
        os.mkdir(self.pids)
        self.port = free_port()
        self.env = {
            "PATH": "/usr/bin:/bin",
            "PORT": str(self.port),
            "GRPC_HEALTH_PORT": "0",
            "STUB_PIDS": self.pids,
        }

    def start(self, **env):
        """Starts run.sh in a terminal of its own, as a user does."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.root)
            os.execve("/bin/bash", ["bash", "scripts/run.sh"], {**self.env, **env})
        self.terminal = terminal
        self.addCleanup(self.end, pid)
        return pid

    def end(self, pid):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None
        for _, child in self.started():
            if alive(child):
                os.kill(child, signal.SIGKILL)

    def read_until(self, text=None):
        """What the terminal shows until `text`, or until nobody writes to it any more."""
        shown = b""
        while text is None or text.encode() not in shown:
            ready, _, _ = select.select([self.terminal], [], [], LIMIT_SECONDS)
            self.assertTrue(ready, "nothing came after: " + shown.decode())
            try:
                chunk = os.read(self.terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        if text is not None:
            self.assertIn(text, shown.decode())
        return shown.decode()

    def started(self):
        return sorted((entry.rsplit(".", 1)[0], int(entry.rsplit(".", 1)[1]))
                      for entry in os.listdir(self.pids))

    def await_start(self, program):
        end = time.monotonic() + LIMIT_SECONDS
        while program not in [name for name, _ in self.started()]:
            self.assertLess(time.monotonic(), end, program + " was not started")
            time.sleep(0.02)

    def record(self, program):
        names = [entry for entry in os.listdir(self.pids) if entry.startswith(program + ".")]
        with open(os.path.join(self.pids, names[-1]), encoding="utf-8") as record:
            return dict(line.rstrip("\n").split("=", 1) for line in record)

    def watch(self):
        """Handles that tell the end of every stub that runs now."""
        return [os.pidfd_open(pid) for _, pid in self.started() if alive(pid)]

    def assert_all_end(self, handles):
        for handle in handles:
            ready, _, _ = select.select([handle], [], [], LIMIT_SECONDS)
            os.close(handle)
            self.assertTrue(ready, "a child stayed behind")

    def exit_code(self, pid):
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def run_to_end(self, **env):
        return subprocess.run(["/bin/bash", "scripts/run.sh"], cwd=self.root,
                              env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_SECONDS, check=False)

    def assert_one_clear_line(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertFalse([pid for _, pid in self.started() if alive(pid)])

    def test_prints_the_urls_when_the_first_data_is_there(self):
        self.start()
        shown = self.read_until("Ctrl-C ends everything")
        self.assertIn("waiting for the first data", shown)
        self.assertIn("http://localhost:%d/api/v1/gpu/metrics" % self.port, shown)
        self.await_start("collect")
        self.assertEqual([name for name, _ in self.started()],
                         ["collect", "gpu-exporter", "gpu-monitoring-api", "prometheus"])

    def test_is_the_development_mode(self):
        self.start()
        self.read_until("Ctrl-C ends everything")
        server = self.record("gpu-monitoring-api")
        self.assertEqual(server["DEBUG_ENDPOINTS"], "true")
        self.assertEqual(server["TCMALLOC_SAMPLE_PARAMETER"], "32768")
        self.assertRegex(server["PROMETHEUS_URL"], r"^http://127\.0\.0\.1:\d+$")

    def test_stores_snapshots_below_its_own_folder(self):
        self.start()
        self.read_until("Ctrl-C ends everything")
        self.await_start("collect")
        collect = self.record("collect")
        folder = os.path.join(self.root, ".run/demo", str(self.port), "metrics")
        self.assertEqual(os.path.realpath(collect["METRICS_DIR"]), os.path.realpath(folder))
        self.assertEqual(self.record("gpu-monitoring-api")["METRICS_DIR"], collect["METRICS_DIR"])
        self.assertRegex(collect["PROMETHEUS_URL"], r"^http://127\.0\.0\.1:\d+$")

    def test_collects_nothing_when_monitoring_is_off(self):
        self.start(FLOW_HEALTH_MONITORING="false")
        self.read_until("Ctrl-C ends everything")
        self.assertNotIn("collect", [name for name, _ in self.started()])

    def test_passes_the_size_of_the_fleet_to_the_exporter(self):
        self.start(NODES="3", GPUS_PER_NODE="2", SEED="9")
        self.read_until("3 nodes of 2 synthetic GPUs")
        self.assertIn("--demo --nodes 3 --gpus-per-node 2 --seed 9",
                      self.record("gpu-exporter")["arguments"])

    def test_ctrl_c_ends_everything(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        self.await_start("collect")
        handles = self.watch()
        self.assertEqual(len(handles), 4)
        os.write(self.terminal, b"\x03")
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        self.assert_all_end(handles)

    def test_sigterm_ends_everything(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        handles = self.watch()
        os.kill(pid, signal.SIGTERM)
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        self.assert_all_end(handles)
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run/demo", str(self.port))))

    def test_a_closed_terminal_ends_everything(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        handles = self.watch()
        os.close(self.terminal)
        self.terminal = None
        self.exit_code(pid)
        self.assert_all_end(handles)

    def test_children_end_when_the_script_is_killed(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        handles = self.watch()
        os.kill(pid, signal.SIGKILL)
        self.exit_code(pid)
        self.assert_all_end(handles)

    def test_ctrl_c_while_waiting_ends_everything(self):
        pid = self.start(STUB_PROMETHEUS="empty")
        self.read_until("waiting for the first data: 1 s")
        handles = self.watch()
        os.write(self.terminal, b"\x03")
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        self.assert_all_end(handles)

    def test_a_port_in_use_is_one_clear_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.assert_one_clear_line(self.run_to_end(PORT=port), "port " + port, "in use", "PORT=")
            self.assert_one_clear_line(self.run_to_end(GRPC_HEALTH_PORT=port), "port " + port,
                                       "in use", "GRPC_HEALTH_PORT=")
        self.assertEqual(self.started(), [])

    def test_a_missing_program_is_one_clear_line(self):
        for name, folder in PROGRAMS.items():
            with self.subTest(name):
                program = os.path.join(self.root, folder, name)
                os.rename(program, program + ".away")
                self.assert_one_clear_line(self.run_to_end(), name, "missing", "make ")
                os.rename(program + ".away", program)
        self.assertEqual(self.started(), [])

    def test_a_wrong_number_is_one_clear_line(self):
        self.assert_one_clear_line(self.run_to_end(NODES="many"), "NODES=many")
        self.assert_one_clear_line(self.run_to_end(GPUS_PER_NODE="0"), "GPUS_PER_NODE=0")
        self.assert_one_clear_line(self.run_to_end(PORT="99999"), "PORT=99999")
        self.assert_one_clear_line(self.run_to_end(PORT="0"), "PORT=0")

    def test_a_child_that_cannot_start_ends_everything(self):
        for name in PROGRAMS:
            with self.subTest(name):
                result = self.run_to_end(**{"STUB_" + name.upper().replace("-", "_"): "die"})
                self.assertEqual(result.returncode, 1)
                self.assertIn("the disk is on fire", result.stderr)
                self.assertRegex(result.stderr.splitlines()[-1], r"^run: \w+ ended with exit code 1")
                self.assertFalse([pid for _, pid in self.started() if alive(pid)])

    def test_a_child_that_dies_later_ends_everything(self):
        result = self.run_to_end(STUB_GPU_MONITORING_API="die-after-data")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the disk is on fire", result.stderr)
        self.assertIn("server ended with exit code 7", result.stderr.splitlines()[-1])
        self.assertFalse([pid for _, pid in self.started() if alive(pid)])

    def test_a_child_that_is_killed_is_one_clear_line(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        handles = self.watch()
        os.kill(dict(self.started())["prometheus"], signal.SIGKILL)
        shown = self.read_until()
        self.assertIn("run: prometheus ended with signal 9", shown)
        self.assertNotIn("Killed", shown)
        self.assertEqual(self.exit_code(pid), 1)
        self.assert_all_end(handles)

    def test_a_port_taken_meanwhile_is_tried_again(self):
        self.start(STUB_PROMETHEUS="busy-once")
        self.read_until("Ctrl-C ends everything")
        self.assertEqual([name for name, _ in self.started()].count("prometheus"), 2)

    def test_prometheus_url_starts_only_the_server(self):
        pid = self.start(PROMETHEUS_URL="http://127.0.0.1:1")
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", self.port)) != 0:
                self.assertTrue(alive(pid))
        self.assertEqual([name for name, _ in self.started()], ["gpu-monitoring-api"])
        self.assertEqual(self.record("gpu-monitoring-api")["PROMETHEUS_URL"], "http://127.0.0.1:1")


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=[sys.argv[0]] + sys.argv[1:])
