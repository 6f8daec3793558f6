"""SBX's SAC (Stable-Baselines on JAX): gradient updates per second on the work that bench/src/measure-learner.ts gives our engine.

XLA takes its thread count from the cores that the process is held to. `train` compiles once for each number of updates, so it runs twice.

usage: python learner_sbx.py --threads 1 --updates 500 --hidden 256 --batch 256
prints one line of JSON.
"""

import argparse
import json
import time

import gymnasium
import jax
import numpy
import sbx
import stable_baselines3

OBSERVATION, ACTION = 11, 2


class Still(gymnasium.Env):
    """An environment that is never stepped: SBX only asks for its spaces."""

    observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (OBSERVATION,), numpy.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION,), numpy.float32)

    def reset(self, *, seed=None, options=None):
        return numpy.zeros(OBSERVATION, numpy.float32), {}


parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--updates", type=int, default=500)
parser.add_argument("--hidden", type=int, default=256)
parser.add_argument("--batch", type=int, default=256)
arguments = parser.parse_args()

model = sbx.SAC(
    "MlpPolicy",
    Still(),
    batch_size=arguments.batch,
    buffer_size=10_000,
    policy_kwargs=dict(net_arch=[arguments.hidden, arguments.hidden]),
    seed=0,
    verbose=0,
)
random = numpy.random.default_rng(0)
for _ in range(10_000):
    observations = random.standard_normal((2, 1, OBSERVATION), dtype=numpy.float32)
    action = random.uniform(-1, 1, (1, ACTION)).astype(numpy.float32)
    model.replay_buffer.add(
        observations[0], observations[1], action, random.standard_normal(1), random.random(1) < 0.05, [{}]
    )
model.set_logger(stable_baselines3.common.logger.configure(format_strings=[]))


def train() -> None:
    model.train(arguments.updates, arguments.batch)
    jax.block_until_ready(model.policy.actor_state.params)


train()
start = time.perf_counter()
train()
seconds = time.perf_counter() - start
print(json.dumps(dict(version=sbx.__version__, jax=jax.__version__, updatesPerSecond=arguments.updates / seconds)))
