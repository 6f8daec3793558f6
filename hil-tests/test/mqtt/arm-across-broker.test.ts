/**
 * The whole way, all of it real: a host process, a broker, a bridge process, a serial port, the firmware image. What came of each fault is
 * read from the pins; its times are the board's.
 */
import type { ChildProcess } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { type BrokerMessage, connectBroker } from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { type Command, type Telemetry, topicsOf } from '@sim2servo/models/bridge-messages';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import t, { type Test } from 'tap';
import type { Pulse } from '../../src/rig/arm-on-board.js';
import { startAvrRig } from '../../src/rig/avr-rig.js';
import { startBroker } from '../../src/rig/broker/start-broker.js';
import { pinOutcome } from '../../src/scenarios/fault-bench.js';
import { latchedAfterMs } from '../../src/scenarios/real-time-host.js';
import { startBridge } from '../../src/scenarios/serving-bridge.js';
import { startSwinging } from '../../src/scenarios/swinging-host.js';

const deadlineMs = 100;
const robot = loadRobot('desk2');
const topics = topicsOf('desk2');
const boardDeadlineMs = siteOn(robot.site, 'kitlink').bus.deadlineMs;
/** The frame that says so is sampled once a period and takes 2 ms on the wire. */
const tellingMs = 25;
/** On a machine that is too busy for the deadlines a host stops by itself, before anything is done to it. Then it is begun anew. */
const attempts = 8;

