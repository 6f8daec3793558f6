/** HalfCheetah-v5: two legs under one back run forward, as fast as they can. It never ends by itself, not even on its back. */
import { addNormal, addUniform, type MujocoTask, sumOfSquares } from './mujoco-task.js';

const frameSkip = 5;

export const halfCheetah: MujocoTask = {
  name: 'HalfCheetah-v5',
  scene: 'half-cheetah.xml',
  frameSkip,
  episodeSteps: 1000,
  observationSize: 17,
  actuators: ['hind-hip', 'hind-knee', 'hind-ankle', 'fore-hip', 'fore-knee', 'fore-ankle'],
  bind(world) {
    const dtS = world.timestepS * frameSkip;
    return {
      start(random, qpos, qvel) {
        addUniform(random, 0.1, qpos);
        addNormal(random, 0.1, qvel);
      },
      observe({ qpos, qvel }, out) {
        for (let i = 1; i < 9; i++) out[i - 1] = qpos[i]!;
        out.set(qvel, 8);
      },
      terminated: () => false,
      reward: ({ after, action, firstPositionBefore }) =>
        (after.qpos[0]! - firstPositionBefore) / dtS - 0.1 * sumOfSquares(action),
    };
  },
};
