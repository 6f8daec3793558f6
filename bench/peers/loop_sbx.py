"""SBX's SAC: environment steps per second of the whole training loop; see training.py.

XLA takes its thread count from the cores that the process is held to.

usage: python loop_sbx.py --task Reacher-v5 --threads 1 --steps 2000
prints one line of JSON.
"""

import jax
import sbx
import training

training.report(
    sbx.SAC,
    training.arguments(),
    lambda model: jax.block_until_ready(model.policy.actor_state.params),
    {},
    version=sbx.__version__,
    jax=jax.__version__,
)
