import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { crc32 } from '../../src/kitlink/crc32.js';
import type { Frame } from '../../src/kitlink/frame.js';
import { KitLink } from '../../src/kitlink/kitlink.js';
import { encodeConfig, messageType } from '../../src/kitlink/messages.js';
import { PulseMap } from '../../src/kitlink/pulse-map.js';
import { createServoState } from '../../src/servo-link.js';
import { ScriptedBoard } from '../support/scripted-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const { spec, site } = loadRobot('desk2');
const digest = crc32(encodeConfig(new PulseMap(spec, site, 2).config));

type Answers = Partial<Record<number, (frame: Frame, board: ScriptedBoard) => void>>;

/** A board that answers as a good one does, but for what `over` says. */
function bench(over: Answers = {}, counts: readonly [number, number] = [512, 512]) {
  const clock = new VirtualClock();
  let streaming = false;
  const good: Answers = {
    [messageType.hello]: (_, it) => {
      it.info();
      if (!streaming) it.stream(counts);
      streaming = true;
    },
    [messageType.config]: (frame, it) => it.ack(frame, digest),
    [messageType.arm]: (frame, it) => it.ack(frame, 4711),
    [messageType.halt]: (frame, it) => it.ack(frame, 2),
  };
  const answers = { ...good, ...over };
  const board = new ScriptedBoard(clock, (frame, it) => answers[frame.type]?.(frame, it));
  const link = new KitLink({ open: async () => board, clock, spec, site, newSession: () => 7 });
  return { clock, board, link };
}

t.test('a good board is opened, armed, moved, halted and closed', async t => {
  const { board, link } = bench();
  const motion = await link.open();
  const state = createServoState(2);
  t.ok(await motion.read(state, 40_000));
  t.same(await motion.arm(), state.position, 'it says where it stays');
  motion.write(Float64Array.of(0, 1.2));
  await motion.halt('hold');
  await link.close();
  t.ok(board.closed);
  t.same(
    board.heard.filter(type => type !== messageType.hello),
    [messageType.config, messageType.arm, messageType.motion, messageType.halt],
  );
});

t.test('a port on which nothing answers: said after the time that a bootloader needs, and closed', async t => {
  const { clock, board, link } = bench({ [messageType.hello]: () => {} });
  const startUs = clock.nowUs();
  await t.rejects(link.open(), { code: 'E_NO_ANSWER', exit: 'noDevice', hint: /kit device flash/ });
  t.equal(clock.nowUs() - startUs, 4_000_000);
  t.equal(board.heard.length, 40, 'it was greeted every 100 ms');
  t.ok(board.closed);
});

t.test('a device that talks something else is foreign', async t => {
  const { board, link } = bench({
    [messageType.hello]: (_, it) => it.babble(new TextEncoder().encode('Marlin 2.1.2 ready\nok\n')),
  });
  await t.rejects(link.open(), { code: 'E_FOREIGN_DEVICE', exit: 'noDevice', message: /\d+ bytes/ });
  t.ok(board.closed);
});

t.test('a board that is silent while its bootloader runs is waited for', async t => {
  let greetings = 0;
  const { link } = bench({
    [messageType.hello]: (_, it) => {
      if (++greetings < 20) return;
      it.info();
      if (greetings === 20) it.stream();
    },
  });
  await link.open();
  t.equal(greetings, 20);
});

t.test('a board with another version of the link is told apart from a foreign device', async t => {
  const { link } = bench({ [messageType.hello]: (_, it) => it.info(2) });
  await t.rejects(link.open(), {
    code: 'E_LINK_VERSION',
    message: 'the board speaks version 2 of the link, this kit version 1',
    hint: /kit device flash/,
  });
});

t.test('a board with too few channels for the site is refused by the name of the servo', async t => {
  const { link } = bench({ [messageType.hello]: (_, it) => it.info(1, 1) });
  await t.rejects(link.open(), { code: 'E_CHANNEL', exit: 'usage', message: /'elbow'/ });
});

t.test('a refused configuration is an error that says why', async t => {
  const { board, link } = bench({ [messageType.config]: (frame, it) => it.nack(frame, 'badConfig') });
  await t.rejects(link.open(), { code: 'E_CONFIG_REFUSED', exit: 'usage', message: /impossible for this board/ });
  t.ok(board.closed);
});

t.test('a board that confirms another configuration than it was sent is not believed', async t => {
  const { link } = bench({ [messageType.config]: (frame, it) => it.ack(frame, digest ^ 1) });
  await t.rejects(link.open(), { code: 'E_CONFIG_REFUSED', message: /taken another one/ });
});

t.test('a configuration that is never answered is asked for ten times', async t => {
  const { board, link } = bench({ [messageType.config]: () => {} });
  await t.rejects(link.open(), { code: 'E_CONFIG_REFUSED', message: /no answer/ });
  t.equal(board.heard.filter(type => type === messageType.config).length, 10);
});

t.test('a board that is silent once it is configured is an error', async t => {
  const { link } = bench({ [messageType.hello]: (_, it) => it.info() });
  await t.rejects(link.open(), { code: 'E_NO_SAMPLE', exit: 'timeout' });
});

