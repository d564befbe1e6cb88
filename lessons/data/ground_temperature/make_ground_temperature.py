"""Makes ground_temperature.csv from a file of NOAA's SURFRAD network.

    python3 -m venv venv && venv/bin/pip install pvlib==0.10.5
    venv/bin/python make_ground_temperature.py

pvlib carries the file for its own tests: pvlib/data/surfrad-slv16001.dat, as NOAA wrote it. The
numbers are copied as they stand; see README.md for the columns.
"""

import importlib.resources
import pathlib

COLUMNS = {  # Name: place in a line of the file, counted from 0. The next number is its quality.
    "sun_down": 8,
    "sun_up": 10,
    "infrared_down": 16,
    "infrared_up": 22,
    "air": 38,
}
HOUR, MINUTE = 4, 5

source = importlib.resources.files("pvlib.data") / "surfrad-slv16001.dat"
lines = source.read_text().splitlines()[2:]
rows = [line.split() for line in lines]
assert len(rows) == 24 * 60
text = ["minute," + ",".join(COLUMNS)]
for i, row in enumerate(rows):
    assert 60 * int(row[HOUR]) + int(row[MINUTE]) == i
    assert all(row[c + 1] == "0" for c in COLUMNS.values()), "0 is good quality"
    text.append(",".join([str(i)] + [row[c] for c in COLUMNS.values()]))
pathlib.Path(__file__).with_name("ground_temperature.csv").write_text("\n".join(text) + "\n")
