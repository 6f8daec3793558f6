/**
 * InvertedDoublePendulum-v5: keep two poles on a cart upright.
 *
 * The last observation is what the rail's ends exert on the cart (since v5 only that one of the constraint forces). Since v5 there are no
 * 10 points for the step in which the poles fell.
 */
import { addNormal, addUniform, clamp, type MujocoTask } from './mujoco-task.js';

/** m: the tip has fallen below this; and where it should be. */
const fallenM = 1;
const uprightM = 2;

export const invertedDoublePendulum: MujocoTask = {
  name: 'InvertedDoublePendulum-v5',
  scene: 'inverted-double-pendulum.xml',
  frameSkip: 5,
  episodeSteps: 1000,
  observationSize: 9,
  actuators: ['cart'],
  bind(world) {
    const tip = 3 * world.id('site', 'tip');
    return {
      start(random, qpos, qvel) {
        addUniform(random, 0.1, qpos);
        addNormal(random, 0.1, qvel);
      },
      observe({ qpos, qvel, qfrcConstraint }, out) {
        out[0] = qpos[0]!;
        for (let i = 1; i < 3; i++) {
          out[i] = Math.sin(qpos[i]!);
          out[2 + i] = Math.cos(qpos[i]!);
        }
        for (let i = 0; i < 3; i++) out[5 + i] = clamp(qvel[i]!, 10);
        out[8] = clamp(qfrcConstraint[0]!, 10);
      },
      terminated: ({ siteXpos }) => siteXpos[tip + 2]! <= fallenM,
      reward({ after: { siteXpos, qvel } }, terminated) {
        const distancePenalty = 0.01 * siteXpos[tip]! ** 2 + (siteXpos[tip + 2]! - uprightM) ** 2;
        const velocityPenalty = 1e-3 * qvel[1]! ** 2 + 5e-3 * qvel[2]! ** 2;
        return (terminated ? 0 : 10) - distancePenalty - velocityPenalty;
      },
    };
  },
};
