"""SBX's SAC (Stable-Baselines on JAX): gradient updates per second; see updates.py.

XLA takes its thread count from the cores that the process is held to. `train` compiles once for each number of updates.

usage: python learner_sbx.py --threads 1 --updates 500 --hidden 256 --batch 256
prints one line of JSON.
"""

import jax
import sbx
import updates

given = updates.arguments()
model = updates.filled(sbx.SAC, given)


def train():
    model.train(given.updates, given.batch)
    jax.block_until_ready(model.policy.actor_state.params)


updates.report(train, given.updates, version=sbx.__version__, jax=jax.__version__)
