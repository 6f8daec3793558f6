"""LeRobot (PyPI: lerobot) records a dataset of an SO-101 in degrees: three episodes of twenty frames.

usage: python record_dataset.py FOLDER SCRATCH
"""
import os
import sys

folder, scratch = sys.argv[1:]
os.environ.update(HF_HOME=scratch, HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

import numpy
from lerobot.datasets.lerobot_dataset import LeRobotDataset

motors = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
vector = dict(dtype="float32", shape=(6,), names=[f"{motor}.pos" for motor in motors])
data = LeRobotDataset.create(
    "local/recorded",
    fps=30,
    root=folder,
    robot_type="so101_follower",
    features={"observation.state": vector, "action": vector},
    use_videos=False,
)
for episode in range(3):
    for frame in range(20):
        state = numpy.array([10 * episode + frame, -20, 30, 5, 0, 50], dtype=numpy.float32)
        data.add_frame({"observation.state": state, "action": state + 1, "task": "wave"})
    data.save_episode()
data.finalize()
