"""Stable-Baselines3's SAC: environment steps per second of the whole training loop; see training.py.

usage: python loop_sb3.py --task Reacher-v5 --threads 1 --steps 2000
prints one line of JSON.
"""

import stable_baselines3
import torch
import training

given = training.arguments()
torch.set_num_threads(given.threads)
training.report(
    stable_baselines3.SAC,
    given,
    lambda model: None,
    dict(device="cpu"),
    version=stable_baselines3.__version__,
    torch=torch.__version__,
)
