import t, { type Test } from 'tap';
import { encodeMotion, messageType } from '../../src/kitlink/messages.js';
import { buildHostBoard, HostBoard } from '../support/host-board.js';
import { RawHost, someConfig } from '../support/raw-host.js';
import { frameVectors } from '../support/vectors.js';

const program = buildHostBoard();

function rule(name: string, check: (t: Test, host: RawHost, board: HostBoard) => Promise<void>): void {
  if (program === undefined) return;
  t.test(name, async t => {
    const board = new HostBoard(program);
    await check(t, new RawHost(board.stream(), board), board);
    await board.end();
  });
}

if (program === undefined) {
  t.comment('no C compiler or no make here: the rules are tested on the committed image by hil-tests instead');
  t.ok(frameVectors.vectors.length > 0);
}

rule('after a reset the board is limp, silent, and without a session', async (t, host, board) => {
  await board.advance(100_000);
  t.equal(host.states, 0, 'no STATE before a HELLO');
  t.same(board.pulses, []);
  await host.hello();
  t.match(host.info, { device: 'limp', reason: 'none', configDigest: 0, channels: 2, periodTicks: 40_000 });
  t.match(await host.nextState(), { device: 'limp', channels: [{ pulseTicks: 0 }, { pulseTicks: 0 }] });
});

rule('HELLO of another version is answered with ours', async (t, host) => {
  await host.send(messageType.hello, new Uint8Array(5), { version: 9 });
  t.equal(host.info?.version, 1);
});

rule('STATE comes once a period, at the phase that CONFIG asks for', async (t, host, board) => {
  await host.hello();
  await host.configure({ ...someConfig, samplePhaseTicks: 10_000 });
  await host.nextState();
  const before = host.states;
  await board.advance(200_000);
  t.equal(host.states - before, 10);
  t.equal(host.state!.samplePhaseTicks, 10_000);
});

rule('without CONFIG it does not arm', async (t, host) => {
  await host.hello();
  await host.nextState();
  t.equal(await host.arm(5), 'noConfig');
});

rule('an impossible CONFIG is refused', async (t, host) => {
  const [channel, other] = [someConfig.channels[0]!, someConfig.channels[1]!];
  const wrong = {
    'deadline too short': { ...someConfig, deadlineMs: 19 },
    'deadline too long': { ...someConfig, deadlineMs: 501 },
    'sampled during the pulse': { ...someConfig, samplePhaseTicks: 5999 },
    'sampled too late': { ...someConfig, samplePhaseTicks: 34_001 },
    'pulse too short': { ...someConfig, channels: [{ ...channel, minTicks: 999 }, other] },
    'pulse too long': { ...someConfig, channels: [{ ...channel, maxTicks: 5001 }, other] },
    'upside down': { ...someConfig, channels: [{ ...channel, minTicks: 4800, maxTicks: 1200 }, other] },
    'no speed': { ...someConfig, channels: [{ ...channel, maxStepTicks: 0 }, other] },
    'no channel at all': { ...someConfig, channels: [0, 0].map(() => ({ minTicks: 0, maxTicks: 0, maxStepTicks: 0 })) },
  };
  for (const [why, config] of Object.entries(wrong)) t.equal(await host.configure(config), 'badConfig', why);
  t.equal(await host.configure({ ...someConfig, channels: [channel] }), 'length', 'one channel too few');
  t.equal(await host.configure(), 'ack');
});

rule('CONFIG is kept over a reset, and forgotten when a bit of it has changed', async (t, host, board) => {
  await host.hello();
  t.equal(await host.configure(), 'ack');
  const digest = (await host.nextState()).configDigest;
  await board.command('reset');
  await host.hello();
  t.equal(host.info?.configDigest, digest);
  for (const byte of [0, 3, 10, 22]) {
    await board.command(`spoil ${byte}`);
    await board.command('reset');
    await host.hello();
    t.equal(host.info?.configDigest, 0, `byte ${byte} changed`);
    await board.command(`spoil ${byte}`);
  }
});

rule('CONFIG is not taken while armed', async (t, host, board) => {
  await host.ready();
  t.equal(await host.configure(), 'notNow');
  await board.advance(100_000);
  t.equal(await host.configure(), 'ack', 'but after it has stopped');
});

rule('ARM holds the pulses that it states', async (t, host, board) => {
  await host.ready(77, [2500, 3500]);
  t.same(board.ticks, [2500, 3500]);
  t.match(await host.nextState(), { device: 'armed', channels: [{ pulseTicks: 2500 }, { pulseTicks: 3500 }] });
});

rule('ARM needs the digest of the CONFIG that the board holds', async (t, host, board) => {
  await host.hello();
  await host.nextState();
  await host.configure();
  t.equal(await host.arm(5, [3000, 3000], { digest: 1 }), 'digest');
  t.same(board.pulses, []);
});

