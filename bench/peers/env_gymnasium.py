"""Gymnasium on native MuJoCo: environment steps per second, with random actions and resets, as bench/src/measure-env.ts counts ours.

usage: python env_gymnasium.py --task Reacher-v5 --seconds 2
prints one line of JSON.
"""

import argparse
import json
import time

import gymnasium
import mujoco

parser = argparse.ArgumentParser()
parser.add_argument("--task", required=True)
parser.add_argument("--seconds", type=float, default=2)
for ours_only in ("--environments", "--threads"):
    parser.add_argument(ours_only, help="ours only; Gymnasium steps one environment in one thread")
parser.add_argument("--warmup", type=float, default=0.3)
arguments = parser.parse_args()

environment = gymnasium.make(arguments.task)
environment.action_space.seed(0)
environment.reset(seed=0)
actions = [environment.action_space.sample() for _ in range(200)]


def steps_per_second(seconds):
    steps, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()
        steps += len(actions)
    return steps / spent


steps_per_second(arguments.warmup)
print(
    json.dumps(
        dict(
            program="gymnasium",
            version=gymnasium.__version__,
            mujoco=mujoco.__version__,
            stepsPerSecond=steps_per_second(arguments.seconds),
        )
    )
)
