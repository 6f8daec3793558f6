"""The floor: how late cyclictest (Debian package rt-tests) wakes, with real-time priority and locked memory. Needs root.

usage: python jitter_cyclictest.py --hz 100 --seconds 10
prints one line of JSON, microseconds.
"""

import argparse
import json
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--hz", type=float, required=True)
parser.add_argument("--seconds", type=float, default=10)
arguments = parser.parse_args()

loops = int(arguments.hz * arguments.seconds)
command = ["cyclictest", "-m", "-p", "80", "-i", str(int(1e6 / arguments.hz)), "-l", str(loops), "-q", "-h", "100000"]
try:
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
except FileNotFoundError:
    sys.exit("cyclictest is not installed: apt install rt-tests")
# "000012 000034" is 34 wake-ups that were 12 µs late.
counts = [tuple(map(int, line.split())) for line in out.splitlines() if line and line[0].isdigit()]
late = [us for us, count in counts for _ in range(count)]
quantile = lambda share: late[min(len(late) - 1, int(share * len(late)))]
print(json.dumps(dict(p50Us=quantile(0.5), p99Us=quantile(0.99), p999Us=quantile(0.999), maxUs=late[-1])))
