/** `kit device monitor`: what every servo says of itself, again and again. It moves nothing and switches nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createServiceBus } from '@sim2servo/firmware-bridge/create-service-bus';
import type { ServiceBus } from '@sim2servo/firmware-bridge/service-bus';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { radPerCount } from '@sim2servo/models/servo-scale';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { LiveTable, tableLines } from '../live-table.js';
import { addBusOptions, type BusFlags, idList, type NamedBus, namedBus } from '../named-bus.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';
import { robotPlace } from '../robot-place.js';
import { servoPort } from '../servo-port.js';
import { type ServoReading, type ServoWatch, type WatchedServo, watchBoard, watchBus } from '../servo-watch.js';

interface MonitorFlags extends BusFlags {
  readonly ids?: readonly number[];
  readonly rate: number;
  readonly samples?: number;
}

const clock = new RealtimeClock();

export function addMonitor(device: Command, context: CommandContext): void {
  addBusOptions(
    device.command('monitor').description('show what every servo says of itself, until Ctrl-C; nothing is moved'),
  )
    .option('--ids <list>', 'without a robot: ids to look for, like 1-6 or 1,3 (default: 1-6)', idList)
    .option('--rate <hz>', 'looks a second', positiveNumber, 5)
    .option('--samples <n>', 'end after so many looks', wholeNumber)
    .action(async (flags: MonitorFlags) => {
      const watch = await open(flags, context);
      try {
        await show(watch, flags, context);
      } finally {
        await watch.close();
      }
    });
}

const usualIds = [1, 2, 3, 4, 5, 6];

async function open(flags: MonitorFlags, context: CommandContext): Promise<ServoWatch> {
  const { robot: name, ids, port } = flags;
  if (name !== undefined && ids !== undefined)
    throw new KitError('E_USAGE', '--ids is for --kind: a robot has its own', 'leave one of them out', 'usage');
  const robot = name === undefined ? undefined : loadRobot(name);
  if (robot?.site.bus.kind === 'kitlink')
    return watchBoard(servoPort(context.io, robotPlace(robot, port)), clock, robot);
  const named = namedBus(flags);
  const bus = createServiceBus(
    named.kind,
    await servoPort(context.io, named.port)(named.baudRate),
    clock,
    named.baudRate,
  );
  try {
    return watchBus(bus, await present(bus, named, ids ?? usualIds, context));
  } catch (error) {
    await bus.port.close();
    throw error;
  }
}

/** The servos to look at: a robot's, of which one at least must be there, or those that answer to the ids. */
async function present(
  bus: ServiceBus,
  named: NamedBus,
  ids: readonly number[],
  { io, signal }: CommandContext,
): Promise<readonly WatchedServo[]> {
  const asked = named.servos.length > 0 ? named.servos.map(({ id }) => id) : ids;
  const line = new ProgressLine(io);
  const found: WatchedServo[] = [];
  for (const id of asked) {
    if (signal.aborted) break;
    // Who asks for a few has them at once.
    if (asked.length > usualIds.length) line.show(() => `asking id ${id}, ${found.length} found`);
    const memory = await bus.memory(id);
    if (memory !== undefined) found.push({ id, model: memory.model });
  }
  line.done();
  if (found.length === 0 && !signal.aborted)
    throw new KitError(
      'E_NO_ANSWER',
      `no ${named.kind} servo answers on ${named.port} at ${named.baudRate} baud; asked were ids ${asked.join(', ')}`,
      bus.port.bytes === 0
        ? `check cable, supply and port; other baud rates: ${bus.baudRates.join(', ')} with --baud`
        : 'something is there: try another --kind or --baud; two servos of one id answer as none',
      'noDevice',
    );
  return named.servos.length > 0 ? named.servos : found;
}

async function show(
  watch: ServoWatch,
  { rate, samples = Number.POSITIVE_INFINITY }: MonitorFlags,
  { io, json, signal }: CommandContext,
): Promise<void> {
  const table = new LiveTable(io);
  let dueMs = performance.now();
  for (let n = 1; !signal.aborted; n++) {
    const servos = await watch.look();
    const state = watch.state();
    const lines = [...tableLines([heads, ...servos.map(cells)]), ...(state === '' ? [] : [state])];
    if (json) io.out(JSON.stringify({ time: new Date().toISOString(), ...(state !== '' && { state }), servos }));
    else if (io.live) table.show(lines);
    else io.out(`${lines.join('\n')}\n`);
    if (n >= samples) return;
    dueMs = Math.max(dueMs + 1000 / rate, performance.now());
    try {
      await sleep(dueMs - performance.now(), undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const heads = ['servo', 'rad', 'count', 'rad/s', 'load %', 'mA', 'V', '°C', 'torque', 'state'];

function cells(reading: ServoReading): string[] {
  const { id, joint, model, answers, positionRad, positionCounts, speedRadPerS, speedCountsPerS } = reading;
  const name = `${id} ${joint ?? model ?? ''}`;
  if (!answers) return [name, ...heads.slice(2).map(() => ''), 'no answer'];
  const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '-';
  const turned = speedCountsPerS === undefined ? undefined : speedCountsPerS * radPerCount;
  return [
    name,
    number(positionRad, 3),
    number(positionCounts, 0),
    number(speedRadPerS ?? turned, 2),
    number(reading.loadPercent, 1),
    number(reading.currentMa, 0),
    number(reading.voltageV, 1),
    number(reading.temperatureC, 0),
    reading.pulseUs === undefined ? (reading.torque === true ? 'on' : 'off') : `${reading.pulseUs.toFixed(0)} µs`,
    reading.fault === undefined || reading.fault === '' ? 'ok' : reading.fault,
  ];
}
