import t from 'tap';
import { fingertip } from '../../src/kinematics.js';
import { loadRobot } from '../../src/robot-folder.js';
import { reachReward } from '../../src/tasks/reach-reward.js';

const { spec } = loadRobot('so101');
const home = spec.joints.map(joint => joint.home);
const at = { position: home, velocity: home.map(() => 0) };
const goal = new Float64Array(3);
fingertip(spec, home, goal);

const only = (name: string, action: number) => spec.joints.map(joint => (joint.name === name ? action : 0));

t.test('a joint that moves the fingertip shares in the cost of effort', async t => {
  const reward = reachReward(spec, at, only('elbow-flex', 0.5), at, goal);
  t.ok(Math.abs(reward - (1 - (0.05 * 0.25) / 6)) < 1e-12, `${reward}`);
});

t.test('a gripper is not for reaching: moving it costs more, closed or open', async t => {
  for (const action of [0.5, -0.5]) {
    const reward = reachReward(spec, at, only('gripper', action), at, goal);
    t.ok(Math.abs(reward - (1 - 0.2 * 0.25)) < 1e-12, `${reward}`);
  }
  const open = { ...at, position: home.map((angle, j) => (spec.joints[j]!.name === 'gripper' ? 1.5 : angle)) };
  t.equal(reachReward(spec, at, only('', 0), open, goal), 1, 'and where it stands does not count');
});
