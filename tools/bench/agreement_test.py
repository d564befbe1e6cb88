"""Both sides of every workload compute the same. Needs tools/setup --peers; passes without it."""

import pathlib
import subprocess
import unittest

from tools.bench import sides


class AgreementTest(unittest.TestCase):

    def test_both_sides_agree(self) -> None:
        try:
            peer = sides.find_peer(sides.peer_python())
        except sides.CompareError as error:
            self.skipTest(str(error))
        ours = pathlib.Path("tools/bench/bench").absolute()
        result = subprocess.run([*peer, "--agree", ours], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.stdout, "Both sides agree.\n", result.stderr)


if __name__ == "__main__":
    unittest.main()