async function acrossBroker(t: Test): Promise<void> {
  const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
  const broker = await startBroker();
  let bridge = await startBridge('desk2', rig.path, broker.url, deadlineMs);
  t.teardown(async () => {
    bridge.kill('SIGKILL');
    await broker.stop();
    await rig.stop();
  });
  const folder = t.testdir({});
  cpSync(robot.folder, folder, { recursive: true });
  writeFileSync(
    `${folder}/site.json`,
    JSON.stringify({ format: 'sim2servo/site@1', bus: { kind: 'mqtt', broker: broker.url, deadlineMs } }),
  );
  const remote = loadRobot(folder);

  const heard: BrokerMessage[] = [];
  const listener = await connectBroker({
    broker: broker.url,
    clientId: `test-${Math.random()}`,
    subscribe: [topics.command, topics.status, topics.telemetry],
    reconnect: true,
    onMessage: message => heard.push(message),
    onChange: () => {},
  });
  t.teardown(() => listener.close());
  const last = <T>(topic: string) => JSON.parse(heard.findLast(message => message.topic === topic)!.payload) as T;

  /**
   * Does something to an arm that a host process swings. What came of it, on the pins; whether the host went on meanwhile, and whether it
   * had ended a second later.
   */
  async function onSwing(act: (host: ChildProcess) => Promise<void>) {
    for (let attempt = 1; ; attempt++) {
      await rig.tell({ kind: 'clear' });
      const host = await startSwinging(folder, '');
      await sleep(400);
      const { nowUs: faultUs, device } = await rig.report();
      const ready = host.exitCode === null && device === 'armed';
      if (ready) await act(host);
      const survived = host.exitCode === null;
      // A second of the board's own time, which may go slower than ours.
      let report = await rig.report();
      for (; ready && report.nowUs < faultUs + 1_000_000; report = await rig.report()) await sleep(100);
      const ended = host.exitCode !== null;
      host.kill('SIGKILL');
      await sleep(2 * deadlineMs);
      if (ready) return { ...report, ...pinOutcome(report.pulses, faultUs, report.nowUs), survived, ended };
      if (attempt === attempts) throw new Error('no host came into motion: this machine is too busy');
    }
  }

  await t.test('a round trip: the arm swings, and the host knows how long an answer takes', async t => {
    const clock = new RealtimeClock();
    const link = createLink({ robot: remote, clock, open: noPort });
    const motion = await link.open();
    const state = createServoState(2);
    await motion.read(state, 100_000);
    t.equal(state.periodUs, 20_000);
    await motion.halt('hold');
    await link.close();
    const { pulses } = await onSwing(async () => {});
    t.ok(swing(pulses) > 20, `pulses moved by ${swing(pulses)} µs`);
  });

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
    await t.test(`${signal} of the host: the arm is held within the deadline of a command`, async t => {
      const { arm, settledMs, device } = await onSwing(async host => {
        host.kill(signal);
      });
      t.comment(`pulses changed for ${settledMs.toFixed(1)} ms`);
      t.equal(arm, 'held');
      t.ok(settledMs <= deadlineMs, `pulses changed for ${settledMs.toFixed(1)} ms`);
      // A bridge that this machine did not let run in time leaves it to the board.
      t.match(device, /^(?:held|latched)$/);
      t.match(last(topics.telemetry), { device: 'latched', reason: 'no command of the host came in time' });
    });

  await t.test('old, replayed, retained and foreign commands move nothing, and each is counted', async t => {
    const before = last<Telemetry>(topics.telemetry).refused;
    const { pulses, survived } = await onSwing(async host => {
      const command = last<Extract<Command, { kind: 'motion' }>>(topics.command);
      const away = { ...command, targetsRad: [-1.4, command.targetsRad[1]!] };
      const ahead = command.sequence + 100_000;
      const send = (wrong: object, retained = false) => {
        for (const since = performance.now(); performance.now() - since < 1000; )
          if (listener.publish(topics.command, wrong, { retained })) return;
      };
      send(away);
      await sleep(20);
      send({ ...away, sequence: ahead, sampleUs: command.sampleUs - 1_000_000 });
      await sleep(20);
      send({ ...away, sequence: ahead, session: command.session === 1 ? 2 : 1 });
      await sleep(20);
      send({ ...away, sequence: ahead }, true);
      await sleep(300);
      t.equal(host.exitCode, null, 'the host that has the arm goes on');
    });
    t.ok(survived);
    const lowest = Math.min(...pulses.filter(({ channel }) => channel === 0).map(({ widthUs }) => widthUs));
    t.ok(lowest > 900, `${lowest} µs; -1.4 rad would be 698`);
    const { refused } = last<Telemetry>(topics.telemetry);
    for (const reason of ['stale', 'session', 'sequence', 'retained'] as const)
      t.ok(refused[reason] > before[reason], `${reason}: ${refused[reason]}`);
  });

  await t.test('a second host is refused by name of the first, which goes on', async t => {
    const { survived } = await onSwing(async host => {
      const link = createLink({ robot: remote, clock: new RealtimeClock(), open: noPort });
      const motion = await link.open();
      await t.rejects(motion.arm(), {
        code: 'E_ARM_REFUSED',
        message: new RegExp(`another host has the arm: .*process ${host.pid}`),
      });
      await t.rejects(motion.halt('relax'), { code: 'E_HALT_REFUSED', message: /another host has the arm/ });
      await link.close();
    });
    t.ok(survived);
  });

  await t.test('the broker is killed: the arm is held; it comes back: nothing moves until somebody arms', async t => {
    const { arm, settledMs, device, ended } = await onSwing(() => broker.kill());
    t.comment(`pulses changed for ${settledMs.toFixed(1)} ms`);
    t.equal(arm, 'held');
    t.ok(settledMs <= deadlineMs, `pulses changed for ${settledMs.toFixed(1)} ms`);
    t.match(device, /^(?:held|latched)$/);
    t.ok(ended, 'the host ends by itself');
    await rig.tell({ kind: 'clear' });
    await broker.resume();
    heard.length = 0;
    await until(() => heard.some(({ topic }) => topic === topics.telemetry), 'the bridge is back by itself');
    t.equal(swing((await rig.report()).pulses), 0);
    const { pulses } = await onSwing(async () => {});
    t.ok(swing(pulses) > 20, 'an arming leads out');
  });

  await t.test(
    'the bridge is killed: its last will says so, and the board holds the arm by its own deadline',
    async t => {
      let afterMs = Number.NaN;
      heard.length = 0;
      const { arm, settledMs, device, reason, ended } = await onSwing(async () => {
        bridge.kill('SIGKILL');
        afterMs = await latchedAfterMs(rig);
      });
      t.comment(`latched ${afterMs.toFixed(1)} ms after the last byte; pulses changed for ${settledMs.toFixed(1)} ms`);
      t.ok(afterMs <= boardDeadlineMs + tellingMs, `latched ${afterMs.toFixed(1)} ms after the last byte`);
      t.equal(arm, 'held');
      t.match({ device, reason }, { device: 'latched', reason: 'no motion command came in time' });
      t.match(last(topics.status), { state: 'offline', reason: 'its connection broke off' });
      t.ok(ended, 'the host ends by itself');
      const link = createLink({ robot: remote, clock: new RealtimeClock(), open: noPort });
      await t.rejects(link.open(), { code: 'E_BRIDGE_GONE', message: /offline: its connection broke off/ });
      bridge = await startBridge('desk2', rig.path, broker.url, deadlineMs);
      const { device: after } = await rig.report();
      t.equal(after, 'limp', 'opening its port resets an Uno; the bridge that came back armed nothing');
    },
  );
}

t.test(
  'an arm across a broker',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  acrossBroker,
);

/** How far the first servo's pulses went, µs. */
function swing(pulses: readonly Pulse[]): number {
  const widths = pulses.filter(({ channel }) => channel === 0).map(({ widthUs }) => widthUs);
  return Math.max(...widths) - Math.min(...widths);
}

const noPort = () => Promise.reject(new Error('there is no port here'));

async function until(what: () => boolean, words: string): Promise<void> {
  for (const since = performance.now(); performance.now() - since < 10_000; await sleep(20)) if (what()) return;
  throw new Error(`it did not happen within 10 s: ${words}`);
}
