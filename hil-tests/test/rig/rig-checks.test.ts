import { createServoState, type ServoMotion } from '@sim2servo/firmware-bridge/servo-link';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { openRig } from '../../src/rig/open-rig.js';
import type { Rig } from '../../src/rig/rig.js';
import { checkRig, rigChecks } from '../../src/scenarios/rig-checks.js';
import { feetechArm } from '../support/feetech-arm.js';
import { realRig } from '../support/real-rig.js';

const robot = loadRobot('desk2');
const own = realRig(process.env);
if (own !== undefined) t.comment(own.announcement);
const rigs = [
  ...['ideal', 'avr-lockstep', 'avr'].map(name => ({ name, robot })),
  ...['bus-lockstep', 'bus'].map(name => ({ name, robot: feetechArm() })),
  ...(own === undefined ? [] : [{ name: own.name, robot: loadRobot(own.robot) }]),
];

for (const { name, robot } of rigs)
  t.test(
    `rig ${name}`,
    {
      skip: process.platform !== 'linux' && ['avr', 'bus'].includes(name) && 'pseudo-terminals of this kind need Linux',
    },
    async t => {
      const rig = await openRig(name, robot);
      t.teardown(() => rig.close());
      for (const check of rigChecks)
        await t.test(check.name, async t => {
          const { passed, detail } = await checkRig(rig, robot, check);
          t.ok(passed, detail === '' ? check.name : detail);
        });
    },
  );

for (const [name, rigName] of ['so101', 'koch'].flatMap(name =>
  ['ideal', 'bus-lockstep'].map(rig => [name, rig] as const),
))
  t.test(`an arm of polled servos on rig ${rigName}: ${name}`, async t => {
    const arm = loadRobot(name);
    const rig = await openRig(rigName, arm);
    t.teardown(() => rig.close());
    for (const check of rigChecks) {
      const { passed, detail } = await checkRig(rig, arm, check);
      t.ok(passed, `${check.name} ${detail}`);
    }
  });

t.test('polled servos answer whenever they are asked, with a sample of this millisecond and no period', async t => {
  const arm = loadRobot('so101');
  const rig = await openRig('ideal', arm);
  t.teardown(() => rig.close());
  const motion = await rig.connect().open();
  const state = createServoState(arm.spec.joints.length);
  let last = 0;
  for (const waitUs of [10_000, 10_000, 2_000, 10_000, 0]) {
    await rig.clock.waitUntil(rig.clock.nowUs() + waitUs);
    t.ok(await motion.read(state, 5_000), `fresh after ${waitUs} µs`);
    t.ok(rig.clock.nowUs() - state.sampledAtUs < 1_000);
    t.ok(state.sample > last);
    t.equal(state.periodUs, 0);
    last = state.sample;
  }
});

t.test('an arm of your own needs a yes before anything is opened', async t => {
  t.equal(realRig({}), undefined);
  t.throws(() => realRig({ KIT_RIG: 'serial:/dev/ttyNOWHERE' }), {
    code: 'E_NOT_CONFIRMED',
    message: /desk2 on serial:\/dev\/ttyNOWHERE will swing/,
    hint: /KIT_YES=1/,
  });
  t.match(realRig({ KIT_RIG: 'serial:/dev/x', KIT_ROBOT: 'so101', KIT_YES: '1' }), {
    name: 'serial:/dev/x',
    robot: 'so101',
  });
});

t.test('an unknown rig is refused by name', async t => {
  await t.rejects(openRig('toy', robot), { code: 'E_RIG_UNKNOWN', message: /toy/, hint: /ideal, avr-lockstep, avr/ });
});

/** The ideal rig with one thing wrong. */
async function broken(spoil: (motion: ServoMotion) => Partial<ServoMotion>): Promise<Rig> {
  const rig = await openRig('ideal', robot);
  return {
    clock: rig.clock,
    virtualTime: true,
    connect: () => {
      const link = rig.connect();
      return {
        open: async () => {
          const motion = await link.open();
          const own: ServoMotion = {
            read: (state, timeoutUs) => motion.read(state, timeoutUs),
            write: targets => motion.write(targets),
            arm: () => motion.arm(),
            halt: kind => motion.halt(kind),
          };
          return { ...own, ...spoil(motion) };
        },
        close: () => link.close(),
      };
    },
    close: () => rig.close(),
  };
}

t.test(
  'the checks can fail: an arm that arms by itself, jumps, goes nowhere, or says that it holds and does not',
  async t => {
    const zero = new Float64Array(robot.spec.joints.length);
    const spoilt: Record<string, (motion: ServoMotion) => Partial<ServoMotion>> = {
      'nothing moves because a host came': motion => ({
        read: async (state, timeoutUs) => {
          await motion.arm();
          motion.write(zero);
          return motion.read(state, timeoutUs);
        },
      }),
      'motion before arming is refused on the host': () => ({ write: () => {} }),
      'arming moves nothing': motion => ({
        write: () => motion.write(Float64Array.from(robot.spec.joints, joint => joint.range[1])),
      }),
      'it goes where it is told, and back': motion => ({ write: () => motion.write(zero) }),
      'a host that falls silent leaves an arm that holds, latched, with the reason': motion => ({
        read: async (state, timeoutUs) => {
          const fresh = await motion.read(state, timeoutUs);
          if (state.device === 'latched') state.device = 'held';
          return fresh;
        },
      }),
      'motion after the latch moves nothing; arming again does': motion => ({
        write: targets => {
          motion.write(targets);
          void motion.arm();
        },
      }),
      'a hold holds': () => ({ halt: async () => {} }),
      'a relax lets go': motion => ({ halt: () => motion.halt('hold') }),
    };
    t.strictSame(Object.keys(spoilt).sort(), rigChecks.map(check => check.name).sort());
    for (const check of rigChecks) {
      const rig = await broken(spoilt[check.name]!);
      const { passed } = await checkRig(rig, robot, check);
      t.notOk(passed, check.name);
      await rig.close();
    }
  },
);
