"""How late a Python control loop wakes: time.sleep to absolute deadlines.

usage: python jitter_python.py --hz 100 --seconds 10
prints one line of JSON, microseconds.
"""

import argparse
import json
import time

parser = argparse.ArgumentParser()
parser.add_argument("--hz", type=float, required=True)
parser.add_argument("--seconds", type=float, default=10)
arguments = parser.parse_args()

period = 1 / arguments.hz
late = []
deadline = time.perf_counter() + period
for _ in range(int(arguments.hz * arguments.seconds)):
    time.sleep(max(0.0, deadline - time.perf_counter()))
    now = time.perf_counter()
    late.append((now - deadline) * 1e6)
    deadline += period
late.sort()
quantile = lambda share: late[min(len(late) - 1, int(share * len(late)))]
print(json.dumps(dict(p50Us=quantile(0.5), p99Us=quantile(0.99), p999Us=quantile(0.999), maxUs=late[-1])))
