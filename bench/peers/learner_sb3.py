"""Stable-Baselines3's SAC: gradient updates per second; see updates.py.

usage: python learner_sb3.py --threads 1 --updates 500 --hidden 256 --batch 256
prints one line of JSON.
"""

import stable_baselines3
import torch
import updates

given = updates.arguments()
torch.set_num_threads(given.threads)
model = updates.filled(stable_baselines3.SAC, given, device="cpu")
updates.report(
    lambda: model.train(gradient_steps=given.updates, batch_size=given.batch),
    given.updates,
    version=stable_baselines3.__version__,
    torch=torch.__version__,
)
