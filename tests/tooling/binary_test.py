#!/usr/bin/python3
"""The programs as the linker left them: what makes a fault in them harder to use for somebody else.

Usage: binary_test.py PROGRAM...
"""
import os
import re
import subprocess
import sys
import unittest

PROGRAMS = [os.path.abspath(path) for path in sys.argv[1:]]


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


class BinaryTest(unittest.TestCase):
    def each(self):
        self.assertTrue(PROGRAMS)
        for program in PROGRAMS:
            with self.subTest(os.path.basename(program)):
                yield program

    def test_runs_at_any_address(self):
        for program in self.each():
            self.assertRegex(readelf("-h", program), r"Type: +DYN \(Position-Independent Executable")

    def test_tables_of_the_linker_cannot_be_written_once_it_runs(self):
        for program in self.each():
            self.assertRegex(readelf("-l", program), r"(?m)^ +GNU_RELRO ")
            self.assertRegex(readelf("-d", program), r"BIND_NOW|FLAGS_1.*\bNOW\b")

    def test_no_memory_can_be_written_and_run(self):
        for program in self.each():
            segments = readelf("-l", program)
            self.assertRegex(segments, r"(?m)^ +GNU_STACK .* RW +0x")
            self.assertNotRegex(segments, r"(?m)^ +LOAD .* RWE ")

    def test_a_stack_that_was_written_over_is_noticed(self):
        for program in self.each():
            self.assertIn("__stack_chk_fail", readelf("--dyn-syms", program))

    def test_the_c_librarys_calls_check_sizes(self):
        for program in self.each():
            self.assertRegex(readelf("--dyn-syms", program), r"\b__(mem|str|vs?n?printf|fprintf|read|poll)\w*_chk")

    def test_libraries_are_the_systems(self):
        for program in self.each():
            self.assertNotRegex(readelf("-d", program), r"\((RPATH|RUNPATH)\)")

    def test_nobodys_paths_are_in_it(self):
        for program in self.each():
            with open(program, "rb") as file:
                found = re.findall(rb"/(?:home|root|work|builds?)/[\w./-]{3,}\.(?:cc|h)\b", file.read())
            self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
