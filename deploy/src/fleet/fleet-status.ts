/**
 * How each robot of a fleet is. Robots behind a broker have said so already: what the broker retains of them is read, also of those that are
 * gone. The others are asked.
 */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBroker } from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { decode } from '@sim2servo/models/bridge-messages';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { type Health, healthOf, type LastError } from '../agent/health.js';
import type { Status } from '../agent/protocol.js';
import { connect } from '../targets/connect.js';
import { until } from '../targets/deploy-bundle.js';
import { deployTopics, type RobotStatus, robotStatusSchema } from '../targets/mqtt-messages.js';
import type { Target } from '../targets/target.js';
import type { FleetRobot } from './inventory.js';
import { overEach } from './over-each.js';

export interface RobotReport {
  readonly name: string;
  readonly to: string;
  readonly groups: readonly string[];
  /** `absent`: nobody answers there; `lastError` says why. */
  readonly health: Health | 'absent';
  /** Missing where it is absent. */
  readonly status?: Status;
  readonly lastError?: LastError;
}

export interface FleetStatusOptions {
  readonly connectRobot?: typeof connect;
  readonly connectToBroker?: typeof connectBroker;
  /** How long a broker may take to hand over what it retains. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

type How = Pick<RobotReport, 'health' | 'status' | 'lastError'>;

/** Connections that are open at once, each a process of ssh perhaps. */
const atOnce = 8;
const lookMs = 20;

/** In the order of `robots`. A robot that can't be reached is a report like any other. @throws KitError E_INTERRUPTED */
export async function fleetStatus(
  robots: readonly FleetRobot[],
  options: FleetStatusOptions = {},
): Promise<readonly RobotReport[]> {
  const how = new Map<FleetRobot, How>();
  const brokers = new Map<string, BrokerRobot[]>();
  for (const robot of robots.filter(isBehindBroker)) {
    const { broker } = robot.target;
    brokers.set(broker, [...(brokers.get(broker) ?? []), robot]);
  }
  const ask = (some: readonly FleetRobot[]) =>
    overEach(
      some,
      atOnce,
      async robot => void how.set(robot, await askRobot(robot, options.connectRobot)),
      () => options.signal?.aborted !== true,
    );
  const look = Promise.all([
    ...[...brokers].map(async ([broker, behind]) => {
      const said = await retained(broker, behind, options);
      for (const robot of behind) {
        const known = said(robot);
        if (known !== undefined) how.set(robot, known);
      }
      // What nobody retains, or nobody here can read, the robot may still tell.
      await ask(behind.filter(robot => !how.has(robot)));
    }),
    ask(robots.filter(robot => !isBehindBroker(robot))),
  ]);
  await until(look, options.signal);
  return robots.map(robot => ({ name: robot.name, to: robot.to, groups: robot.groups, ...how.get(robot)! }));
}

type BrokerRobot = FleetRobot & { readonly target: Extract<Target, { kind: 'mqtt' }> };
const isBehindBroker = (robot: FleetRobot): robot is BrokerRobot => robot.target.kind === 'mqtt';

const absent = (lastError: LastError): How => ({ health: 'absent', lastError });

function thrown(error: unknown): How {
  const { code, message } = packError(error, 'E_TARGET');
  return absent({ code, message });
}

/** How it says itself that it is. A robot that can't be reached is `absent`. */
export async function askRobot({ target, options }: FleetRobot, connectRobot = connect): Promise<How> {
  try {
    // Whoever opens a store makes it.
    if (target.kind === 'folder' && !existsSync(target.path))
      throw new KitError('E_DEPLOY_TARGET', `there is no folder ${target.path}`, 'make it', 'usage');
    const connection = await connectRobot(target, options);
    try {
      const status = await connection.request({ kind: 'status' });
      return { health: healthOf(status), status, ...(status.lastError && { lastError: status.lastError }) };
    } finally {
      await connection.close();
    }
  } catch (error) {
    return thrown(error);
  }
}

/** What one broker retains of the robots behind it. */
async function retained(
  broker: string,
  robots: readonly BrokerRobot[],
  { connectToBroker = connectBroker, patienceMs = 2_000 }: FleetStatusOptions,
): Promise<(robot: BrokerRobot) => How | undefined> {
  const statuses = new Map<string, RobotStatus>();
  const topicOf = ({ target }: BrokerRobot) => deployTopics(target.name).status;
  try {
    const connection = await connectToBroker({
      ...robots[0]!.options,
      broker,
      clientId: `kit-fleet-${randomInt(2 ** 32).toString(16)}`,
      subscribe: robots.map(topicOf),
      reconnect: false,
      onMessage({ topic, payload }) {
        const status = decode(robotStatusSchema, payload);
        if (status !== undefined) statuses.set(topic, status);
      },
      onChange: () => {},
    });
    const until = performance.now() + patienceMs;
    while (statuses.size < robots.length && performance.now() < until) await sleep(lookMs);
    await connection.close();
  } catch (error) {
    const how = thrown(error);
    return () => how;
  }
  return robot => howOf(statuses.get(topicOf(robot)));
}

function howOf(said: RobotStatus | undefined): How | undefined {
  if (said === undefined) return undefined;
  if (said.state === 'offline') return absent({ code: 'E_TARGET_SILENT', message: `it is offline: ${said.reason}` });
  const { health, status, lastError } = said;
  return { health, status, ...(lastError && { lastError }) };
}
