"""LeRobot (PyPI: lerobot) with a calibration file of ours: loads it as its robots do, writes it into the servos, and finds itself calibrated."""
import json
import sys
from pathlib import Path

import draccus
from lerobot.motors import Motor, MotorCalibration, MotorNormMode
from lerobot.motors.feetech import FeetechMotorsBus

port, _, path = sys.argv[1:]
with open(path) as file, draccus.config_type("json"):
    calibration = draccus.load(dict[str, MotorCalibration], file)
motors = {name: Motor(motor.id, "sts3215", MotorNormMode.DEGREES) for name, motor in calibration.items()}
bus = FeetechMotorsBus(port, motors, calibration)
bus.connect()
before = bus.is_calibrated
bus.disable_torque()
bus.write_calibration(calibration)
after = bus.is_calibrated
degrees = bus.sync_read("Present_Position")
counts = bus.sync_read("Present_Position", normalize=False)
bus.disconnect()
again = Path(path + ".again")
with open(again, "w") as file, draccus.config_type("json"):
    draccus.dump(calibration, file, indent=4)
print(json.dumps(dict(before=before, after=after, degrees=degrees, counts=counts, again=json.loads(again.read_text()))))
