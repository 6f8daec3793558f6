/** Reacher-v5: a planar arm of two links whose fingertip shall touch a target. Since v5 the reward is of the state after the step. */
import type { Random } from '@sim2servo/models/random';
import { addUniform, distance, type MujocoTask, sumOfSquares } from './mujoco-task.js';

/** m; the target lies in this disc around the shoulder. */
const targetRadiusM = 0.2;

export const reacher: MujocoTask = {
  name: 'Reacher-v5',
  scene: 'reacher.xml',
  frameSkip: 2,
  episodeSteps: 50,
  observationSize: 10,
  actuators: ['shoulder', 'elbow'],
  bind(world) {
    const fingertip = world.id('body', 'fingertip');
    const target = world.id('body', 'target');
    return {
      start(random, qpos, qvel) {
        addUniform(random, 0.1, qpos);
        [qpos[2], qpos[3]] = drawTarget(random);
        addUniform(random, 0.005, qvel);
        qvel[2] = qvel[3] = 0;
      },
      observe({ qpos, qvel, bodyXpos }, out) {
        for (let i = 0; i < 2; i++) {
          out[i] = Math.cos(qpos[i]!);
          out[2 + i] = Math.sin(qpos[i]!);
          out[4 + i] = qpos[2 + i]!;
          out[6 + i] = qvel[i]!;
          out[8 + i] = bodyXpos[3 * fingertip + i]! - bodyXpos[3 * target + i]!;
        }
      },
      terminated: () => false,
      reward: ({ after, action }) => -distance(after.bodyXpos, fingertip, target) - sumOfSquares(action),
    };
  },
};

/** Uniform over the disc. */
function drawTarget(random: Random): [number, number] {
  for (;;) {
    const x = random.uniform(-targetRadiusM, targetRadiusM);
    const y = random.uniform(-targetRadiusM, targetRadiusM);
    if (Math.hypot(x, y) < targetRadiusM) return [x, y];
  }
}
