"""LeRobot's driver (PyPI: lerobot) on a port with servos 1 to 6: connect, calibrate, move. Prints one JSON line."""
import json
import sys
import time

from lerobot.motors import Motor, MotorCalibration, MotorNormMode
from lerobot.motors.feetech import FeetechMotorsBus, OperatingMode

names = {f"joint{i}": Motor(i, "sts3215", MotorNormMode.DEGREES) for i in range(1, 7)}
bus = FeetechMotorsBus(sys.argv[1], names)
bus.connect()
bus.configure_motors()
for name in names:
    bus.write("Operating_Mode", name, OperatingMode.POSITION.value)
offsets = bus.set_half_turn_homings()
wanted = {
    name: MotorCalibration(id=motor.id, drive_mode=0, homing_offset=offsets[name], range_min=1000, range_max=3000)
    for name, motor in names.items()
}
bus.write_calibration(wanted)
same = bus.read_calibration() == wanted
bus.enable_torque()
bus.sync_write("Goal_Position", {name: 2200 for name in names}, normalize=False)
time.sleep(1)
end = list(bus.sync_read("Present_Position", normalize=False).values())
temperature = bus.sync_read("Present_Temperature", normalize=False)
bus.disable_torque()
bus.disconnect()
print(json.dumps(dict(same=same, end=end, temperature=list(temperature.values()))))
