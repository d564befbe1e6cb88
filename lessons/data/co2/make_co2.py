"""Makes monthly.csv from the weekly file of Debian's package python3-statsmodels.

    make_co2.py /usr/lib/python3/dist-packages/statsmodels/datasets/co2/co2.csv

A month is the mean of its weekly values; a month without any is filled in on a straight line
between its neighbours.
"""

import csv
import pathlib
import sys


def main(path: str) -> None:
    weeks: dict[tuple[int, int], list[float]] = {}
    with open(path, encoding="ascii") as file:
        for row in csv.DictReader(file):
            month = int(row["date"][:4]), int(row["date"][4:6])
            weeks.setdefault(month, [])
            if row["co2"]:
                weeks[month].append(float(row["co2"]))
    first, last = min(weeks), max(weeks)
    months = [(y, m) for y in range(first[0], last[0] + 1) for m in range(1, 13)
              if first <= (y, m) <= last]
    values = [sum(weeks[m]) / len(weeks[m]) if weeks.get(m) else None for m in months]
    known = [i for i, v in enumerate(values) if v is not None]
    for i, value in enumerate(values):
        if value is None:
            a, b = max(k for k in known if k < i), min(k for k in known if k > i)
            values[i] = values[a] + (values[b] - values[a]) * (i - a) / (b - a)
    lines = [f"{y},{m},{v:.2f}" for (y, m), v in zip(months, values)]
    pathlib.Path(__file__).with_name("monthly.csv").write_text(
        "year,month,ppm\n" + "\n".join(lines) + "\n", encoding="ascii")
    print(len(months), "months,", len(months) - len(known), "of them filled in")


if __name__ == "__main__":
    main(sys.argv[1])
