"""What loop_sb3.py and loop_sbx.py share: environment steps per second of the whole training loop, one update a step, 2x256, batch 256."""

import argparse
import json
import time

import gymnasium


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="Reacher-v5")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000)
    return parser.parse_args()


def report(sac, given, finish, settings, **versions):
    """Times `given.steps` steps after 1 500, the last 500 of them with updates; `finish(model)` waits for what is under way."""
    model = sac(
        "MlpPolicy",
        gymnasium.make(given.task),
        batch_size=256,
        buffer_size=1_000_000,
        learning_starts=1_000,
        policy_kwargs=dict(net_arch=[256, 256]),
        seed=0,
        verbose=0,
        **settings,
    )
    model.learn(1_500)
    start = time.perf_counter()
    model.learn(given.steps, reset_num_timesteps=False)
    finish(model)
    seconds = time.perf_counter() - start
    print(json.dumps(dict(versions, stepsPerSecond=given.steps / seconds)))
