/** Pusher-v5: an arm pushes a puck to a goal. Since v5 the reward is of the state after the step. */
import type { Random } from '@sim2servo/models/random';
import { addUniform, distance, type MujocoTask, sumOfSquares } from './mujoco-task.js';

/** Joints of the arm; the puck's two and the goal's two follow. */
const arm = 7;
/** m; the puck starts no closer to the goal. */
const clearanceM = 0.17;

export const pusher: MujocoTask = {
  name: 'Pusher-v5',
  scene: 'pusher.xml',
  frameSkip: 5,
  episodeSteps: 100,
  observationSize: 23,
  actuators: ['shoulder-pan', 'shoulder-lift', 'upper-arm-roll', 'elbow', 'forearm-roll', 'wrist-flex', 'wrist-roll'],
  bind(world) {
    const bodies = ['fingertips', 'puck', 'goal'].map(name => world.id('body', name));
    const [tip, puck, goal] = bodies as [number, number, number];
    return {
      start(random, qpos, qvel) {
        [qpos[arm], qpos[arm + 1]] = drawPuck(random);
        qpos[arm + 2] = qpos[arm + 3] = 0;
        addUniform(random, 0.005, qvel);
        qvel.fill(0, arm);
      },
      observe({ qpos, qvel, bodyXpos }, out) {
        for (let i = 0; i < arm; i++) {
          out[i] = qpos[i]!;
          out[arm + i] = qvel[i]!;
        }
        for (let b = 0; b < 3; b++)
          for (let i = 0; i < 3; i++) out[2 * arm + 3 * b + i] = bodyXpos[3 * bodies[b]! + i]!;
      },
      terminated: () => false,
      reward: ({ after: { bodyXpos }, action }) =>
        -distance(bodyXpos, puck, goal) - 0.1 * sumOfSquares(action) - 0.5 * distance(bodyXpos, puck, tip),
    };
  },
};

/** Offset of the puck from its place in the model; the goal stays there. */
function drawPuck(random: Random): [number, number] {
  for (;;) {
    const y = random.uniform(-0.3, 0);
    const x = random.uniform(-0.2, 0.2);
    if (Math.hypot(y, x) > clearanceM) return [y, x];
  }
}
