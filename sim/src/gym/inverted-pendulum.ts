/** InvertedPendulum-v5: keep a pole on a cart upright. Reward 1 for each step in which it stands (v5: not for the one in which it fell). */
import { addUniform, type MujocoTask } from './mujoco-task.js';

/** rad; the pole has fallen beyond this. */
const fallenRad = 0.2;

export const invertedPendulum: MujocoTask = {
  name: 'InvertedPendulum-v5',
  scene: 'inverted-pendulum.xml',
  frameSkip: 2,
  episodeSteps: 1000,
  observationSize: 4,
  actuators: ['cart'],
  bind: () => ({
    start(random, qpos, qvel) {
      addUniform(random, 0.01, qpos);
      addUniform(random, 0.01, qvel);
    },
    observe({ qpos, qvel }, out) {
      out.set(qpos);
      out.set(qvel, 2);
    },
    terminated: ({ qpos, qvel }) =>
      !(qpos.every(Number.isFinite) && qvel.every(Number.isFinite)) || Math.abs(qpos[1]!) > fallenRad,
    reward: (_, terminated) => (terminated ? 0 : 1),
  }),
};
