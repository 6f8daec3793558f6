import t from 'tap';
import { chainOf, mayTouchDesk, robotName, rod } from '../../src/own-arm/arm-plan.js';
import { plan } from './own-arms.js';

t.test('names become such as robot.json has them', t => {
  t.equal(robotName('Shoulder_Pan.1', 'joint'), 'shoulder-pan-1');
  t.equal(robotName('1', 'joint'), 'joint-1');
  t.equal(robotName('...', 'link'), 'link');
  t.equal(robotName('base', 'link'), 'link-base', 'what every scene has is taken');
  t.equal(robotName('base', 'joint'), 'base');
  t.end();
});

t.test('a rod is as heavy as it is long, and a ball where there is no way to go', t => {
  const long = rod('r', [0.3, 0, 0.4]);
  t.same([long.type, long.fromto, Number(long.mass).toFixed(3)], ['capsule', [0, 0, 0, 0.3, 0, 0.4], '0.225']);
  const none = rod('r', [0, 0, 0]);
  t.same([none.type, none.mass], ['sphere', 0.005]);
  t.equal(rod('r', [0.1, 0, 0], 0).mass, 0, 'a weight that was given stays');
  t.end();
});

t.test('the gripper is no part of the chain, and what only turns about the vertical never meets the desk', t => {
  const own = plan();
  t.same(chainOf(own), [0, 1, 2, 3]);
  t.same(
    own.joints.map((_, j) => mayTouchDesk(own.joints, j)),
    [false, true, true, true, true],
  );
  t.end();
});
