"""Stable-Baselines3's SAC: deterministic return against environment steps and wall-clock, its published settings.

Seconds are of training alone: evaluation is not counted. Loading Python and the library is counted for neither side.

usage: python curve_sb3.py --task Reacher-v5 --seed 0 --steps 10000 --every 1000
prints one line of JSON.
"""

import argparse
import json
import os
import time

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.evaluation import evaluate_policy

parser = argparse.ArgumentParser()
parser.add_argument("--task", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=10_000)
parser.add_argument("--every", type=int, default=1_000)
arguments = parser.parse_args()

torch.set_num_threads(len(os.sched_getaffinity(0)))
test = gymnasium.make(arguments.task)
test.reset(seed=10_000 + arguments.seed)
model = stable_baselines3.SAC(
    "MlpPolicy",
    gymnasium.make(arguments.task),
    learning_starts=1_000,
    train_freq=1,
    gradient_steps=1,
    policy_kwargs=dict(net_arch=[256, 256]),
    device="cpu",
    seed=arguments.seed,
    verbose=0,
)
curve, seconds = [], 0.0
for block in range(arguments.steps // arguments.every):
    start = time.perf_counter()
    model.learn(arguments.every, reset_num_timesteps=block == 0)
    seconds += time.perf_counter() - start
    curve.append([(block + 1) * arguments.every, seconds, float(evaluate_policy(model, test, 10)[0])])
print(json.dumps(dict(version=stable_baselines3.__version__, torch=torch.__version__, curve=curve)))
