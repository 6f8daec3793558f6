/** Host and bridge together, in virtual time: times here are exact. */
import type { Command, StateMessage } from '@sim2servo/models/bridge-messages';
import { topicsOf } from '@sim2servo/models/bridge-messages';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { Test } from 'tap';
import { MemoryBroker } from '../../src/mqtt/memory-broker.js';
import { runBridge } from '../../src/mqtt/mqtt-bridge.js';
import { MqttLink } from '../../src/mqtt/mqtt-link.js';
import { SharedClock } from '../../src/mqtt/shared-clock.js';
import { createServoState, type ServoMotion } from '../../src/servo-link.js';
import { VirtualBus } from './virtual-bus.js';

export const robot = loadRobot('desk2');
export const topics = topicsOf('desk2');
export const address = { broker: 'mqtt://memory' };
export const deadlineMs = 100;

export interface Bench {
  readonly clock: SharedClock;
  readonly broker: MemoryBroker;
  readonly bus: VirtualBus;
  readonly events: string[];
  readonly end: AbortController;
  readonly bridge: Promise<unknown>;
}

/** A bridge that serves. */
export async function bench(t: Test, busOptions: { streams?: boolean; deadlineMs?: number } = {}): Promise<Bench> {
  const clock = new SharedClock();
  const broker = new MemoryBroker(clock);
  const bus = new VirtualBus(clock, busOptions);
  const events: string[] = [];
  const end = new AbortController();
  const bridge = startBridge(clock, broker, bus, events, end.signal);
  bridge.catch(() => {});
  t.teardown(() => {
    end.abort();
    return clock.during(bridge.catch(() => {}));
  });
  await clock.pass(600_000);
  return { clock, broker, bus, events, end, bridge };
}

export function startBridge(
  clock: SharedClock,
  broker: MemoryBroker,
  bus: VirtualBus,
  events: string[],
  signal: AbortSignal,
  sampleHz = 50,
) {
  return runBridge({
    robot,
    link: bus,
    clock,
    name: 'desk2',
    address,
    deadlineMs,
    sampleHz,
    signal,
    onEvent: what => events.push(what),
    connect: broker.connect,
  });
}

export function hostOn(
  { clock, broker }: Bench,
  over: Partial<ConstructorParameters<typeof MqttLink>[0]> = {},
): MqttLink {
  const { spec, specSha256 } = robot;
  return new MqttLink({
    clock,
    spec,
    specSha256,
    name: 'desk2',
    deadlineMs,
    address,
    connect: broker.connect,
    ...over,
  });
}

export const state = createServoState(2);

/** A host that has armed and moves the shoulder a little each sample, for `ticks` of them. */
export async function drive(b: Bench, motion: ServoMotion, ticks = 20): Promise<void> {
  for (let i = 0; i < ticks; i++) {
    await b.clock.during(motion.read(state, 40_000));
    motion.write(Float64Array.of(state.position[0]! + 0.01, state.position[1]!));
  }
}

export async function drivenBench(t: Test, busOptions: { streams?: boolean; deadlineMs?: number } = {}) {
  const b = await bench(t, busOptions);
  const motion = await b.clock.during(hostOn(b).open());
  await b.clock.during(motion.read(state, 40_000));
  await b.clock.during(motion.arm());
  await drive(b, motion);
  return { b, motion };
}

export const commandsSent = (b: Bench) =>
  b.broker.published
    .filter(({ topic }) => topic === topics.command)
    .map(({ payload }) => JSON.parse(payload) as Command);
export const lastState = (b: Bench) =>
  JSON.parse(b.broker.published.findLast(({ topic }) => topic === topics.state)!.payload) as StateMessage;
export const refusedCounts = (b: Bench) =>
  JSON.parse(b.broker.published.findLast(({ topic }) => topic === topics.telemetry)!.payload).refused;
/** Where the bus was last told to go somewhere else, and when it was told to hold. */
export function stopOf(bus: VirtualBus) {
  const { told } = bus;
  let changedUs = 0;
  for (const [i, { timeUs, what }] of told.entries())
    if (Array.isArray(what) && JSON.stringify(what) !== JSON.stringify(told[i - 1]?.what)) changedUs = timeUs;
  return { changedUs, heldUs: told.findLast(({ what }) => what === 'hold')?.timeUs ?? Number.NaN };
}
