/** An arm in a person's hands, on emulated servos in virtual time. */
import { Readable } from 'node:stream';
import { createServiceBus } from '@sim2servo/firmware-bridge/create-service-bus';
import { freeBus } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { Lockstep } from '@sim2servo/hil-tests/rig/lockstep';
import type { CountedServo } from '@sim2servo/models/site';
import t, { type Test } from 'tap';
import { checkPositionMode, LimpArm, servoMemories } from '../../src/calibration/limp-arm.js';
import type { Io } from '../../src/io.js';

const servos = [1, 2].map((id): CountedServo => {
  return { kind: 'feetech', model: 'sts3215', joint: `joint-${id}`, id, zeroCount: 2048, direction: 1 };
});

function bench(t: Test, answer: boolean | undefined) {
  const emulated = freeBus('feetech', 2, 1_000_000);
  t.teardown(() => emulated.dispose());
  const clock = new Lockstep(emulated);
  const bus = createServiceBus('feetech', clock.open(), clock, 1_000_000);
  const said: string[] = [];
  const io: Io = {
    out: () => {},
    err: text => said.push(text),
    live: false,
    ask: async () => answer,
    line: async () => undefined,
    secret: async () => undefined,
    keys: Readable.from([]),
  };
  const abort = new AbortController();
  return { emulated, said, abort, options: { bus, clock, io, signal: abort.signal, servos } };
}

t.test('an arm that is held is let go only after a yes', async t => {
  const refused = bench(t, false);
  refused.emulated.servos[1]!.set('torqueEnable', 1);
  await t.rejects(LimpArm.relax(refused.options, false), { code: 'E_NOT_CONFIRMED' });
  t.equal(refused.emulated.servos[1]!.get('torqueEnable'), 1, 'it holds');
  t.match(refused.said[0], /servo 2 of joint 'joint-2' hold it now\. Support it, it falls/);
  const agreed = bench(t, true);
  agreed.emulated.servos[1]!.set('torqueEnable', 1);
  await LimpArm.relax(agreed.options, false);
  t.equal(agreed.emulated.servos[1]!.get('torqueEnable'), 0);
});

t.test('a limp arm is not asked about', async t => {
  const { options, said } = bench(t, undefined);
  await LimpArm.relax(options, false);
  t.same(said, []);
});

t.test('it is looked at until the person says so, and what is handed over is no older than that', async t => {
  const { emulated, options } = bench(t, undefined);
  const arm = await LimpArm.relax(options, false);
  let looks = 0;
  let enter!: (answer: string) => void;
  const over = new Promise<string>(resolve => {
    enter = resolve;
  });
  const watched = await arm.watch(over, () => {
    looks++;
    emulated.mechanics.turn!(0, 1000 + looks);
    if (looks === 5) enter('w');
  });
  t.equal(watched.answer, 'w');
  t.ok(looks >= 6 && watched.counts[0]! > 1004, `${watched.counts[0]} after ${looks} looks`);
});

t.test('torque that comes on, a servo that falls silent, and Ctrl-C end it', async t => {
  const never = new Promise<string>(() => {});
  for (const [what, code] of [
    [b => b.emulated.servos[0]!.set('torqueEnable', 1), 'E_SERVO_TORQUE'],
    [b => b.emulated.servos[0]!.restart(1000), 'E_NO_SAMPLE'],
    [b => b.abort.abort(), 'E_INTERRUPTED'],
  ] as [(b: ReturnType<typeof bench>) => void, string][]) {
    const own = bench(t, undefined);
    const arm = await LimpArm.relax(own.options, false);
    let looks = 0;
    await t.rejects(
      arm.watch(never, () => {
        if (++looks === 3) what(own);
      }),
      { code },
    );
  }
});

t.test('a servo that is missing, another one, or in another mode is named', async t => {
  const { emulated, options } = bench(t, undefined);
  const [first, second] = servos;
  await t.rejects(servoMemories(options.bus, [first!, { ...second!, id: 5 }]), {
    code: 'E_SERVO_MISSING',
    message: "no answer from servo 5 of joint 'joint-2'",
  });
  emulated.servos[1]!.set('mode', 1);
  const memories = await servoMemories(options.bus, servos);
  t.throws(() => checkPositionMode(servos, memories), {
    code: 'E_SERVO_MODE',
    message: /servo 2 .* is not in position/,
  });
  emulated.servos[1]!.set('modelNumber', 1284);
  await t.rejects(servoMemories(options.bus, servos), { code: 'E_SERVO_MODEL', message: /is a model 1284/ });
});
