/** The bench itself: does it see what it must? */
import t, { type Test } from 'tap';
import { type Fault, nothingToClear } from '../../src/faults/fault.js';
import { LoopBench } from '../../src/faults/loop-bench.js';
import { ServoBusUnderTest } from '../../src/faults/servo-bus-under-test.js';
import type { Sts3215 } from '../../src/rig/bus/sts3215.js';
import { feetechArm } from '../support/feetech-arm.js';

type Bench = LoopBench<ServoBusUnderTest<Sts3215>>;

async function suffer(t: Test, fault: Partial<Fault<ServoBusUnderTest<Sts3215>>>) {
  const bench: Bench = new LoopBench(await ServoBusUnderTest.alone<Sts3215>(feetechArm()));
  t.teardown(() => bench.dispose());
  return bench.suffer({
    row: 'no reply',
    name: 'a test',
    expected: 'stops',
    begin: nothingToClear,
    clear: nothingToClear,
    ...fault,
  });
}

t.test('a fault that does not show is told from one that does', async t => {
  const { passed, failures } = await suffer(t, {});
  t.notOk(passed);
  t.match(failures, ['the run went on']);
});

t.test('an arm that moves when the fault is cleared is seen', async t => {
  const { failures, movedRad } = await suffer(t, {
    begin({ arm }) {
      arm.servoBus.wire.tamper = () => undefined;
    },
    clear({ arm }) {
      const [servo] = arm.servoBus.servos;
      servo!.set('goalPosition', servo!.get('presentPosition') + 150);
    },
  });
  t.ok(movedRad! > 0.1);
  t.match(failures, [/moved by 0\.\d+ rad when the fault was cleared/]);
});

t.test('an arm that does not stand still is seen, and how long it goes on', async t => {
  const { failures, stoppedMs } = await suffer(t, {
    begin({ arm }) {
      arm.servoBus.wire.tamper = () => undefined;
      // Nobody hears the host any more, and the servo has a far goal.
      arm.toServos = () => new Uint8Array(0);
      const [servo] = arm.servoBus.servos;
      servo!.set('goalSpeed', 700);
      servo!.set('goalPosition', servo!.get('presentPosition') - 600);
    },
  });
  t.ok(stoppedMs! > 500, `${stoppedMs} ms`);
  t.match(failures, [/it stood \d+ ms after/]);
});

t.test('an arm that creeps on, slower than what counts as motion, is seen', async t => {
  const { failures, stoppedMs } = await suffer(t, {
    begin({ arm }) {
      arm.servoBus.wire.tamper = () => undefined;
      arm.toServos = () => new Uint8Array(0);
      const [servo] = arm.servoBus.servos;
      // 0.3 rad/s, away from where it was going.
      servo!.set('goalSpeed', 200);
      servo!.set('goalPosition', servo!.get('presentPosition') - 600);
    },
  });
  t.ok(stoppedMs! <= 100, `${stoppedMs} ms`);
  t.match(failures, [
    /a joint went 0\.\d+ rad further before the fault was cleared/,
    /a joint still crept by 0\.\d+ rad in the last 200 ms of that/,
  ]);
});

t.test('an arm that goes where nobody told it to is seen, though the run goes on', async t => {
  const { failures } = await suffer(t, {
    expected: 'rides out',
    begin({ arm }) {
      const { mechanics } = arm.servoBus;
      const step = mechanics.step.bind(mechanics);
      mechanics.step = targets => step(targets.map(target => target + 150));
    },
  });
  t.match(failures, [/a joint was 0\.\d+ rad from everywhere it was told to be/]);
});

t.test('a reason that does not say what it should is a failure', async t => {
  const { failures } = await suffer(t, { reason: /an earthquake/, begin: ({ arm }) => arm.unplug() });
  t.match(failures, [/the reason does not say an earthquake/]);
});

t.test('a fault that never could be noticed is a failure', async t => {
  const { failures } = await suffer(t, { noticeable: 'disk failed', begin: ({ arm }) => arm.unplug() });
  t.match(failures, ['the fault never showed']);
});
