/** Which servos a command is about: those of a robot, or those of a kind that answer on a port. */
import { createServiceBus } from '@sim2servo/firmware-bridge/create-service-bus';
import { lastServoId, type ServiceBus, type ServoBusKind, servoBusKinds } from '@sim2servo/firmware-bridge/service-bus';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import type { CountedServo, SiteOn } from '@sim2servo/models/site';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from './io.js';
import { wholeNumber } from './number-option.js';
import { robotPlace } from './robot-place.js';
import { servoPort } from './servo-port.js';

export interface BusFlags {
  readonly robot?: string;
  readonly kind?: ServoBusKind;
  readonly port?: string;
  readonly baud?: number;
}

/** Where a bus is and how it is spoken to. */
export interface NamedBus {
  readonly kind: ServoBusKind;
  readonly port: string;
  readonly baudRate: number;
  /** In the order of the joints; none where no robot was named. */
  readonly servos: readonly CountedServo[];
}

const usualBaudRate = 1_000_000;

export function addBusOptions(command: Command): Command {
  return command
    .option('--robot <name>', 'shipped robot or robot folder: kind, port and baud rate are those of its site.json')
    .addOption(new Option('--kind <kind>', 'without a robot: kind of the servos').choices(servoBusKinds))
    .option('--port <path>', 'serial port of the servos')
    .option('--baud <rate>', `of the servos now (default: that of site.json, or ${usualBaudRate})`, wholeNumber);
}

/** @throws KitError E_BUS_UNNAMED, E_BUS_KIND for a board or a broker, E_NO_PORT, and those of loading the robot */
export function namedBus({ robot, kind, port, baud }: BusFlags): NamedBus {
  if ((robot === undefined) === (kind === undefined))
    throw new KitError(
      'E_BUS_UNNAMED',
      robot === undefined
        ? 'neither --robot nor --kind says which servos these are'
        : 'both --robot and --kind were named',
      'name one: --robot FOLDER, or --kind feetech or dynamixel with --port PATH',
      'usage',
    );
  if (robot !== undefined) return robotBus(loadRobot(robot), port, baud);
  if (port === undefined)
    throw new KitError('E_NO_PORT', '--port is missing', 'kit device list shows what is there', 'usage');
  return { kind: kind!, port, baudRate: baud ?? usualBaudRate, servos: [] };
}

/** @throws KitError E_BUS_KIND, E_NO_PORT, E_SITE_JOINT */
export function robotBus(robot: LoadedRobot, port?: string, baudRate?: number): NamedBus {
  const servos = countedServos(robot);
  const bus = robot.site.bus as SiteOn<ServoBusKind>['bus'];
  return { kind: bus.kind, port: robotPlace(robot, port), baudRate: baudRate ?? bus.baudRate, servos };
}

/** In the order of the joints. @throws KitError E_BUS_KIND for a board or a broker */
export function countedServos({ spec, site }: LoadedRobot): CountedServo[] {
  const { kind } = site.bus;
  if (kind === 'kitlink' || kind === 'mqtt')
    throw new KitError(
      'E_BUS_KIND',
      `robot ${spec.name} has a ${kind} bus, and this is for ${servoBusKinds.join(' and ')} servos`,
      kind === 'mqtt'
        ? 'run it where the servos are, with the robot folder that has their port'
        : 'its servos keep nothing themselves: what there is to calibrate stands in site.json (pulseUs, feedback)',
      'usage',
    );
  return servosInOrder(spec, site) as CountedServo[];
}

/** Opens the port and hands over the bus; however `use` ends, the port is closed. */
export async function withServiceBus<Result>(
  io: Io,
  { kind, port, baudRate }: NamedBus,
  clock: Clock,
  use: (bus: ServiceBus) => Promise<Result>,
): Promise<Result> {
  const bus = createServiceBus(kind, await servoPort(io, port)(baudRate), clock, baudRate);
  try {
    return await use(bus);
  } finally {
    await bus.port.close();
  }
}

/** '1-3,7' → [1, 2, 3, 7] */
export function idList(text: string): number[] {
  const ids = text.split(',').flatMap(part => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from <= to && to <= lastServoId))
      throw new InvalidArgumentError(`'${part}' is no id from 0 to ${lastServoId}, and no range of them like 1-6.`);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return [...new Set(ids)];
}
