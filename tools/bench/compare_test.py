import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from tools.bench import compare

# Both sides count their turns in one file; our median grows with the turn.
_OURS = """\
#!/usr/bin/python3
import json, os, sys
if sys.argv[1:] == ["--small", "--list"]:
    print("add_1k", "tanh_64k", "noisy", sep="\\n")
    sys.exit()
small = sys.argv[1] == "--small"
arguments = dict(zip(sys.argv[1 + small::2], sys.argv[2 + small::2]))
name, file = arguments.pop("--benchmark"), arguments.pop("--json")
if small:
    threads = int(os.environ["OMP_NUM_THREADS"])
    assert arguments == {"--seconds": "0.5"}, arguments
    open("turns", "a").write("%s %d\\n" % (name, threads))
    # The more threads, the slower; of what is larger, the faster.
    median_ms = 2.0 ** (threads - 1 if name == "add_1k" else 1 - threads)
    if name == "noisy":
        median_ms = [1.0, 4.0, 5.0, 6.0][len(open("turns").readlines()) % 4 - 1]
    json.dump([{"name": name, "first_ms": 9.0, "median_ms": median_ms, "peak_memory_bytes": 0}],
              open(file, "w"))
    sys.exit()
elements = arguments.pop("--elements", "")
assert not arguments, arguments
open("turns", "a").write("ours %s%s\\n" % (name, elements))
turn = len(open("turns").readlines())
json.dump([{"name": name, "first_ms": 9.0, "median_ms": float(turn), "peak_memory_bytes": 1 << 20}],
          open(file, "w"))
"""
# Compiled, its first call is slower while the folder for what was compiled is empty.
_PEER = """\
#!/usr/bin/python3
import json, os, sys
arguments = dict(zip(sys.argv[4::2], sys.argv[5::2]))
name, elements = arguments.pop("--benchmark"), arguments.pop("--elements", "")
variant, first_ms, median_ms = "channels_last", 50.0, 6.0
if "--compile" in arguments:
    assert arguments.pop("--compile") == variant
    if name == "conv_64_28_fwd":
        sys.exit("warning\\nno compiler\\n")
    cache = os.environ["TORCHINDUCTOR_CACHE_DIR"]
    first_ms, median_ms = 10.0 if os.listdir(cache) else 700.0, 4.5
    open(os.path.join(cache, "kernel"), "w")
    open("turns", "a").write("compiled %s\\n" % name)
else:
    open("turns", "a").write("peer %s%s\\n" % (name, elements))
assert not arguments, arguments
print(json.dumps({"peer": "PyTorch 9.9.9 (fastblas 3)", "threads": 2, "results": {
    name: {"first_ms": first_ms, "median_ms": median_ms, "peak_memory_bytes": 3 << 20,
           "variant": variant}}}))
"""
_ONEDNN = """\
#!/usr/bin/python3
import json, sys
if sys.argv[1] == "--compile":
    sys.exit("nothing to compile")
assert sys.argv[1] == "--benchmark" and len(sys.argv) == 3
open("turns", "a").write("onednn %s\\n" % sys.argv[2])
print(json.dumps({"peer": "oneDNN 8", "threads": 2, "results": {sys.argv[2]: {
    "first_ms": 1.0, "median_ms": 2.0, "peak_memory_bytes": 2 << 20, "variant": "Winograd"}}}))
"""


class CompareTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.write("bench", _OURS)
        self.write("python", _PEER)
        self.write("onednn", _ONEDNN)

    def write(self, name: str, text: str) -> None:
        pathlib.Path(name).write_text(text)
        os.chmod(name, 0o755)

    def run_compare(self, *arguments: str) -> tuple[int, str]:
        """The exit status and all that was printed."""
        text = io.StringIO()
        environment = {"BUILD_WORKING_DIRECTORY": os.getcwd(),
                       "XDG_CACHE_HOME": "/nowhere"}
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(text), \
                contextlib.redirect_stderr(text):
            try:
                status = compare.main(["--ours", "bench", "--onednn", "onednn", *arguments])
            except SystemExit as exit_status:
                status = int(str(exit_status.code))
        return status, text.getvalue()

    def test_one_workload_in_turns_with_the_ratio_of_the_medians(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "gemm_1024",
                                           "--json", "result.json")
        self.assertEqual(status, 0, printed)
        self.assertEqual(pathlib.Path("turns").read_text(),
                         "ours gemm_1024\npeer gemm_1024\ncompiled gemm_1024\n" * 3)
        # Our turns are the first, fourth and seventh: 1, 4 and 7 ms.
        self.assertEqual(json.loads(pathlib.Path("result.json").read_text()),
                         [{"name": "gemm_1024", "ours_ms": 4.0, "peer_ms": 6.0, "ratio": 1.5,
                           "goal": None, "spread": 1.5, "compiled_ms": 4.5, "ours_first_ms": 9.0,
                           "peer_first_ms": 50.0, "compiled_first_ms": 700.0,
                           "ours_peak_bytes": 1 << 20, "peer_peak_bytes": 3 << 20}])
        self.assertIn("PyTorch 9.9.9 (fastblas 3), 2 threads", printed)
        self.assertIn("The rounds of gemm_1024 lie more than 25% apart", printed)
        row = printed.splitlines()[-3].split()
        self.assertEqual(row, ["gemm_1024", "4.000", "6.000", "4.500", "1.50", "1.12", "150%",
                               "9.0", "50.0", "700", "1.0", "3.0", "channels_last"])

    def test_what_cannot_be_compiled_is_told(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "conv_64_28_fwd",
                                           "--json", "result.json")
        self.assertEqual(status, 0, printed)
        self.assertIn("Not compiled:\n  conv_64_28_fwd: no compiler\n", printed)
        self.assertIsNone(
            json.loads(pathlib.Path("result.json").read_text())[0]["compiled_ms"])
        row = [line for line in printed.splitlines() if line.startswith("conv_64_28_fwd")][0]
        self.assertEqual(row.split()[1:6], ["3.000", "6.000", "-", "2.00", "-"])

    def test_eager_alone(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "gemm_1024", "--eager")
        self.assertEqual(status, 0, printed)
        self.assertEqual(pathlib.Path("turns").read_text(), "ours gemm_1024\npeer gemm_1024\n" * 3)
        self.assertNotIn("Not compiled", printed)
        # The memory of both sides is there too.
        row = [line for line in printed.splitlines() if line.startswith("gemm_1024 ")][0]
        self.assertEqual(row.split()[-3:], ["1.0", "3.0", "channels_last"])
        self.assertRegex(printed, r"memory MiB\n.*Lamina +eager  peer's best variant\n")

    def test_onednn_is_a_peer_that_needs_no_pytorch(self) -> None:
        status, printed = self.run_compare("gemm_1024_onednn", "--json", "result.json")
        self.assertEqual(status, 0, printed)
        self.assertEqual(pathlib.Path("turns").read_text(),
                         "ours gemm_1024_onednn\nonednn gemm_1024_onednn\n" * 3)
        result = json.loads(pathlib.Path("result.json").read_text())[0]
        self.assertEqual((result["ours_ms"], result["peer_ms"], result["goal"]), (3.0, 2.0, 0.95))
        self.assertIn("peer: oneDNN 8, 2 threads", printed)
        self.assertIn("Not compiled:\n  gemm_1024_onednn: nothing to compile\n", printed)
        row = [line for line in printed.splitlines() if line.startswith("gemm_1024_onednn")][0]
        self.assertEqual(row.split(), ["gemm_1024_onednn", "3.000", "2.000", "-", "0.67", "-",
                                       "0.95", "133%", "9.0", "1.0", "-", "1.0", "2.0", "Winograd"])

    def test_each_workload_beside_its_peer(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "--rounds", "1", "--eager")
        self.assertEqual(status, 0, printed)
        turns = pathlib.Path("turns").read_text()
        self.assertIn("ours gemm_1024\npeer gemm_1024\nours gemm_1024_onednn\n"
                      "onednn gemm_1024_onednn\nours conv_64_28_fwd\npeer conv_64_28_fwd\n", turns)
        self.assertIn("peer: PyTorch 9.9.9 (fastblas 3), 2 threads", printed)

    def test_threads(self) -> None:
        with mock.patch("os.sched_getaffinity", return_value={3, 4, 5}):
            status, printed = self.run_compare("--threads", "--rounds", "2", "--json", "result.json")
        self.assertEqual(status, 0, printed)
        self.assertEqual(pathlib.Path("turns").read_text(),
                         "".join(f"{name} 1\n{name} 3\n" * 2
                                 for name in ("add_1k", "tanh_64k", "noisy")))
        self.assertEqual(json.loads(pathlib.Path("result.json").read_text()), [
            {"name": "add_1k", "one_thread_ms": 1.0, "all_threads_ms": 4.0, "ratio": 0.25,
             "spread": 0.0, "loses": True},
            {"name": "tanh_64k", "one_thread_ms": 1.0, "all_threads_ms": 0.25, "ratio": 4.0,
             "spread": 0.0, "loses": False},
            # Its rounds overlap: nothing can be said.
            {"name": "noisy", "one_thread_ms": 3.0, "all_threads_ms": 5.0, "ratio": 0.6,
             "spread": 4 / 3, "loses": False}])
        lines = printed.splitlines()
        self.assertEqual(lines[-5].split(), ["add_1k", "1.0000", "4.0000", "0.25", "0%", "slower"])
        self.assertEqual(lines[-4].split(), ["tanh_64k", "1.0000", "0.2500", "4.00", "0%"])
        self.assertEqual(lines[-1],
                         "Slower with 3 threads in all rounds, by more than 5%: add_1k.")

    def test_threads_of_one_workload(self) -> None:
        status, printed = self.run_compare("--threads", "tanh_64k", "--rounds", "1")
        self.assertEqual(status, 0, printed)
        self.assertNotIn("add_1k", pathlib.Path("turns").read_text())
        self.assertEqual(self.run_compare("--threads", "gemm_1024")[0], 2)

    def test_scaling(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "--scaling", "--rounds", "1",
                                           "--json", "result.json")
        self.assertEqual(status, 0, printed)
        rows = json.loads(pathlib.Path("result.json").read_text())
        self.assertEqual([row["elements"] for row in rows], [1024 * 4**i for i in range(9)])
        self.assertEqual(rows[1], {"elements": 4096, "ours_ms": 3.0, "peer_ms": 6.0, "ratio": 2.0})
        self.assertIn("ours srelu_grad67108864\npeer srelu_grad67108864\n",
                      pathlib.Path("turns").read_text())
        self.assertEqual(printed.splitlines()[-9].split(),
                         ["1024", "1.0000", "6.0000", "6.00", "976.562"])

    def test_all_workloads(self) -> None:
        status, printed = self.run_compare("--peer_python", "./python", "--rounds", "1",
                                           "--json", "result.json")
        self.assertEqual(status, 0, printed)
        names = [entry["name"] for entry in json.loads(pathlib.Path("result.json").read_text())]
        self.assertEqual(names, list(compare.WORKLOADS))
        self.assertNotIn("apart", printed)

    def test_without_the_peer(self) -> None:
        status, printed = self.run_compare()
        self.assertEqual(status, 1)
        self.assertEqual(printed, "PyTorch is not set up (/nowhere/lamina/peers/bin/python is "
                                  "missing); run: tools/setup --peers\n")
        self.assertFalse(pathlib.Path("turns").exists())

    def test_unknown_workload(self) -> None:
        status, printed = self.run_compare("gemm_9")
        self.assertEqual(status, 2)
        self.assertIn("gemm_1024", printed)

    def test_a_side_that_fails(self) -> None:
        self.write("python", "#!/bin/sh\necho no torch here >&2\nexit 4\n")
        status, printed = self.run_compare("--peer_python", "./python", "gemm_1024")
        self.assertEqual(status, 1)
        self.assertIn(f"gemm_1024: {os.getcwd()}/python ended with exit status 4:\nno torch here\n", printed)

    def test_a_side_that_prints_nonsense(self) -> None:
        for text, message in (("#!/bin/sh\necho hello\n", "printed no JSON"),
                              ("#!/bin/sh\necho '[]'\n", "printed no results"),
                              ("#!/bin/sh\necho '{\"results\": {}}'\n", "gave no first_ms")):
            with self.subTest(message):
                self.write("python", text)
                status, printed = self.run_compare("--peer_python", "./python", "gemm_1024")
                self.assertEqual(status, 1)
                self.assertIn(message, printed)
        self.write("bench", "#!/bin/sh\n")
        self.assertIn("printed no JSON", self.run_compare("--peer_python", "./python")[1])
        self.write("bench", "#!/bin/sh\necho '[{\"name\": \"other\"}]' > $4\n")
        self.assertIn("gave no first_ms", self.run_compare("--peer_python", "./python")[1])


if __name__ == "__main__":
    unittest.main()
