#!/usr/bin/python3
"""scripts/run.sh with stubs for its programs: how it starts, fails and ends."""
import fcntl
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = {
    "gpu-monitoring-api": "build/bin",
    "gpu-exporter": "build/bin",
    "prometheus": ".run/tools/usr/bin",
    "promtool": ".run/tools/usr/bin",
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


def parent(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


def hears(pid):
    """Whether it catches each signal that may end a start."""
    with open("/proc/%d/status" % pid, encoding="utf-8") as status:
        caught = int(re.search(r"SigCgt:\s*(\w+)", status.read()).group(1), 16)
    return all(caught >> (number - 1) & 1
               for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))


class RunFixture(unittest.TestCase):
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
            "HISTORY": "0",
            "STUB_PIDS": self.pids,
        }

    def start(self, *arguments, **env):
        """Starts run.sh in a terminal of its own, as a user does."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.root)
            os.execve("/bin/bash", ["bash", "scripts/run.sh", *arguments],
                      {**self.env, **env})
        self.terminal = terminal
        self.addCleanup(self.end, pid)
        return pid

    def close_terminal(self):
        os.close(self.terminal)
        self.terminal = None

    def end(self, pid):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
        if self.terminal is not None:
            self.close_terminal()
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
        handle = os.pidfd_open(pid)
        ready, _, _ = select.select([handle], [], [], LIMIT_SECONDS)
        os.close(handle)
        self.assertTrue(ready, "it goes on")
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def running(self):
        """Every process that works in our folder, whoever started it."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid() and alive(int(entry)):
                try:
                    if os.readlink("/proc/%s/cwd" % entry) == os.path.realpath(self.root):
                        with open("/proc/%s/cmdline" % entry, encoding="utf-8") as words:
                            found.append(words.read().replace("\0", " "))
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    pass
        return found

    def slow_commands(self, names, slow):
        """A PATH on which those commands, where the shell condition `slow` holds, take a second to
        start, and the file that tells of the first that does."""
        folder = os.path.join(self.root, "slow")
        begun = os.path.join(self.root, "begun")
        os.mkdir(folder)
        for name in names:
            command = os.path.join(folder, name)
            with open(command, "w", encoding="utf-8") as script:
                script.write("#!/bin/sh\nif %s; then : >%s; /usr/bin/sleep 1; fi\n"
                             "exec %s \"$@\"\n" % (slow, begun, shutil.which(name, path="/usr/bin:/bin")))
            os.chmod(command, 0o755)
        return folder + ":/usr/bin:/bin", begun

    def await_file(self, path):
        end = time.monotonic() + LIMIT_SECONDS
        while not os.path.exists(path):
            self.assertLess(time.monotonic(), end, path + " did not come")
            time.sleep(0.005)

    def run_to_end(self, *arguments, **env):
        return subprocess.run(["/bin/bash", "scripts/run.sh", *arguments], cwd=self.root,
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


class RunTest(RunFixture):
    def test_prints_the_urls_when_the_first_data_is_there(self):
        self.start()
        shown = self.read_until("Ctrl-C ends everything")
        self.assertIn("waiting for the first data", shown)
        self.assertIn("http://localhost:%d/api/v1/gpu/metrics" % self.port, shown)
        self.assertIn("dashboard   http://localhost:%d/\n" % self.port, shown.replace("\r", ""))
        self.await_start("collect")
        self.assertEqual([name for name, _ in self.started()],
                         ["collect", "gpu-exporter", "gpu-monitoring-api", "prometheus"])

    def test_is_the_development_mode(self):
        self.start()
        self.read_until("Ctrl-C ends everything")
        server = self.record("gpu-monitoring-api")
        self.assertEqual(server["DEBUG_ENDPOINTS"], "true")
        self.assertEqual(server["TCMALLOC_SAMPLE_PARAMETER"], "131072")
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

    def test_a_child_that_does_not_hear_yet_is_told_to_end_when_it_does(self):
        # Until it runs its program a child ignores what the script ignores.
        path, begun = self.slow_commands(["setpriv"], "true")
        pid = self.start(PATH=path)
        self.await_file(begun)
        told = time.monotonic()
        os.write(self.terminal, b"\x03")
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        # Ten seconds after a word that it did not hear it would be killed.
        self.assertLess(time.monotonic() - told, 9)
        self.assertFalse([child for _, child in self.started() if alive(child)])

    def test_signals_are_heard_before_any_command_is_started(self):
        commands = ["cat", "cksum", "date", "dirname", "env", "find", "flock", "grep", "head",
                    "mkdir", "rm", "setpriv", "sleep", "timeout"]
        path, begun = self.slow_commands(commands, "[ ! -e %s ]" % os.path.join(self.root, "begun"))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                if os.path.exists(begun):
                    os.remove(begun)
                pid = self.start(PATH=path)
                self.await_file(begun)
                os.kill(pid, number)
                self.assertEqual(self.exit_code(pid), 0)
                self.assertEqual(self.running(), [])

    def test_a_signal_in_any_moment_of_the_first_ends_everything(self):
        # To the script alone, or to all that run in its terminal.
        for moment in range(12):
            number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[moment % 3]
            with self.subTest(moment):
                pid = self.start()
                end = time.monotonic() + LIMIT_SECONDS
                while not hears(pid):
                    self.assertLess(time.monotonic(), end, "it does not hear")
                time.sleep(moment * 0.01)
                (os.kill if moment % 2 else os.killpg)(pid, number)
                shown = self.read_until()
                self.assertEqual(self.exit_code(pid), 0, shown)
                self.assertNotIn("run.sh:", shown)
                self.assertEqual(self.running(), [])
                self.end(pid)

    def test_a_signal_before_the_server_is_started_from_prometheus_url_is_heard(self):
        path, begun = self.slow_commands(["setpriv"], "true")
        pid = self.start(PATH=path, PROMETHEUS_URL="http://127.0.0.1:1")
        self.await_file(begun)
        os.kill(pid, signal.SIGINT)
        self.assertEqual(self.exit_code(pid), 0)
        self.assertEqual(self.started(), [])

    def test_a_closed_terminal_ends_everything(self):
        pid = self.start()
        self.read_until("Ctrl-C ends everything")
        handles = self.watch()
        self.close_terminal()
        self.assertEqual(self.exit_code(pid), 0)
        self.assert_all_end(handles)

    def start_waiting(self, seconds):
        """A start that has waited so long for its first data, and what runs then. The sleep chooses
        the moment: nothing is waited for by it, and any moment has to do."""
        pid = self.start(STUB_PROMETHEUS="empty")
        self.read_until("waiting for the first data")
        time.sleep(seconds)
        return pid, self.watch()

    def test_a_terminal_closed_in_any_moment_of_the_waiting_ends_everything(self):
        # Nothing can be written any more, whatever is about to be.
        for moment in range(4):
            with self.subTest(moment):
                pid, handles = self.start_waiting(moment * 0.05)
                self.close_terminal()
                self.assertEqual(self.exit_code(pid), 0)
                self.assert_all_end(handles)

    def test_a_terminal_closed_while_the_server_starts_ends_everything(self):
        pid = self.start(STUB_GPU_MONITORING_API="hang")
        self.await_start("gpu-monitoring-api")
        handles = self.watch()
        self.close_terminal()
        self.assertEqual(self.exit_code(pid), 0)
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

    def test_ctrl_c_in_any_moment_of_the_waiting_ends_everything(self):
        # Most of the time is spent in short commands that Ctrl-C reaches as well.
        for moment in range(12):
            with self.subTest(moment):
                pid, handles = self.start_waiting(moment * 0.017)
                os.write(self.terminal, b"\x03")
                shown = self.read_until()
                self.assertEqual(self.exit_code(pid), 0, shown)
                self.assertNotIn("run.sh:", shown)
                self.assert_all_end(handles)
                self.end(pid)

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
        self.assert_one_clear_line(self.run_to_end(HISTORY="7d"), "HISTORY=7d")
        self.assert_one_clear_line(self.run_to_end(SEED="../../x"), "SEED=../../x")
        self.assert_one_clear_line(self.run_to_end(SEED="9999999999999999999"), "SEED=")
        self.assert_one_clear_line(self.run_to_end(SCRAPE_INTERVAL="often"), "SCRAPE_INTERVAL=")
        self.assert_one_clear_line(self.run_to_end(NODES="100000"), "100000 GPUs")

    def test_what_it_could_not_ask_its_server_by_is_one_clear_line(self):
        self.assert_one_clear_line(self.run_to_end(ALLOWED_HOSTS="foo.example"), "ALLOWED_HOSTS=")
        self.assert_one_clear_line(self.run_to_end(LISTEN_ADDR="[::1]"), "LISTEN_ADDR=")
        self.assertEqual(self.started(), [])

    def test_an_option_that_the_server_refuses_is_one_clear_line_before_anything_starts(self):
        self.assert_one_clear_line(self.run_to_end(STUB_BAD_OPTION="x"), "BAD_OPTION")
        self.assertEqual(self.started(), [])

    def test_a_child_that_cannot_start_ends_everything(self):
        for name in PROGRAMS:
            with self.subTest(name):
                result = self.run_to_end(HISTORY="1", **{"STUB_" + name.upper().replace("-", "_"): "die"})
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

    def test_a_child_that_a_signal_ends_at_its_start_is_one_clear_line(self):
        for name, child in (("gpu-exporter", "exporter"), ("prometheus", "prometheus"),
                            ("gpu-monitoring-api", "server")):
            with self.subTest(name):
                result = self.run_to_end(**{"STUB_" + name.upper().replace("-", "_"): "segv"})
                self.assert_one_clear_line(result, "run: %s ended with signal 11" % child)

    def test_a_child_that_is_killed_in_any_moment_of_the_waiting_is_one_clear_line(self):
        for moment in range(4):
            with self.subTest(moment):
                pid = self.start(STUB_PROMETHEUS="empty")
                self.read_until("waiting for the first data")
                time.sleep(moment * 0.05)
                handles = self.watch()
                for name, child in self.started():
                    if name == "gpu-exporter" and alive(child):
                        os.kill(child, signal.SIGKILL)
                shown = self.read_until()
                self.assertIn("run: exporter ended with signal 9; it said nothing", shown)
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


class PeersTest(RunFixture):
    """`make demo`: the stand-ins beside everything that `make run` starts."""

    def setUp(self):
        super().setUp()
        self.program = os.path.join(self.root, "build/bin/gpu-demo-peers")
        shutil.copy(os.path.join(HERE, "stub_program.py"), self.program)
        os.chmod(self.program, 0o755)

    def start_demo(self, **env):
        pid = self.start("--peers", **env)
        shown = self.read_until("Ctrl-C ends everything")
        self.await_start("collect")
        return pid, shown

    def test_plain_make_run_has_none(self):
        self.start()
        shown = self.read_until("Ctrl-C ends everything")
        self.await_start("collect")
        self.assertNotIn("(demo)", shown)
        self.assertNotIn("gpu-demo-peers", [name for name, _ in self.started()])
        for program in ("gpu-monitoring-api", "collect"):
            for variable in ("DSTACK_URL", "HAKURIVER_URL", "FLOW_GPUD_PORT"):
                self.assertEqual(self.record(program)[variable], "", program)

    def test_server_and_collector_are_told_of_the_stand_ins(self):
        _, shown = self.start_demo(NODES="3", GPUS_PER_NODE="2", SEED="9",
                                   HAKURIVER_URL="http://real.example")
        arguments = self.record("gpu-demo-peers")["arguments"]
        self.assertIn("--nodes 3 --gpus-per-node 2 --seed 9 --listen-addr 127.0.0.1", arguments)
        port = arguments.split()[-1]
        for program in ("gpu-monitoring-api", "collect"):
            record = self.record(program)
            self.assertEqual(record["DSTACK_URL"], "http://127.0.0.1:" + port)
            self.assertEqual(record["HAKURIVER_URL"], "http://127.0.0.1:" + port)
            self.assertEqual(record["FLOW_GPUD_BIND"], "127.0.0.1")
            self.assertEqual(record["FLOW_GPUD_PORT"], port)
        for line in ("curl http://localhost:%d/health (demo)" % self.port,
                     "HAKURIVER_URL=http://127.0.0.1:%s build/bin/gpuctl vps (demo)" % port,
                     "FLOW_GPUD_PORT=%s build/bin/gpuctl gpud get /v1/states (demo)" % port):
            self.assertIn(line, shown)

    def test_ctrl_c_ends_everything(self):
        pid, _ = self.start_demo()
        handles = self.watch()
        self.assertEqual(len(handles), 5)
        os.write(self.terminal, b"\x03")
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        self.assert_all_end(handles)
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run/demo", str(self.port))))

    def test_stand_ins_that_die_end_everything_with_one_clear_line(self):
        pid, _ = self.start_demo()
        handles = self.watch()
        os.kill(dict(self.started())["gpu-demo-peers"], signal.SIGKILL)
        shown = self.read_until()
        self.assertIn("run: peers ended with signal 9; it said nothing", shown)
        self.assertEqual(self.exit_code(pid), 1)
        self.assert_all_end(handles)

    def test_stand_ins_that_die_while_data_are_waited_for_end_everything(self):
        pid = self.start("--peers", STUB_PROMETHEUS="empty")
        self.read_until("waiting for the first data")
        os.kill(dict(self.started())["gpu-demo-peers"], signal.SIGKILL)
        self.assertIn("run: peers ended with signal 9", self.read_until())
        self.assertEqual(self.exit_code(pid), 1)

    def test_stand_ins_that_cannot_start_are_said_with_their_last_words(self):
        result = self.run_to_end("--peers", STUB_GPU_DEMO_PEERS="die")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the disk is on fire", result.stderr)
        self.assertIn("run: peers ended with exit code 1", result.stderr.splitlines()[-1])
        self.assertFalse([pid for _, pid in self.started() if alive(pid)])

    def test_a_missing_program_or_a_real_prometheus_is_one_clear_line(self):
        self.assert_one_clear_line(self.run_to_end("--peers", PROMETHEUS_URL="http://127.0.0.1:1"),
                                   "PROMETHEUS_URL", "make run")
        os.remove(self.program)
        self.assert_one_clear_line(self.run_to_end("--peers"), "gpu-demo-peers", "make build")
        self.assertEqual(self.started(), [])


class RealPeersTest(RunFixture):
    """What `make demo` really shows, by the programs as they were built."""

    PROGRAMS = {"gpu-monitoring-api": "build/bin", "gpu-exporter": "build/bin",
                "gpu-demo-peers": "build/bin", "gpuctl": "build/bin",
                "prometheus": ".run/tools/usr/bin", "promtool": ".run/tools/usr/bin"}

    def setUp(self):
        super().setUp()
        for name, folder in self.PROGRAMS.items():
            real = os.path.join(SOURCE, folder, name)
            if not os.access(real, os.X_OK):
                self.skipTest("%s is missing; make build" % real)
            program = os.path.join(self.root, folder, name)
            if os.path.exists(program):
                os.remove(program)
            os.symlink(real, program)

    def get(self, url):
        """The answer, whatever its status: (status, headers, text)."""
        try:
            with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def gpuctl(self, *arguments, **env):
        return subprocess.run([os.path.join(self.root, "build/bin/gpuctl"), *arguments],
                              env={"PATH": "/usr/bin:/bin", "HOME": self.root, **env}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=LIMIT_SECONDS)

    def test_every_stand_in_has_an_answer_that_says_demo_and_ctrl_c_leaves_nothing(self):
        pid = self.start("--peers", NODES="2", GPUS_PER_NODE="8")
        shown = self.read_until("Ctrl-C ends everything")
        url = re.search(r"HAKURIVER_URL=(http://127\.0\.0\.1:(\d+))", shown)
        server = "http://localhost:%d" % self.port

        status, _, text = self.get(server + "/health")
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["status"], "available")
        self.assertIn("(demo)", text)

        _, headers, text = self.get(url.group(1) + "/api/vps")
        self.assertEqual(headers["X-Demo"], "true")
        self.assertTrue(json.loads(text))
        task = json.loads(self.get(url.group(1) + "/api/tasks")[2])[0]["task_id"]
        self.assertIn("demo", self.get("%s/api/tasks/%s/stdout" % (url.group(1), task))[2])

        states = self.gpuctl("gpud", "get", "/v1/states", FLOW_GPUD_PORT=url.group(2))
        self.assertEqual(states.returncode, 0, states.stderr)
        self.assertIn('"demo":true', states.stdout)
        node = json.loads(self.get(url.group(1) + "/machine-info")[2])["hostname"]
        self.assert_stored(server, "gpud/" + node)

        children = [int(line) for line in subprocess.run(
            ["ps", "-o", "pid=", "-s", str(os.getsid(pid))], text=True, check=True,
            stdout=subprocess.PIPE).stdout.split()]
        self.assertGreater(len(children), 5)
        os.write(self.terminal, b"\x03")
        self.read_until()
        self.assertEqual(self.exit_code(pid), 0)
        self.assertFalse([child for child in children if alive(child)])
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run/demo", str(self.port))))

    def assert_stored(self, server, task):
        """The collector's first round comes with its start."""
        end = time.monotonic() + LIMIT_SECONDS
        while True:
            shown = self.gpuctl("health", "--task", task, "--history", "1", "--server", server)
            if shown.returncode == 0 and "Snapshots: 0" not in shown.stdout:
                break
            self.assertLess(time.monotonic(), end, shown.stdout + shown.stderr)
            time.sleep(0.5)
        self.assertIn("Health history of " + task, shown.stdout)


