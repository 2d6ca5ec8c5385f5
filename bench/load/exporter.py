#!/usr/bin/env python3
"""What a scrape of gpu-exporter costs, with 8 GPUs and 100 processes of the fake NVML.

usage: exporter.py EXPORTER FAKE_NVML_LIBRARY [SCRAPES] [SECONDS]

Prints the latencies of SCRAPES scrapes, one after the other, the processor time of each, and the
share of a core that SECONDS with a scrape every 15 s take. The processes are real ones of this
machine (sleeping), so that users, commands, CPU and memory are read from /proc.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

GPUS = 8
PROCESSES = 100
INTERVAL = 15
BOARD = """gpu
name NVIDIA H100 80GB HBM3
uuid GPU-00000000-0000-0000-0000-00000000000{index}
bus 0 {bus} 0
memory 85520809984 655360000 42071490560 42949672960
utilization 83 41
temperature 61
power 512731
limit 700000
energy 918273645500
pstate 0
throttle 4
clock 1980 1980 2619
max_clock 1980 1980 2619
corrected 1 2
uncorrected 0 0
rows 0 0 0 0
encoder 0
decoder 0
replays 0
field 82 70
field 91 18
field 38 0
field 138 1000000
field 139 1000000
field 197 5000000000
field 198 6000000000
mig 0
events
"""


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scrape(port):
    """Seconds and bytes."""
    start = time.monotonic()
    size = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while block := client.recv(1 << 20):
            size += len(block)
    return time.monotonic() - start, size


def wait_for_port(path):
    while not os.path.exists(path):
        time.sleep(0.01)
    with open(path, encoding="ascii") as file:
        return int(file.read())


def script_of(pids):
    text = "driver 570.86.15\ncuda 12080\n"
    for pid in pids:
        text += f"command {pid} /usr/bin/python train.py\n"
    for index in range(GPUS):
        text += BOARD.format(index=index, bus=16 + index)
        for pid in pids[index::GPUS]:
            text += f"compute {pid} 1073741824\n"
    return text


def measure(port, pid, scrapes, seconds):
    scrape(port)
    before = cpu_seconds(pid)
    taken = [scrape(port) for _ in range(scrapes)]
    cpu = cpu_seconds(pid) - before
    times = sorted(1000 * one[0] for one in taken)
    print(f"{scrapes} scrapes of {taken[-1][1]} bytes: p50 {times[len(times) // 2]:.2f} ms, "
          f"p99 {times[len(times) * 99 // 100]:.2f} ms, most {times[-1]:.2f} ms; "
          f"{1000 * cpu / scrapes:.2f} ms of CPU each, which every {INTERVAL} s are "
          f"{100 * cpu / scrapes / INTERVAL:.3f} % of a core")
    if seconds == 0:
        return
    before = cpu_seconds(pid)
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        scrape(port)
        time.sleep(INTERVAL)
    share = 100 * (cpu_seconds(pid) - before) / (time.monotonic() - begin)
    print(f"a scrape every {INTERVAL} s for {time.monotonic() - begin:.0f} s: {share:.2f} % of a "
          "core, the questions for XID errors between them included")


def main():
    exporter, library = sys.argv[1:3]
    scrapes = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 120
    sleepers = [subprocess.Popen(["sleep", "3600"]) for _ in range(PROCESSES)]
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="ascii") as file:
            file.write(script_of([one.pid for one in sleepers]))
        port_file = os.path.join(folder, "port")
        program = subprocess.Popen(
            [exporter, "--nvml-library", library, "--listen-addr", "127.0.0.1", "--port", "0",
             "--port-file", port_file, "--log-level", "error"],
            env={**os.environ, "FAKE_NVML_SCRIPT": script})
        try:
            measure(wait_for_port(port_file), program.pid, scrapes, seconds)
        finally:
            program.terminate()
            program.wait()
            for one in sleepers:
                one.kill()
                one.wait()


if __name__ == "__main__":
    main()
