"""Stable-Baselines3's SAC: environment steps per second of the whole training loop, one update a step, 2x256 networks, batch 256.

usage: python loop_sb3.py --task Reacher-v5 --threads 1 --steps 2000
prints one line of JSON.
"""

import argparse
import json
import time

import gymnasium
import stable_baselines3
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--task", default="Reacher-v5")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=2000)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
model = stable_baselines3.SAC(
    "MlpPolicy",
    gymnasium.make(arguments.task),
    batch_size=256,
    buffer_size=1_000_000,
    learning_starts=1_000,
    policy_kwargs=dict(net_arch=[256, 256]),
    device="cpu",
    seed=0,
    verbose=0,
)
model.learn(1_500)
start = time.perf_counter()
model.learn(arguments.steps, reset_num_timesteps=False)
seconds = time.perf_counter() - start
print(json.dumps(dict(version=stable_baselines3.__version__, torch=torch.__version__, stepsPerSecond=arguments.steps / seconds)))