rule('ARM needs a fresh sample', async (t, host, board) => {
  await host.hello();
  await host.configure();
  const { sampleUs } = await host.nextState();
  await board.advance(61_000);
  t.equal(await host.arm(5, [3000, 3000], { sampleUs }), 'expired');
  t.equal(await host.arm(6, [3000, 3000], { sampleUs: sampleUs + 1_000_000 }), 'expired', 'nor one of the future');
  t.same(board.pulses, []);
});

rule('ARM needs pulses inside the limits', async (t, host, board) => {
  await host.hello();
  await host.configure();
  await host.nextState();
  for (const pulses of [
    [1199, 3000],
    [3000, 4801],
    [0, 3000],
    [65_535, 3000],
  ])
    t.equal(await host.arm(5, pulses), 'range', `${pulses}`);
  t.same(board.pulses, []);
});

rule('ARM needs a session that was not used before, and none is zero', async (t, host, board) => {
  await host.ready(77);
  await board.advance(100_000);
  await host.nextState();
  t.equal(await host.arm(77), 'session');
  t.equal(await host.arm(0), 'session');
  t.equal(await host.arm(78), 'ack');
});

rule('the same ARM again is answered the same, another one is not taken while armed', async (t, host) => {
  await host.ready(77);
  const { nonce, sequence } = host;
  host.sequence = sequence - 1;
  t.equal(await host.arm(77), 'ack');
  t.equal(host.nonce, nonce);
  t.equal(await host.arm(78), 'notNow');
});

rule(
  'MOTION moves at the speed limit at most, one step a period, and stops where it was told',
  async (t, host, board) => {
    await host.ready(77, [3000, 3000]);
    board.pulses.length = 0;
    for (let i = 0; i < 12; i++) {
      await host.motion([3450, 3450]);
      await host.nextState();
    }
    const steps = (channel: 0 | 1) => [...new Set(board.pulses.map(p => p.ticks[channel]))];
    t.same(steps(0), [3100, 3200, 3300, 3400, 3450]);
    t.same(steps(1), [3200, 3400, 3450]);
    const times = board.pulses.map(p => Math.floor(p.timeUs / 20_000));
    t.equal(new Set(times).size, times.length, 'one change a period');
  },
);

rule('two commands in one period do not step twice', async (t, host, board) => {
  await host.ready(77, [3000, 3000]);
  await host.nextState();
  await host.motion([4000, 3000]);
  await host.motion([4000, 3000]);
  t.same(board.ticks, [3100, 3000]);
  await host.motion([2000, 3000]);
  t.same(board.ticks, [2900, 3000], 'a change of mind steps from the running pulse');
});

rule(
  'MOTION of another session, sequence, nonce or age is refused and counted, and feeds nothing',
  async (t, host, board) => {
    await host.ready();
    const sampleUs = host.state!.sampleUs;
    const { sequence } = host;
    await host.motion([3050, 3000], { session: 78 });
    await host.motion([3050, 3000], { sequence });
    await host.motion([3050, 3000], { sequence: sequence - 0x7fffffff });
    await host.motion([3050, 3000], { nonce: host.nonce + 1 });
    await host.motion([3050, 3000], { sampleUs: sampleUs - 61_000 });
    await host.motion([3050, 3000], { sampleUs: sampleUs + 61_000 });
    t.match((await host.nextState()).counters, {
      refusedSession: 1,
      refusedSequence: 2,
      refusedNonce: 1,
      refusedExpired: 2,
    });
    t.same(board.ticks, [3000, 3000], 'nothing moved');
    await board.advance(60_000);
    t.match(await host.nextState(), { device: 'latched', reason: 'deadline' }, 'none of them fed the deadline');
  },
);

rule('sequences are compared over the wrap of 32 bits', async (t, host) => {
  host.sequence = 0xfffffff0;
  await host.ready();
  t.equal(await host.motion([3050, 3000], { sequence: 5 }), 'silence');
  t.equal((await host.nextState()).motionSequence, 5);
});

rule('silence for longer than the deadline latches: the pulses freeze where they are', async (t, host, board) => {
  await host.ready(77, [3000, 3000]);
  await host.nextState();
  await host.motion([4800, 1200]);
  const fedUs = (await host.nextState()).motionReceivedUs;
  t.equal(host.state!.device, 'armed');
  await board.advance(100_000);
  const frozen = board.ticks;
  t.match(await host.nextState(), { device: 'latched', reason: 'deadline' });
  t.ok(board.pulses.at(-1)!.timeUs <= fedUs + 60_100, 'no change after the deadline');
  await board.advance(500_000);
  t.same(board.ticks, frozen);
  t.not(frozen[0], 0, 'held, not limp');
});

rule('only MOTION feeds the deadline', async (t, host) => {
  await host.ready();
  for (let i = 0; i < 30; i++) {
    await host.hello();
    await host.configure();
  }
  t.match(await host.nextState(), { device: 'latched', reason: 'deadline' });
});

