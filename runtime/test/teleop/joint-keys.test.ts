import { createControlState } from '@sim2servo/models/control-state';
import t from 'tap';
import { endlessGoal } from '../../src/goal-source.js';
import { JointKeys, pressUs } from '../../src/teleop/joint-keys.js';
import { targetPolicy } from '../../src/teleop/target-policy.js';
import { fixture, robot } from '../support/arm-fixture.js';
import { VirtualClock } from '../support/virtual-board.js';

const { spec } = robot;

function keysFixture(speed = 0.25) {
  const clock = new VirtualClock();
  const keys = new JointKeys(spec, clock, speed);
  const state = createControlState(spec);
  const targets = new Float64Array(2);
  const aim = () => {
    keys.aim(state, 0.02, targets);
    return [...targets];
  };
  return { clock, keys, aim };
}

t.test('no key, no motion', async t => {
  const { aim, keys } = keysFixture();
  t.same(aim(), [0, 0]);
  t.equal(keys.words(), 'stands');
});

t.test('a digit moves its joint forward, the letter below it back, each for as long as a press counts', async t => {
  const { clock, keys, aim } = keysFixture();
  const step = 0.25 * spec.joints[0]!.maxVelocity * 0.02;
  t.ok(keys.press('1'));
  t.same(aim(), [step, 0]);
  t.equal(keys.words(), 'shoulder +');
  t.ok(keys.press('w'));
  t.same(aim(), [step, -step]);
  clock.advance(pressUs - 1);
  t.same(aim(), [step, -step]);
  clock.advance(1);
  t.same(aim(), [0, 0], 'let go, as far as anybody can tell');
});

t.test('the other direction takes over at once; keys of joints that are not there are none of ours', async t => {
  const { keys, aim } = keysFixture(1);
  keys.press('2');
  keys.press('w');
  t.ok(aim()[1]! < 0);
  for (const key of ['3', 'e', 'x', 'enter', '', '12']) t.notOk(keys.press(key), key);
});

t.test('an arm with more joints than there are keys is refused', async t => {
  const many = { ...spec, joints: Array.from({ length: 11 }, () => spec.joints[0]!) };
  t.throws(() => new JointKeys(many, new VirtualClock(), 0.25), { code: 'E_KEYS_JOINTS', exit: 'usage' });
});

t.test(
  'in the loop a key that is held moves the arm at its speed, and one that is let go stops it within 100 ms and a tick',
  async t => {
    let keys: JointKeys;
    let ticks = 0;
    const policy = targetPolicy(spec, 50, {
      prepare() {
        ticks++;
        if (ticks > 60 && ticks <= 120) keys.press('q');
      },
      aim: (state, dtS, targets) => keys.aim(state, dtS, targets),
      words: () => '',
    });
    const { loop, clock, sink } = fixture(() => {}, { policy, goals: endlessGoal, maxTicks: 200 });
    keys = new JointKeys(spec, clock, 0.25);
    await loop.run();
    const speedAt = (i: number) => (sink.ticks[i]!.target[0]! - sink.ticks[i - 1]!.target[0]!) / 0.02;
    t.equal(speedAt(40), 0);
    t.ok(Math.abs(speedAt(100) + 1) < 1e-3, `a quarter of 4 rad/s: ${speedAt(100)}`);
    t.equal(speedAt(127), 0);
  },
);