t.test('a port that vanishes ends a read at once, and everything after it, with the same words', async t => {
  const { clock, board, link } = bench();
  const motion = await link.open();
  await motion.arm();
  const state = createServoState(2);
  await motion.read(state, 40_000);
  const startUs = clock.nowUs();
  clock.after(3000, () => board.vanish('ENXIO'));
  const gone = { code: 'E_PORT_CLOSED', exit: 'noDevice', message: 'the port has gone: ENXIO' };
  await t.rejects(motion.read(state, 1_000_000), gone);
  t.equal(clock.nowUs() - startUs, 3000, 'not after the timeout');
  t.throws(() => motion.write(Float64Array.of(0, 1.2)), gone);
  await t.rejects(motion.halt('hold'), gone);
  await t.rejects(motion.arm(), gone);
});

t.test('a port that vanishes while the board is greeted is that error, not silence', async t => {
  const { clock, board, link } = bench({ [messageType.hello]: () => {} });
  clock.after(250_000, () => board.vanish('EIO'));
  await t.rejects(link.open(), { code: 'E_PORT_CLOSED', message: /EIO/ });
});

t.test('what opening the port throws comes through as it is', async t => {
  const refused = new KitError('E_PORT_BUSY', 'in use', 'end the other program first', 'noDevice');
  const link = new KitLink({ open: () => Promise.reject(refused), clock: new VirtualClock(), spec, site });
  await t.rejects(link.open(), refused);
});

t.test('nothing is written before an arming, nor after a halt', async t => {
  const { board, link } = bench();
  const motion = await link.open();
  const unarmed = { code: 'E_NOT_ARMED', exit: 'bug' };
  t.throws(() => motion.write(Float64Array.of(0, 1.2)), unarmed);
  await motion.arm();
  await motion.halt('hold');
  t.throws(() => motion.write(Float64Array.of(0, 1.2)), unarmed);
  t.notOk(board.heard.includes(messageType.motion));
});

t.test('an arming that is refused for good is not tried again', async t => {
  for (const [reason, words] of [
    ['digest', /another configuration/],
    ['range', /outside the limits/],
    ['noConfig', /never configured/],
  ] as const) {
    const { board, link } = bench({ [messageType.arm]: (frame, it) => it.nack(frame, reason) });
    const motion = await link.open();
    await t.rejects(motion.arm(), { code: 'E_ARM_REFUSED', exit: 'safetyStop', message: words }, reason);
    t.equal(board.heard.filter(type => type === messageType.arm).length, 1, reason);
    t.throws(() => motion.write(Float64Array.of(0, 1.2)), { code: 'E_NOT_ARMED' });
  }
});

t.test('an arming that came too late is tried with a new sample, three times at most', async t => {
  let armings = 0;
  const { link } = bench({
    [messageType.arm]: (frame, it) => (++armings < 3 ? it.nack(frame, 'expired') : it.ack(frame, 1)),
  });
  await (await link.open()).arm();
  t.equal(armings, 3);

  const stubborn = bench({ [messageType.arm]: (frame, it) => it.nack(frame, 'expired') });
  await t.rejects((await stubborn.link.open()).arm(), { code: 'E_ARM_REFUSED', message: /too old/ });
});

t.test('an arm that stands outside its range is not armed, and is named', async t => {
  const { board, link } = bench({}, [512, 1010]);
  const motion = await link.open();
  await t.rejects(motion.arm(), { code: 'E_ARM_OUTSIDE', exit: 'safetyStop', message: /joint 'elbow'/ });
  t.notOk(board.heard.includes(messageType.arm));
});

t.test('a halt that nobody confirms is an error that says what holds the arm now', async t => {
  const { board, link } = bench({ [messageType.halt]: () => {} });
  const motion = await link.open();
  await motion.arm();
  await t.rejects(motion.halt('hold'), { code: 'E_HALT_REFUSED', exit: 'safetyStop', hint: /60 ms/ });
  t.equal(board.heard.filter(type => type === messageType.halt).length, 10);
});

t.test('a board that was reset has nothing to hold with: that it confirms is no hold', async t => {
  const { board, link } = bench({
    [messageType.halt]: (frame, it) => {
      it.session = 0;
      it.ack(frame, 2);
    },
  });
  const motion = await link.open();
  await t.resolves(motion.halt('hold'), 'it was never armed: nothing is lost');
  await motion.arm();
  await t.rejects(motion.halt('hold'), {
    code: 'E_HALT_REFUSED',
    message: /^NOT held \(the board was reset, .*\): joint 'shoulder', joint 'elbow'; no joint is known to hold$/,
  });
  t.equal(board.heard.filter(type => type === messageType.halt).length, 2);
});

t.test('a read that times out leaves the last sample and says that it is not new', async t => {
  const { clock, link } = bench();
  const motion = await link.open();
  const state = createServoState(2);
  await motion.read(state, 40_000);
  const { sample } = state;
  const startUs = clock.nowUs();
  t.equal(await motion.read(state, 5000), false);
  t.equal(clock.nowUs() - startUs, 5000);
  t.equal(state.sample, sample);
});

t.test('a link that is closed asks to be opened', async t => {
  const { link } = bench();
  const motion = await link.open();
  await link.close();
  await link.close();
  await t.rejects(motion.read(createServoState(2), 1000), { code: 'E_PORT_CLOSED', exit: 'bug' });
});
