"""LeRobot's own driver on an emulated bus of six servos: connects, sets up, calibrates, reads, writes.

usage: python lerobot_dynamixel.py PORT BAUD        exits with 1 where it notices; prints one JSON line.
"""
import json
import sys
import time

from lerobot.motors import Motor, MotorNormMode
from lerobot.motors.dynamixel import DynamixelMotorsBus, OperatingMode

path, baud = sys.argv[1], int(sys.argv[2])
# It gives up after 34 ms, which a busy machine may well take; its own robots ask again, too.
RETRIES = 5

motors = {f"joint{i}": Motor(i, "xl330-m288", MotorNormMode.RANGE_M100_100) for i in range(1, 7)}
bus = DynamixelMotorsBus(path, motors)
bus.connect()  # pings every motor, checks model and firmware
bus.set_baudrate(baud)
found = bus.broadcast_ping()
assert found is not None and sorted(found) == [1, 2, 3, 4, 5, 6], found
bus.disable_torque(num_retry=RETRIES)
bus.configure_motors()
for motor in motors:
    bus.write("Operating_Mode", motor, OperatingMode.POSITION.value, num_retry=RETRIES)
bus.reset_calibration()
offsets = bus.set_half_turn_homings()
assert set(offsets) == set(motors), offsets
middle = bus.sync_read("Present_Position", normalize=False, num_retry=RETRIES)
assert all(abs(position - 2047) < 20 for position in middle.values()), middle
calibration = bus.read_calibration()
for motor in calibration.values():
    motor.range_min, motor.range_max = 1000, 3000
bus.write_calibration(calibration)
assert bus.is_calibrated
bus.enable_torque(num_retry=RETRIES)
bus.sync_write("Goal_Position", dict.fromkeys(motors, 2300), normalize=False, num_retry=RETRIES)
time.sleep(1)
there = bus.sync_read("Present_Position", normalize=False, num_retry=RETRIES)
assert all(abs(position - 2300) < 30 for position in there.values()), there
share = bus.sync_read("Present_Position", num_retry=RETRIES)
assert all(abs(value - 30) < 3 for value in share.values()), share
bus.sync_write("Goal_Position", dict.fromkeys(motors, 0.0), num_retry=RETRIES)
time.sleep(1)
back = bus.sync_read("Present_Position", num_retry=RETRIES)
assert all(abs(value) < 3 for value in back.values()), back

times = []
for _ in range(300):
    start = time.perf_counter()
    positions = bus.sync_read("Present_Position", normalize=False, num_retry=RETRIES)
    bus.sync_write("Goal_Position", {motor: int(position) for motor, position in positions.items()}, normalize=False, num_retry=RETRIES)
    times.append((time.perf_counter() - start) * 1e6)
bus.disable_torque(num_retry=RETRIES)
bus.disconnect()
times.sort()
print(json.dumps({"client": "lerobot", "servos": len(motors), "cycle_p50_us": round(times[150]), "cycle_p99_us": round(times[297])}))
