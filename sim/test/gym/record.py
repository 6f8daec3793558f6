"""Records trajectories of Gymnasium's tasks, as test vectors for sim/src/gym.

For each task, from given positions and velocities and with given actions: observation and reward in double precision, and whether the
task had ended, of every one of the first ten steps and every tenth one after. Nothing is reset in between, so a trajectory goes on
where an episode would have ended. The environment is used without its wrappers, so that actions are not rounded to float32.

Made with the native MuJoCo of the version that the WASM build has:

    python3 -m venv .peers/gym && .peers/gym/bin/pip install "gymnasium==1.4.0" "mujoco==3.14.0" packaging
    .peers/gym/bin/python sim/test/gym/record.py
"""

import json
import pathlib

import gymnasium
import mujoco
import numpy

TASKS = [
    "Pendulum-v1",
    "Reacher-v5",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Pusher-v5",
    "Hopper-v5",
    "HalfCheetah-v5",
]
STEPS = 200
# Fractions of 64 in -1 to 1: scaled to any actuator's range they are exact in binary.
GRID = 64
# Starts that a reset does not draw: the puck between the fingers, which push it.
STARTS = {
    "Pusher-v5": [[0, 0.38, 0, 0, 0, 0, 0, -0.55, 0.38, 0, 0]],
}


def kept(step):
    return step <= 10 or step % 10 == 0


def start(environment, random):
    """The state that the environment's own reset drew, read before anything moved."""
    environment.reset(seed=int(random.integers(2**31)))
    if hasattr(environment, "state"):
        return environment.state[:1], environment.state[1:]
    return environment.data.qpos.copy(), environment.data.qvel.copy()


def set_state(environment, qpos, qvel):
    if hasattr(environment, "state"):
        environment.state = numpy.concatenate([qpos, qvel])
    else:
        mujoco.mj_resetData(environment.model, environment.data)
        environment.set_state(numpy.array(qpos), numpy.array(qvel))


def observation(environment):
    """In double precision: Pendulum-v1 rounds its own to float32."""
    if hasattr(environment, "state"):
        angle, speed = environment.state
        return [numpy.cos(angle), numpy.sin(angle), speed]
    return environment._get_obs()


def numbers(values):
    return [float(value) for value in values]


def actions(random, size, kind):
    """Uniform ones, or ones that push for a while in one direction, which reach limits and speeds that noise does not."""
    drawn = random.integers(-GRID, GRID + 1, (STEPS, size))
    if kind == "held":
        drawn = numpy.repeat(drawn[::20], 20, axis=0)
    return drawn


def trajectory(environment, seed, kind, qpos=None):
    random = numpy.random.default_rng(seed)
    if qpos is None:
        qpos, qvel = map(numbers, start(environment, random))
    else:
        qvel = [0.0] * len(qpos)
    set_state(environment, qpos, qvel)
    space = environment.action_space
    low, high = space.low.astype(float), space.high.astype(float)
    first = numbers(observation(environment))
    grid = actions(random, space.shape[0], kind)
    steps = []
    for count, drawn in enumerate(grid, start=1):
        _, reward, terminated, _, _ = environment.step(low + 0.5 * (drawn / GRID + 1) * (high - low))
        if kept(count):
            values = numbers(observation(environment))
            steps.append(dict(step=count, observation=values, reward=float(reward), terminated=bool(terminated)))
    return dict(actions=kind, qpos=qpos, qvel=qvel, first=first, grid=grid.tolist(), steps=steps)


for name in TASKS:
    wrapped = gymnasium.make(name)
    environment = wrapped.unwrapped
    vectors = dict(
        task=name,
        gymnasium=gymnasium.__version__,
        mujoco=mujoco.__version__,
        episodeSteps=wrapped.spec.max_episode_steps,
        actionLow=numbers(environment.action_space.low),
        actionHigh=numbers(environment.action_space.high),
        gridPerUnit=GRID,
        trajectories=[
            *(trajectory(environment, seed, kind) for seed, kind in enumerate(["uniform", "held"])),
            *(trajectory(environment, 2, "held", qpos) for qpos in STARTS.get(name, [])),
        ],
    )
    path = pathlib.Path(__file__).parent / "vectors" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(vectors, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)