class HistoryTest(RunFixture):
    """What Prometheus is given before it starts."""

    def setUp(self):
        super().setUp()
        del self.env["HISTORY"]
        self.past = os.path.join(self.root, ".run/past/4-8-1")

    def records(self, program):
        found = []
        for name, pid in self.started():
            if name == program:
                with open(os.path.join(self.pids, "%s.%d" % (name, pid)), encoding="utf-8") as file:
                    found.append(dict(line.rstrip("\n").split("=", 1) for line in file))
        return found

    def pasts(self):
        """(from, to) of each text that was asked for, in order."""
        found = []
        for record in self.records("gpu-exporter"):
            words = record["arguments"].split()
            if "--past" in words:
                end = int(words[words.index("--past-end") + 1])
                length = words[words.index("--past") + 1]
                found.append((end - int(length.rstrip("s")), end))
        return sorted(found)

    def made(self, **env):
        """How many texts were made by one start, which is ended once Prometheus runs."""
        before = len(self.records("promtool"))
        pid = self.start(STUB_PROMETHEUS="empty", **env)
        self.read_until("waiting for the first data")
        os.write(self.terminal, b"\x03")
        shown = self.read_until()
        self.assertEqual(self.exit_code(pid), 0, shown)
        self.end(pid)
        return len(self.records("promtool")) - before

    def test_prometheus_starts_with_seven_days_of_the_same_fleet(self):
        self.start()
        shown = self.read_until("Ctrl-C ends everything")
        self.assertRegex(shown, r"making 7 days of history: \d+ %")
        pasts = self.pasts()
        self.assertGreater(len(pasts), 4)
        for (_, end), (begin, _) in zip(pasts, pasts[1:]):
            self.assertEqual(end, begin, "no gap, no overlap")
        self.assertAlmostEqual(pasts[-1][1] - pasts[0][0], 7 * 86400, delta=LIMIT_SECONDS)
        self.assertLess(pasts[-1][1], time.time())
        self.assertGreater(pasts[-1][1], time.time() - 300 - LIMIT_SECONDS)
        for record in self.records("gpu-exporter"):
            self.assertIn("--demo --nodes 4 --gpus-per-node 8 --seed 1", record["arguments"])
        prometheus = self.records("prometheus")[0]
        self.assertEqual(int(prometheus["blocks"]), len(pasts))
        self.assertIn("--storage.tsdb.retention.time=192h", prometheus["arguments"])

    def test_past_and_present_are_of_one_target(self):
        self.start(HISTORY="1")
        self.read_until("waiting for the first data")
        labels = self.records("gpu-exporter")[0]["arguments"]
        self.assertIn("--past-job gpu-exporter --past-instance demo", labels)
        path = os.path.join(self.root, ".run/demo", str(self.port), "prometheus.yml")
        with open(path, encoding="utf-8") as config:
            text = config.read()
        self.assertIn("job_name: gpu-exporter", text)
        self.assertIn("labels: {instance: demo}", text)
        self.assertIn("honor_labels: true", text)

    def test_a_later_start_makes_only_what_has_passed_since(self):
        whole = self.made()
        self.assertGreater(whole, 4)
        self.assertEqual(self.made(), 1)
        with open(os.path.join(self.past, "end"), encoding="utf-8") as file:
            self.assertEqual(self.pasts()[-1][0], int(file.read()))

    def test_another_fleet_exporter_length_or_day_is_made_afresh(self):
        self.made(HISTORY="2")
        self.assertEqual(self.made(HISTORY="2"), 1)
        self.assertEqual(self.made(HISTORY="2", SEED="2"), 2)
        self.assertEqual(self.made(HISTORY="3"), 2)
        with open(os.path.join(self.root, "build/bin/gpu-exporter"), "a", encoding="utf-8") as program:
            program.write("# another version\n")
        self.assertEqual(self.made(HISTORY="3"), 2)
        with open(os.path.join(self.past, "end"), "w", encoding="utf-8") as file:
            file.write("%d\n" % (time.time() - 86400))
        self.assertEqual(self.made(HISTORY="3"), 2)
        with open(os.path.join(self.past, "end"), "w", encoding="utf-8") as file:
            file.write("%d\n" % (time.time() + 3600))
        self.assertEqual(self.made(HISTORY="3"), 2, "the clock was set back")

    def test_none_where_none_is_wanted(self):
        self.assertEqual(self.made(HISTORY="0"), 0)
        self.assertFalse(os.path.exists(os.path.join(self.root, ".run/past")))
        self.assertIn("--storage.tsdb.retention.time=24h", self.records("prometheus")[0]["arguments"])

    def test_many_gpus_have_a_shorter_past_and_it_says_so(self):
        self.start(NODES="10")
        shown = self.read_until("waiting for the first data")
        self.assertRegex(shown, r"making 67 hours of history \(fewer for so many GPUs\): \d+ %")

    def test_a_fleet_too_large_for_any_says_so(self):
        self.start(NODES="1000")
        shown = self.read_until("waiting for the first data")
        self.assertIn("no history for so many GPUs; HISTORY=HOURS", shown)
        self.assertEqual(self.pasts(), [])

    def interrupt(self, act):
        """Ends a start while its history is made; all that it started ends too."""
        pid = self.start(STUB_PROMTOOL="hang")
        while not self.records("promtool"):
            self.read_until(" %")
        handles = self.watch()
        act(pid)
        code = self.exit_code(pid)
        self.assert_all_end(handles)
        self.assertFalse(os.path.exists(self.past))
        return code

    def test_ctrl_c_while_history_is_made_ends_everything_and_leaves_nothing(self):
        self.assertEqual(self.interrupt(lambda pid: os.write(self.terminal, b"\x03")), 0)
        self.assertEqual(os.listdir(os.path.join(self.root, ".run/past")), ["lock"])

    def test_a_terminal_closed_while_history_is_made_ends_everything_and_leaves_nothing(self):
        self.assertEqual(self.interrupt(lambda pid: self.close_terminal()), 0)
        self.assertEqual(os.listdir(os.path.join(self.root, ".run/past")), ["lock"])

    def interrupt_before_slices_are_watched(self, act):
        """Ends a start when the commands that make its history have not asked yet to be told of
        their parent's end."""
        path, begun = self.slow_commands(["setpriv"], 'case "$*" in *--slice*) ;; *) false ;; esac')
        pid = self.start(PATH=path)
        self.await_file(begun)
        act(pid)
        return self.exit_code(pid)

    def test_ctrl_c_leaves_no_part_of_the_making_that_has_only_been_started(self):
        code = self.interrupt_before_slices_are_watched(
            lambda pid: os.write(self.terminal, b"\x03"))
        self.assertEqual(self.running(), [])
        self.assertEqual(code, 0)
        self.assertEqual(os.listdir(os.path.join(self.root, ".run/past")), ["lock"])
        self.assertEqual(self.pasts(), [])

    def test_a_part_of_the_making_that_has_only_been_started_does_not_survive_a_killed_script(self):
        self.interrupt_before_slices_are_watched(lambda pid: os.kill(pid, signal.SIGKILL))
        end = time.monotonic() + LIMIT_SECONDS
        while self.running():
            self.assertLess(time.monotonic(), end, "something stayed behind")
            time.sleep(0.05)
        self.assertEqual(self.pasts(), [])

    def test_ctrl_c_in_any_moment_of_the_making_leaves_nothing(self):
        for moment in range(12):
            with self.subTest(moment):
                pid = self.start(STUB_PROMETHEUS="empty")
                self.read_until("making")
                time.sleep(moment * 0.04)
                os.write(self.terminal, b"\x03")
                shown = self.read_until()
                self.assertEqual(self.exit_code(pid), 0, shown)
                self.assertEqual(self.running(), [])
                self.assertIn(sorted(os.listdir(os.path.join(self.root, ".run/past"))),
                              [["lock"], ["4-8-1", "lock"]])
                self.assertEqual(os.listdir(os.path.join(self.root, ".run/demo")), [])
                shutil.rmtree(os.path.join(self.root, ".run/past"))
                self.end(pid)

    def test_a_making_of_history_that_is_killed_is_one_clear_line(self):
        pid = self.start(STUB_PROMTOOL="hang")
        while not self.records("promtool"):
            self.read_until(" %")
        handles = self.watch()
        making = parent(parent(dict(self.started())["promtool"]))
        os.kill(making, signal.SIGKILL)
        shown = self.read_until()
        self.assertIn("run: history ended with signal 9; it said nothing", shown)
        self.assertNotIn("Killed", shown)
        self.assertEqual(self.exit_code(pid), 1)
        self.assert_all_end(handles)

    def test_a_past_that_was_killed_half_way_is_made_again(self):
        self.interrupt(lambda pid: os.kill(pid, signal.SIGKILL))
        self.assertGreater(self.made(), 4)
        self.assertEqual(sorted(os.listdir(os.path.join(self.root, ".run/past"))), ["4-8-1", "lock"])

    def test_two_starts_at_once_take_turns(self):
        os.makedirs(os.path.join(self.root, ".run/past"))
        with open(os.path.join(self.root, ".run/past/lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.start(HISTORY="1")
            self.read_until("another make run makes history; waiting: 1 s")
            self.assertEqual(self.pasts(), [])
            fcntl.flock(lock, fcntl.LOCK_UN)
            self.read_until("waiting for the first data")

    def test_what_cannot_be_made_says_how_to_do_without(self):
        result = self.run_to_end(STUB_PROMTOOL="die")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the disk is on fire", result.stderr)
        self.assertIn("HISTORY=0 make run does without", result.stderr)
        self.assertIn("history ended with exit code 1", result.stderr.splitlines()[-1])
        self.assertEqual(os.listdir(os.path.join(self.root, ".run/past")), ["lock"])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=[sys.argv[0]] + sys.argv[1:])
