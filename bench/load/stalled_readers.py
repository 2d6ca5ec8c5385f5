#!/usr/bin/env python3
"""What clients cost that do not read the list they asked for.

usage: stalled_readers.py PORT PID      a running server on loopback, and its process

Prints the processor time of 5 s with 20 such clients and 100 GET /livez, and their latencies.
"""
import os
import socket
import sys
import time

READERS = 20
PROBES = 100


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetch(port, path):
    """Bytes received and seconds."""
    start = time.monotonic()
    size = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while block := client.recv(1 << 20):
            size += len(block)
    return size, time.monotonic() - start


def stall(port):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /api/v1/gpu/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return client


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    port, pid = int(sys.argv[1]), int(sys.argv[2])
    print(f"whole list: {fetch(port, '/api/v1/gpu/metrics')[0]} bytes")
    readers = [stall(port) for _ in range(READERS)]
    time.sleep(2)
    before = cpu_seconds(pid)
    latencies = []
    for _ in range(PROBES):
        latencies.append(fetch(port, "/livez")[1] * 1000)
        time.sleep(0.05)
    latencies.sort()
    print(f"{READERS} stalled readers: {cpu_seconds(pid) - before:.3f} s of processor time in 5 s; "
          f"/livez p50 {latencies[PROBES // 2]:.2f} ms, p99 {latencies[PROBES - 2]:.2f} ms")
    for reader in readers:
        reader.close()


main()
