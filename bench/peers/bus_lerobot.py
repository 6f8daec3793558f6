"""LeRobot's bus driver: one control cycle, a sync read of the positions and a sync write of the goals, back to back.

usage: python bus_lerobot.py --kind feetech --port /dev/pts/3 --servos 6 --baud 1000000 --cycles 2000
prints one line of JSON, microseconds.
"""

import argparse
import json
import time

parser = argparse.ArgumentParser()
parser.add_argument("--kind", choices=["feetech", "dynamixel"], required=True)
parser.add_argument("--port", required=True)
parser.add_argument("--echo", help="of the same rig, not used here")
parser.add_argument("--servos", type=int, default=6)
parser.add_argument("--baud", type=int, default=1_000_000)
parser.add_argument("--cycles", type=int, default=2000)
arguments = parser.parse_args()

from lerobot.motors import Motor, MotorNormMode

if arguments.kind == "feetech":
    from lerobot.motors.feetech import FeetechMotorsBus as Bus

    model = "sts3215"
else:
    from lerobot.motors.dynamixel import DynamixelMotorsBus as Bus

    model = "xl330-m288"

WARM_UP = 100
# Of what is not measured: it gives up after a few milliseconds, and a busy machine may take them.
RETRIES = 5

bus = Bus(arguments.port, {f"j{i}": Motor(i, model, MotorNormMode.DEGREES) for i in range(1, arguments.servos + 1)})
# Who is there is not what is measured, and its handshake asks each servo only once.
bus.connect(handshake=False)
bus.set_baudrate(arguments.baud)
bus.disable_torque(num_retry=RETRIES)
# Shortens the servos' return delay, as LeRobot's robots do.
for attempt in range(RETRIES):
    try:
        bus.configure_motors()
        break
    except (ConnectionError, RuntimeError):
        if attempt == RETRIES - 1:
            raise
bus.enable_torque(num_retry=RETRIES)
goals = bus.sync_read("Present_Position", normalize=False, num_retry=RETRIES)
cycles = []
lost = 0
start = time.perf_counter()
for i in range(-WARM_UP, arguments.cycles):
    try:
        bus.sync_read("Present_Position", normalize=False)
    except ConnectionError:
        lost += 1
    bus.sync_write("Goal_Position", goals, normalize=False)
    now = time.perf_counter()
    if i >= 0:
        cycles.append((now - start) * 1e6)
    start = now
bus.disable_torque(num_retry=RETRIES)
bus.disconnect()
cycles.sort()
quantile = lambda share: cycles[min(len(cycles) - 1, int(share * len(cycles)))]
print(json.dumps(dict(p50Us=quantile(0.5), p99Us=quantile(0.99), lostReads=lost)))
