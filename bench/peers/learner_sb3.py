"""Stable-Baselines3's SAC: gradient updates per second on the work that bench/src/engine-updates.ts gives our engine.

Observation 11, action 2, actor and twin critics of the given width, float32, automatic temperature, one Polyak average an update. The
replay holds random transitions, so that nothing but updates (and drawing their batches) is measured.

usage: python sb3_updates.py --threads 1 --updates 500 --hidden 256 --batch 256
prints one line of JSON.
"""

import argparse
import json
import time

import gymnasium
import numpy
import stable_baselines3
import torch

OBSERVATION, ACTION = 11, 2


class Still(gymnasium.Env):
    """An environment that is never stepped: Stable-Baselines3 only asks for its spaces."""

    observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (OBSERVATION,), numpy.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION,), numpy.float32)

    def reset(self, *, seed=None, options=None):
        return numpy.zeros(OBSERVATION, numpy.float32), {}


parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--updates", type=int, default=500)
parser.add_argument("--warmup", type=int, default=50)
parser.add_argument("--hidden", type=int, default=256)
parser.add_argument("--batch", type=int, default=256)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
model = stable_baselines3.SAC(
    "MlpPolicy",
    Still(),
    batch_size=arguments.batch,
    buffer_size=10_000,
    policy_kwargs=dict(net_arch=[arguments.hidden, arguments.hidden]),
    device="cpu",
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
model.train(gradient_steps=arguments.warmup, batch_size=arguments.batch)
start = time.perf_counter()
model.train(gradient_steps=arguments.updates, batch_size=arguments.batch)
seconds = time.perf_counter() - start
print(
    json.dumps(
        dict(
            program="stable-baselines3",
            version=stable_baselines3.__version__,
            torch=torch.__version__,
            threads=arguments.threads,
            hidden=arguments.hidden,
            batch=arguments.batch,
            updates=arguments.updates,
            updatesPerSecond=arguments.updates / seconds,
        )
    )
)
