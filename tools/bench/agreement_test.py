"""Both sides of every workload compute the same. Needs tools/setup --peers; without it only the
names of the workloads are compared. What oneDNN computes stands in onednn_calls_test.cc."""

import pathlib
import subprocess
import unittest

from tools.bench import compare, sides

_OURS = pathlib.Path("tools/bench/bench").absolute()


def _listed(*command: object) -> list[str]:
    return subprocess.run([*command, "--list"], capture_output=True, text=True,
                          check=True).stdout.split()


class AgreementTest(unittest.TestCase):

    def test_the_programs_have_what_is_compared(self) -> None:
        names = list(compare.WORKLOADS)
        self.assertEqual(_listed(_OURS), names)
        self.assertEqual(_listed(pathlib.Path("tools/bench/onednn").absolute()),
                         [name for name in names if name.endswith("_onednn")])
        small = sides.Ours(_OURS).small_names()
        self.assertIn("mlp_tiny_adam", small)
        self.assertEqual(len(small), len(set(small)))

    def test_both_sides_agree(self) -> None:
        try:
            peer = sides.find_peer(sides.peer_python())
        except sides.CompareError as error:
            self.skipTest(str(error))
        result = subprocess.run([*peer, "--agree", _OURS], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.stdout, "Both sides agree.\n", result.stderr)


if __name__ == "__main__":
    unittest.main()
