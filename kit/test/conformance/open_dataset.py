"""Opens a dataset with pyarrow, with Hugging Face's datasets and with LeRobot (PyPI: lerobot), without a network. Prints one JSON line.

usage: python open_dataset.py FOLDER SCRATCH
"""
import glob
import json
import os
import sys

folder, scratch = sys.argv[1:]
os.environ.update(HF_HOME=scratch, HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

import datasets
import numpy
import pyarrow.parquet
import torch
from lerobot.datasets.dataset_tools import delete_episodes
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.utils import dataset_to_policy_features

files = sorted(glob.glob(f"{folder}/data/*/*.parquet"))
tables = [pyarrow.parquet.read_table(file) for file in files]
plain = datasets.load_dataset("parquet", data_files=files, split="train")
data = LeRobotDataset("local/made", root=folder)
last = data[len(data) - 1]

# Two frames of the past beside each: what a policy with a history asks for.
windows = LeRobotDataset(
    "local/made", root=folder, delta_timestamps={"observation.state": [-2 / data.fps, -1 / data.fps, 0]}
)
first = next(iter(torch.utils.data.DataLoader(windows, batch_size=4, shuffle=False)))

states = numpy.stack([numpy.array(row) for row in plain["observation.state"]]).astype(float)
stats = data.meta.stats["observation.state"]
apart = lambda name, of: float(numpy.abs(stats[name] - of).max())

edited = delete_episodes(data, [0], output_dir=f"{scratch}/edited", repo_id="local/edited")
print(
    json.dumps(
        dict(
            arrow_rows=sum(table.num_rows for table in tables),
            arrow_columns=tables[0].column_names,
            plain_rows=len(plain),
            plain_types={name: str(plain.features[name]) for name in ("observation.state", "transition.time_s")},
            fps=data.fps,
            robot=data.meta.robot_type,
            episodes=data.num_episodes,
            frames=len(data),
            names=data.features["action"]["names"],
            task=last["task"],
            digest=last["transition.policy_digest"],
            done=bool(last["next.done"]),
            action=last["action"].tolist(),
            position=plain[len(plain) - 1]["transition.position"],
            window=list(first["observation.state"].shape),
            padded=first["observation.state_is_pad"].tolist(),
            apart=dict(
                min=apart("min", states.min(0)),
                max=apart("max", states.max(0)),
                mean=apart("mean", states.mean(0)),
                std=apart("std", states.std(0)),
            ),
            quantiles=[name for name in ("q01", "q10", "q50", "q90", "q99") if stats[name].shape == (states.shape[1],)],
            policy={name: feature.type.name for name, feature in dataset_to_policy_features(data.features).items()},
            edited=[edited.num_episodes, len(edited)],
        )
    )
)
