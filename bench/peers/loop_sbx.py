"""SBX's SAC: environment steps per second of the whole training loop, one update a step, 2x256 networks, batch 256.

XLA takes its thread count from the cores that the process is held to.

usage: python loop_sbx.py --task Reacher-v5 --threads 1 --steps 2000
prints one line of JSON.
"""

import argparse
import json
import time

import gymnasium
import jax
import sbx

parser = argparse.ArgumentParser()
parser.add_argument("--task", default="Reacher-v5")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=2000)
arguments = parser.parse_args()

model = sbx.SAC(
    "MlpPolicy",
    gymnasium.make(arguments.task),
    batch_size=256,
    buffer_size=1_000_000,
    learning_starts=1_000,
    policy_kwargs=dict(net_arch=[256, 256]),
    seed=0,
    verbose=0,
)
model.learn(1_500)
start = time.perf_counter()
model.learn(arguments.steps, reset_num_timesteps=False)
jax.block_until_ready(model.policy.actor_state.params)
seconds = time.perf_counter() - start
print(json.dumps(dict(version=sbx.__version__, jax=jax.__version__, stepsPerSecond=arguments.steps / seconds)))