rule(
  'what has latched moves only after a new ARM, and from where it was frozen at its speed limit',
  async (t, host, board) => {
    await host.ready(77, [3000, 3000]);
    await board.advance(100_000);
    await host.nextState();
    await host.motion([3050, 3000]);
    t.equal((await host.nextState()).counters.refusedNotNow, 1);
    board.pulses.length = 0;
    t.equal(await host.arm(78, [3400, 3000]), 'ack');
    t.same(board.ticks, [3100, 3000]);
  },
);

rule('a motion of the arming before is void after a new one', async (t, host, board) => {
  await host.ready(77);
  const old = { session: 77, nonce: host.nonce };
  await board.advance(100_000);
  await host.nextState();
  await host.arm(78);
  t.not(host.nonce, old.nonce);
  await host.motion([3100, 3100], old);
  await host.motion([3100, 3100], { nonce: old.nonce });
  t.match((await host.nextState()).counters, { refusedSession: 1, refusedNonce: 1 });
});

rule('a pulse a little outside is clamped and counted', async (t, host, board) => {
  await host.ready(77, [1250, 3000]);
  await host.nextState();
  await host.motion([1150, 3000]);
  t.same(board.ticks, [1200, 3000]);
  t.match(await host.nextState(), { device: 'armed', counters: { clamped: 1 } });
});

rule('a pulse far outside latches, and nothing moves', async (t, host, board) => {
  for (const [i, pulses] of [
    [1050, 3000],
    [3000, 4901],
    [0, 3000],
    [65_535, 65_535],
  ].entries()) {
    await board.command('reset');
    await host.ready(100 + i);
    await host.nextState();
    await host.motion(pulses);
    t.same(board.ticks, [3000, 3000], `${pulses}`);
    t.match(await host.nextState(), { device: 'latched', reason: 'range' });
  }
});

rule('a hold is obeyed whoever asks, and is not a latch of its own making', async (t, host, board) => {
  await host.ready();
  await host.nextState();
  await host.motion([4800, 3000]);
  t.equal(await host.halt('hold', { session: 1, sampleUs: 0 }), 'ack');
  const frozen = board.ticks;
  t.match(await host.nextState(), { device: 'held', reason: 'host' });
  await host.motion([4800, 3000]);
  await board.advance(100_000);
  t.same(board.ticks, frozen, 'a motion of before is void');
  t.match(await host.nextState(), { device: 'held', reason: 'host' });
});

rule('a relax lets go only when it is of this session, and of now', async (t, host, board) => {
  await host.ready();
  t.equal(await host.halt('relax', { session: 1 }), 'session');
  t.equal(await host.halt('relax', { sampleUs: host.state!.sampleUs - 61_000 }), 'expired');
  t.not(board.ticks[0], 0);
  t.equal(await host.halt('relax'), 'ack');
  t.same(board.ticks, [0, 0]);
  t.match(await host.nextState(), { device: 'limp', reason: 'host' });
});

rule('a reset in the middle of motion leaves it limp, and older frames void', async (t, host, board) => {
  await host.ready(77);
  const { nonce } = host;
  await board.command('reset');
  board.pulses.length = 0;
  await host.hello();
  await host.motion([3000, 3000], { session: 77, nonce });
  t.match(await host.nextState(), { device: 'limp', counters: { refusedSession: 1 } });
  t.same(board.pulses, []);
});

rule('a channel that is off gives no pulses and takes none', async (t, host, board) => {
  await host.hello();
  const config = { ...someConfig, channels: [someConfig.channels[0]!, { minTicks: 0, maxTicks: 0, maxStepTicks: 0 }] };
  await host.configure(config);
  const { configDigest: digest } = await host.nextState();
  t.equal(await host.arm(5, [3000, 3000], { digest }), 'range');
  t.equal(await host.arm(6, [3000, 0], { digest }), 'ack');
  await host.nextState();
  await host.motion([3050, 0]);
  t.same(board.ticks, [3050, 0]);
});

rule('time may wrap in the middle of a motion', async (t, host, board) => {
  /* 2³² µs, less a little: the board has been on for 71 minutes. */
  for (let left = 2 ** 32 - 200_000; left > 0; left -= 60_000_000)
    await board.command(`advance ${Math.min(left, 60_000_000)}`);
  await host.ready();
  for (let i = 0; i < 20; i++) {
    await host.nextState();
    await host.motion([3000 + 20 * i, 3000]);
  }
  t.match(await host.nextState(), { device: 'armed', counters: { refusedExpired: 0 } });
  t.ok(host.state!.sampleUs < 1_000_000, 'it has wrapped');
});

rule('a type or a length that the board does not know is refused', async (t, host) => {
  await host.ready();
  t.equal(await host.send(0x55, new Uint8Array(3)), 'length');
  const long = Uint8Array.of(...encodeMotion({ nonce: host.nonce, sampleUs: 0, pulseTicks: [3000, 3000] }), 0);
  await host.send(messageType.motion, long);
  t.equal((await host.nextState()).counters.badFormat, 2);
});
