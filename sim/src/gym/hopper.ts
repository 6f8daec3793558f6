/** Hopper-v5: a leg hops forward. It is over when the torso sinks, leans too far, or anything moves out of bounds. */
import { addUniform, clamp, type MujocoTask, sumOfSquares } from './mujoco-task.js';

const frameSkip = 4;
/** Bounds within which it goes on: torso height in m and pitch in rad, and every other coordinate and velocity. */
const lowestM = 0.7;
const steepestRad = 0.2;
const farthest = 100;

export const hopper: MujocoTask = {
  name: 'Hopper-v5',
  scene: 'hopper.xml',
  frameSkip,
  episodeSteps: 1000,
  observationSize: 11,
  actuators: ['hip', 'knee', 'ankle'],
  bind(world) {
    const dtS = world.timestepS * frameSkip;
    return {
      start(random, qpos, qvel) {
        addUniform(random, 0.005, qpos);
        addUniform(random, 0.005, qvel);
      },
      observe({ qpos, qvel }, out) {
        for (let i = 1; i < 6; i++) out[i - 1] = qpos[i]!;
        for (let i = 0; i < 6; i++) out[5 + i] = clamp(qvel[i]!, 10);
      },
      terminated({ qpos, qvel }) {
        if (!(qpos[1]! > lowestM && Math.abs(qpos[2]!) < steepestRad)) return true;
        for (let i = 2; i < 6; i++) if (!(Math.abs(qpos[i]!) < farthest)) return true;
        for (let i = 0; i < 6; i++) if (!(Math.abs(qvel[i]!) < farthest)) return true;
        return false;
      },
      reward({ after, action, firstPositionBefore }, terminated) {
        const forward = (after.qpos[0]! - firstPositionBefore) / dtS;
        return forward + (terminated ? 0 : 1) - 1e-3 * sumOfSquares(action);
      },
    };
  },
};
