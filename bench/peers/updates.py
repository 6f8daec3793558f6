"""What learner_sb3.py and learner_sbx.py share: gradient updates per second on the work that bench/src/measure-learner.ts gives our engine.

Observation 11, action 2, actor and twin critics of the given width, float32, automatic temperature, one Polyak average an update. The
replay holds random transitions, so that nothing but updates (and drawing their batches) is measured.
"""

import argparse
import json
import time

import gymnasium
import numpy
import stable_baselines3

OBSERVATION, ACTION = 11, 2


class Still(gymnasium.Env):
    """An environment that is never stepped: the libraries only ask for its spaces."""

    observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (OBSERVATION,), numpy.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION,), numpy.float32)

    def reset(self, *, seed=None, options=None):
        return numpy.zeros(OBSERVATION, numpy.float32), {}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--updates", type=int, default=500)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--batch", type=int, default=256)
    return parser.parse_args()


def filled(sac, given, **settings):
    """A learner whose replay holds random transitions."""
    model = sac(
        "MlpPolicy",
        Still(),
        batch_size=given.batch,
        buffer_size=10_000,
        policy_kwargs=dict(net_arch=[given.hidden, given.hidden]),
        seed=0,
        verbose=0,
        **settings,
    )
    random = numpy.random.default_rng(0)
    for _ in range(10_000):
        observations = random.standard_normal((2, 1, OBSERVATION), dtype=numpy.float32)
        action = random.uniform(-1, 1, (1, ACTION)).astype(numpy.float32)
        model.replay_buffer.add(
            observations[0], observations[1], action, random.standard_normal(1), random.random(1) < 0.05, [{}]
        )
    model.set_logger(stable_baselines3.common.logger.configure(format_strings=[]))
    return model


def report(train, updates, **versions):
    """`train()` makes the updates; the first time is for warming up."""
    train()
    start = time.perf_counter()
    train()
    seconds = time.perf_counter() - start
    print(json.dumps(dict(versions, updatesPerSecond=updates / seconds)))
