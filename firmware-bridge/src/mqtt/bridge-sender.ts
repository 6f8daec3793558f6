/** What the bridge says: that it is there, each sample, answers, and once a second what a dashboard shows. */
import { hostname } from 'node:os';
import type { Command, Refusal, StateMessage, Status, Telemetry, Topics } from '@sim2servo/models/bridge-messages';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { ServoState } from '../servo-link.js';
import type { BrokerConnection } from './broker-connection.js';
import { discoveryOf } from './discovery.js';

const telemetryEveryUs = 1_000_000;

export interface BridgeSenderOptions {
  readonly robot: Pick<LoadedRobot, 'spec' | 'specSha256' | 'site'>;
  /** That its topics begin with. */
  readonly name: string;
  readonly topics: Topics;
  readonly boot: number;
  /** The longest that a command counts. */
  readonly deadlineMs: number;
  /** Samples a second of a bus that is asked for them. One that streams by itself keeps its own rate. */
  readonly sampleHz: number;
  /** Tells Home Assistant, under this topic prefix, what there is to see. */
  readonly discovery?: string;
}

/** What the bridge knows beside the sample. */
export interface BridgeNow {
  readonly nowUs: number;
  readonly session: number;
  /** Who has the arm, in words. */
  readonly host: string;
  /** Why the bridge holds the arm; empty where it does not. */
  readonly holding: string;
  readonly obeyed: number;
  readonly refused: Readonly<Record<Refusal, number>>;
  /** Of the last command that was let through. */
  readonly echo: { readonly hostUs: number; readonly receivedUs: number } | undefined;
}

export class BridgeSender {
  readonly #o: BridgeSenderOptions;
  #broker: BrokerConnection | undefined;
  #telemetryUs = 0;
  samples = 0;
  /** Messages that the broker was away or too slow for. */
  dropped = 0;
  /** It has said that it is there. */
  announced = false;

  constructor(options: BridgeSenderOptions) {
    this.#o = options;
  }

  use(broker: BrokerConnection): void {
    this.#broker = broker;
  }

  announce(): void {
    const { robot, name, topics, boot, deadlineMs, discovery } = this.#o;
    const joints = robot.spec.joints.map(joint => joint.name);
    const status: Status = {
      state: 'online',
      boot,
      robot: robot.spec.name,
      specSha256: robot.specSha256,
      joints,
      deadlineMs,
      machine: hostname(),
    };
    this.announced = true;
    this.#broker?.publish(topics.status, status, { retained: true });
    if (discovery === undefined) return;
    const { topic, config } = discoveryOf(discovery, name, topics, joints);
    this.#broker?.publish(topic, config, { retained: true });
  }

  offline(reason: string): Status {
    return { state: 'offline', boot: this.#o.boot, reason };
  }

  async leave(reason: string): Promise<void> {
    if (this.announced) this.#broker?.publish(this.#o.topics.status, this.offline(reason), { retained: true });
    await this.#broker?.close();
  }

  /** `reason` empty: it was done. */
  answer({ session, sequence }: Command, reason = '', hint = ''): void {
    const { boot, topics } = this.#o;
    this.#send(topics.answer, { boot, session, sequence, done: reason === '', reason, hint });
  }

  sample(servo: ServoState, sampleUs: number, now: BridgeNow): void {
    const { boot, topics, sampleHz } = this.#o;
    const { nowUs, session, echo } = now;
    this.samples++;
    const refused = Object.values(now.refused).reduce((sum, count) => sum + count, 0);
    const message: StateMessage = {
      boot,
      sample: this.samples,
      sampleUs,
      sentUs: Math.round(nowUs),
      session,
      ...said(servo, now),
      positionRad: Array.from(servo.position),
      phaseUs: servo.phaseUs,
      periodUs: servo.periodUs > 0 ? servo.periodUs : 1e6 / sampleHz,
      linkErrors: servo.linkErrors + refused + this.dropped,
      echo: echo === undefined ? null : { hostUs: echo.hostUs, heldUs: Math.round(nowUs - echo.receivedUs) },
    };
    this.#send(topics.state, message);
    if (nowUs < this.#telemetryUs) return;
    this.#telemetryUs = nowUs + telemetryEveryUs;
    this.#send(topics.telemetry, this.#telemetry(servo, now));
  }

  #telemetry(servo: ServoState, now: BridgeNow): Telemetry {
    const { robot, boot } = this.#o;
    return {
      boot,
      time: new Date().toISOString(),
      ...said(servo, now),
      host: now.session === 0 ? '' : now.host,
      positionRad: Object.fromEntries(robot.spec.joints.map(({ name }, j) => [name, servo.position[j]!])),
      obeyed: now.obeyed,
      refused: now.refused,
      samples: this.samples,
      dropped: this.dropped,
    };
  }

  #send(topic: string, payload: object): void {
    if (this.#broker?.publish(topic, payload) !== true) this.dropped++;
  }
}

/** The device's own word; where the bridge made it hold, the bridge's. */
function said({ device, reason }: ServoState, { holding }: BridgeNow): Pick<StateMessage, 'device' | 'reason'> {
  if (holding === '' || device === 'limp') return { device, reason };
  return { device: 'latched', reason: holding };
}
