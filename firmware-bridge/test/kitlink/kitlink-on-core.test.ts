import { loadRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { KitLink } from '../../src/kitlink/kitlink.js';
import { PulseMap } from '../../src/kitlink/pulse-map.js';
import { createServoState, type ServoMotion } from '../../src/servo-link.js';
import { buildHostBoard, HostBoard } from '../support/host-board.js';
import { RawHost } from '../support/raw-host.js';

const { spec, site } = loadRobot('desk2');
const map = new PulseMap(spec, site, 2);
const program = buildHostBoard();

interface Bench {
  readonly board: HostBoard;
  readonly link: KitLink;
  readonly motion: ServoMotion;
}

/** The link, open, on the real core of the firmware. */
function onCore(name: string, check: (t: Test, bench: Bench) => Promise<void>): void {
  if (program === undefined) return;
  t.test(name, async t => {
    const board = new HostBoard(program);
    await board.command('counts 600 512');
    let sessions = 0;
    const newSession = () => ++sessions;
    const link = new KitLink({ open: async () => board.stream(), clock: board, spec, site, newSession });
    await check(t, { board, link, motion: await link.open() });
    await link.close();
    await board.end();
  });
}

if (program === undefined) {
  t.comment('no C compiler or no make here: the link is tested on the committed image by hil-tests instead');
  t.equal(map.config.channels.length, 2);
}

const ticksOf = (angles: readonly number[]): number[] => {
  const ticks = new Uint16Array(2);
  map.toTicks(angles, ticks);
  return [...ticks];
};

onCore('opening configures the board and moves nothing', async (t, { board, motion }) => {
  const state = createServoState(2);
  t.equal(await motion.read(state, 40_000), true);
  t.match(state, {
    device: 'limp',
    reason: '',
    phaseUs: 12_000,
    periodUs: 20_000,
    linkErrors: 0,
    roundTripUs: Number.NaN,
  });
  t.same(board.pulses, []);
});

onCore('a read gives each sample once, by its own time', async (t, { board, motion }) => {
  const state = createServoState(2);
  const seen = new Set<number>();
  for (let i = 0; i < 20; i++) {
    t.ok(await motion.read(state, 40_000));
    seen.add(state.sample);
    t.ok(Math.abs(board.nowUs() - state.sampledAtUs) < 4000, 'sampled a moment ago');
  }
  t.equal(seen.size, 20);
  t.equal(await motion.read(state, 3000), false, 'none came meanwhile');
});

onCore('the measured angles are those of the counts', async (t, { board, motion }) => {
  const state = createServoState(2);
  await board.command('counts 700 400');
  await motion.read(state, 40_000);
  await motion.read(state, 40_000);
  const expected = new Float64Array(2);
  map.toAngles([{ counts: 700 }, { counts: 400 }], expected);
  t.same(state.position, expected);
});

onCore('arming asks for the present position first', async (t, { board, motion }) => {
  const state = createServoState(2);
  await motion.read(state, 40_000);
  await motion.arm();
  t.same(board.ticks, ticksOf([...state.position]));
  await motion.read(state, 40_000);
  t.equal(state.device, 'armed');
});

onCore('targets become pulses, at the speed limit, and the round trip is measured', async (t, { board, motion }) => {
  const state = createServoState(2);
  await motion.read(state, 40_000);
  await motion.arm();
  const targets = Float64Array.from(state.position);
  targets[0]! += 0.3;
  for (let i = 0; i < 12; i++) {
    await motion.read(state, 40_000);
    motion.write(targets);
  }
  await motion.read(state, 40_000);
  t.same(board.ticks, ticksOf([...targets]));
  const { maxStepTicks } = map.config.channels[0]!;
  for (const [i, { ticks }] of board.pulses.entries())
    if (i > 0) t.ok(Math.abs(ticks[0] - board.pulses[i - 1]!.ticks[0]) <= maxStepTicks, `step ${i}`);
  t.ok(state.roundTripUs >= 0 && state.roundTripUs < 5000, `${state.roundTripUs} µs`);
});

onCore('a target that is no number is never sent', async (t, { board, motion }) => {
  await motion.arm();
  const before = board.ticks;
  t.throws(() => motion.write(Float64Array.of(Number.NaN, 1)), { code: 'E_TARGET' });
  await board.advance(50_000);
  t.same(board.ticks, before);
});

onCore('a host that falls silent finds the board latched, and why', async (t, { board, motion }) => {
  const state = createServoState(2);
  await motion.arm();
  await board.advance(200_000);
  await motion.read(state, 40_000);
  t.match(state, { device: 'latched', reason: 'no motion command came in time' });
  motion.write(state.position);
  await board.advance(100_000);
  t.equal(board.pulses.length, 1, 'and moves nothing any more');
  await motion.arm();
  await motion.read(state, 40_000);
  t.equal(state.device, 'armed', 'until it is armed anew');
});

onCore('a halt holds or lets go, and what is written later is refused here already', async (t, { board, motion }) => {
  const state = createServoState(2);
  await motion.arm();
  await motion.halt('hold');
  t.throws(() => motion.write(Float64Array.of(0, 1)), { code: 'E_NOT_ARMED' });
  await motion.read(state, 40_000);
  t.match(state, { device: 'held', reason: 'the host asked for it' });
  await motion.halt('relax');
  t.same(board.ticks, [0, 0]);
});

onCore('lost answers cost a repetition, not the arming', async (t, { board, motion }) => {
  let lost = 0;
  board.cable = bytes => (lost++ < 1 ? new Uint8Array(0) : bytes);
  await motion.arm();
  t.not(board.ticks[0], 0);
  lost = 0;
  await motion.halt('hold');
});

onCore('an ARM that comes too late is made anew', async (t, { board, motion }) => {
  let sent = 0;
  board.cable = bytes => (sent++ < 3 ? new Uint8Array(0) : bytes);
  await motion.arm();
  t.equal(board.pulses.length, 1);
});

onCore('a board that answers nothing any more ends the arming in words', async (t, { board, motion }) => {
  board.cable = () => new Uint8Array(0);
  await t.rejects(motion.arm(), { code: 'E_ARM_REFUSED', message: /no answer came/ });
  await t.rejects(motion.halt('hold'), { code: 'E_HALT_REFUSED', message: /no answer came/ });
});

onCore('spoilt bytes are counted, and the arm stays where it was told', async (t, { board, motion }) => {
  const state = createServoState(2);
  await motion.arm();
  const armed = board.ticks;
  board.cable = bytes => {
    const spoilt = Uint8Array.from(bytes);
    spoilt[9]! ^= 4;
    return spoilt;
  };
  for (let i = 0; i < 4; i++) {
    await motion.read(state, 40_000);
    motion.write(Float64Array.of(1, 2));
  }
  await motion.read(state, 40_000);
  t.ok(state.linkErrors >= 3, `${state.linkErrors} errors`);
  t.match(state, { device: 'latched' });
  t.same(board.ticks, armed);
});

onCore('a joint that stands outside its range is not armed', async (t, { board, motion }) => {
  await board.command('counts 1023 512');
  await t.rejects(motion.arm(), {
    code: 'E_ARM_OUTSIDE',
    exit: 'safetyStop',
    message: /joint 'shoulder' stands at 1\.90 rad/,
  });
  t.same(board.pulses, []);
});

onCore(
  'a board that was reset in the middle says so, is limp, and moves only after an arming',
  async (t, { board, motion }) => {
    const state = createServoState(2);
    await motion.arm();
    await board.command('reset');
    board.pulses.length = 0;
    t.equal(await motion.read(state, 40_000), false, 'it is silent');
    motion.write(Float64Array.of(0.4, 1.2));
    t.equal(await motion.read(state, 40_000), true, 'until it was greeted again');
    t.match(state, { device: 'limp', reason: 'the board was reset' });
    t.same(board.pulses, []);
    await motion.arm();
    await motion.read(state, 40_000);
    t.match(state, { device: 'armed', reason: '' });
  },
);

onCore('a board that somebody else left armed is stopped before it is armed', async (t, { board, link, motion }) => {
  await motion.arm();
  await link.close();
  const next = new KitLink({ open: async () => board.stream(), clock: board, spec, site, newSession: () => 99 });
  const taken = await next.open();
  await taken.arm();
  const state = createServoState(2);
  await taken.read(state, 40_000);
  t.equal(state.device, 'armed');
});

onCore('a board with another configuration is configured before anything else', async (t, { board, link }) => {
  await link.close();
  const raw = new RawHost(board.stream(), board);
  await raw.hello();
  t.equal(await raw.configure(), 'ack');
  const next = new KitLink({ open: async () => board.stream(), clock: board, spec, site, newSession: () => 5 });
  const motion = await next.open();
  await motion.arm();
  t.same(board.pulses.length, 1);
});
