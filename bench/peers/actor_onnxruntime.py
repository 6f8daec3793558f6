"""Python's onnxruntime: latency of a policy's inference, one thread, back to back or after a sleep to a fixed rate.

usage: python actor_onnxruntime.py --model actor.onnx --hz 100 --samples 1000
prints one line of JSON, microseconds.
"""

import argparse
import json
import time

import numpy
import onnxruntime

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--hz", type=float, default=0)
parser.add_argument("--samples", type=int, default=5000)
arguments = parser.parse_args()

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
observation = numpy.sin(numpy.arange(11, dtype=numpy.float32))[None]
for _ in range(500):
    session.run(None, {"observation": observation})
latencies = numpy.empty(arguments.samples)
deadline = time.perf_counter()
for i in range(arguments.samples):
    if arguments.hz > 0:
        deadline += 1 / arguments.hz
        time.sleep(max(0.0, deadline - time.perf_counter()))
    start = time.perf_counter()
    session.run(None, {"observation": observation})
    latencies[i] = time.perf_counter() - start
quantile = lambda share: float(numpy.quantile(latencies, share)) * 1e6
print(json.dumps(dict(version=onnxruntime.__version__, p50Us=quantile(0.5), p99Us=quantile(0.99), p999Us=quantile(0.999))))
