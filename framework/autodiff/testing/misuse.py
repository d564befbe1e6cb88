"""For tests: wrong declarations do not compile, and the compiler says why in one readable line.

A case is (name, declarations, line): what the compiler must say first of all, and alone; "" says
that it must compile. A test of it is

    class MisuseTest(misuse.MisuseTest):
        CASES = CASES
        PREFIX = '#include "framework/layers/any_layer.h"'
        SOURCE = "using namespace lamina; %s AnyLayer Make() { return AnyLayer(L()); }"
"""

import concurrent.futures
import os
import subprocess
import tempfile
import unittest


def compile_with(arguments):
    """Runs the compiler."""
    return subprocess.run(
        [os.environ.get("CXX", "g++"), "-std=c++20", "-I."] + arguments,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, LC_ALL="C"),
    )


def compiler_output(folder, number, source_text):
    """What the compiler says to a source file; "" when it compiles."""
    source = os.path.join(folder, "case%d.cc" % number)
    with open(source, "w", encoding="utf-8") as file:
        file.write(source_text)
    result = compile_with(
        ["-fsyntax-only", "-include", os.path.join(folder, "prefix.h"), source]
    )
    return result.stderr if result.returncode != 0 else ""


def outputs_of(sources, prefix_text):
    """The compiler's output for each source; the headers are read once, into a precompiled one."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "prefix.h")
        with open(prefix, "w", encoding="utf-8") as file:
            file.write(prefix_text)
        compile_with(["-x", "c++-header", prefix, "-o", prefix + ".gch"]).check_returncode()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(
                pool.map(
                    lambda i: compiler_output(folder, i, sources[i]),
                    range(len(sources)),
                )
            )


class MisuseTest(unittest.TestCase):
    CASES = []
    PREFIX = ""
    SOURCE = "%s"

    def test_each_case(self):
        sources = [self.SOURCE % declarations for _, declarations, _ in self.CASES]
        for (name, _, message), output in zip(self.CASES, outputs_of(sources, self.PREFIX)):
            with self.subTest(name):
                errors = [line for line in output.splitlines() if " error: " in line]
                if not message:
                    self.assertEqual(output, "")
                    continue
                self.assertTrue(errors, "it compiles")
                self.assertTrue(
                    errors[0].endswith("error: static assertion failed: " + message), output
                )
                self.assertLessEqual(len(errors), 1, output)
