"""LeRobot's bus driver: one control cycle, back to back: a sync read of the positions, or one each of all that ours reads at once (it
reads one register at a time), and a sync write of the goals.

usage: python bus_lerobot.py --kind feetech --port /dev/pts/3 --servos 6 --baud 1000000 --cycles 2000 --reads all
prints one line of JSON, microseconds.
"""

import argparse
import json
import time

parser = argparse.ArgumentParser()
parser.add_argument("--kind", choices=["feetech", "dynamixel"], required=True)
parser.add_argument("--port", required=True)
for other in ["--echo", "--paced"]:
    parser.add_argument(other, help="of the same rig, not used here")
parser.add_argument("--servos", type=int, default=6)
parser.add_argument("--baud", type=int, default=1_000_000)
parser.add_argument("--cycles", type=int, default=2000)
parser.add_argument("--reads", choices=["all", "position"], default="all")
arguments = parser.parse_args()

from lerobot.motors import Motor, MotorNormMode

if arguments.kind == "feetech":
    from lerobot.motors.feetech import FeetechMotorsBus as Bus

    model = "sts3215"
    others = ["Present_Velocity", "Present_Load", "Present_Voltage", "Present_Temperature"]
else:
    from lerobot.motors.dynamixel import DynamixelMotorsBus as Bus

    model = "xl330-m288"
    others = ["Present_Velocity", "Present_Current", "Present_Input_Voltage", "Present_Temperature"]

WARM_UP = 1000
ATTEMPTS = 20
# Its SDK ends in the last one where a reply is cut off.
FAILURES = (ConnectionError, RuntimeError, IndexError)


def patiently(step):
    """Of what is not measured: it gives up after a few milliseconds, and a busy machine may stop the rig for longer."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return step()
        except FAILURES:
            if attempt == ATTEMPTS:
                raise


bus = Bus(arguments.port, {f"j{i}": Motor(i, model, MotorNormMode.DEGREES) for i in range(1, arguments.servos + 1)})
# Who is there is not what is measured, and its handshake asks each servo only once.
bus.connect(handshake=False)
bus.set_baudrate(arguments.baud)
patiently(bus.disable_torque)
# Shortens the servos' return delay, as LeRobot's robots do.
patiently(bus.configure_motors)
patiently(bus.enable_torque)
goals = patiently(lambda: bus.sync_read("Present_Position", normalize=False))
reads = ["Present_Position", *(others if arguments.reads == "all" else [])]
cycles = []
lost = 0
start = time.perf_counter()
for i in range(-WARM_UP, arguments.cycles):
    for register in reads:
        try:
            bus.sync_read(register, normalize=False)
        except FAILURES:
            lost += 1
    bus.sync_write("Goal_Position", goals, normalize=False)
    now = time.perf_counter()
    if i >= 0:
        cycles.append((now - start) * 1e6)
    start = now
patiently(bus.disable_torque)
bus.disconnect(disable_torque=False)
cycles.sort()
quantile = lambda share: cycles[min(len(cycles) - 1, int(share * len(cycles)))]
print(json.dumps(dict(p50Us=quantile(0.5), p99Us=quantile(0.99), lostReads=lost)))
