/**
 * A robot behind an MQTT broker. Messages may be lost, so each request is asked again until it is answered, and is done once all the same; of
 * a file so many chunks are under way as get through. A link that breaks and returns is no error, only time.
 */
import { randomInt } from 'node:crypto';
import {
  type BrokerConnection,
  type BrokerMessage,
  connectBroker,
} from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { type BrokerAddress, brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { decode } from '@sim2servo/models/bridge-messages';
import { sha256 as digestOf } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { unpackError } from '@sim2servo/models/packed-error';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { settle } from '../agent/agent-lines.js';
import {
  type AnswerTo,
  type OutgoingFile,
  protocolVersion,
  type Request,
  type RobotConnection,
} from '../agent/protocol.js';
import {
  chunkBytes,
  deployTopics,
  type HostMessage,
  type RobotMessage,
  type RobotStatus,
  robotMessageSchema,
  robotStatusSchema,
} from './mqtt-messages.js';

export interface MqttTargetOptions extends BrokerAddress {
  /** Of the robot on the broker. */
  readonly name: string;
  readonly connect?: typeof connectBroker;
  /** How long nothing may be heard. */
  readonly patienceMs?: number;
}

const openTimeoutMs = 5_000;
const openAgainMs = 500;
const askAgainMs = 1_000;
const lagMs = 10;
/** A request counts for so long after it was sent: it crosses the network and a queue, no more. */
const ttlMs = 5_000;
const mostChunks = 32;

type Heard<Kind extends RobotMessage['kind']> = Extract<RobotMessage, { kind: Kind }>;

/** @throws KitError E_BROKER_*, E_TARGET_SILENT */
export async function connectMqtt(options: MqttTargetOptions): Promise<RobotConnection> {
  const target = new MqttTarget(options);
  await target.begin();
  return target;
}

class MqttTarget implements RobotConnection {
  readonly #o: MqttTargetOptions;
  readonly #patienceMs: number;
  readonly #topics: ReturnType<typeof deployTopics>;
  readonly #session = randomInt(1, 2 ** 32);
  #broker: BrokerConnection | undefined;
  #gone: KitError | undefined;
  #status: RobotStatus | undefined;
  #boot = 0;
  /** Of the robot's clock over ours, at most; less where the network was slow. */
  #aheadMs = 0;
  #sequence = 0;
  /** What one request or file is told; one at a time. */
  #listener: (message: RobotMessage) => void = () => {};
  #wake = () => {};
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: MqttTargetOptions) {
    this.#o = options;
    this.#patienceMs = options.patienceMs ?? 20_000;
    this.#topics = deployTopics(options.name);
  }

  async begin(): Promise<void> {
    const { connect = connectBroker } = this.#o;
    this.#broker = await connect({
      ...this.#o,
      clientId: `kit-deploy-${this.#session.toString(16)}`,
      subscribe: [this.#topics.answer, this.#topics.status],
      reconnect: true,
      onMessage: message => this.#hear(message),
      onChange: gone => {
        this.#gone = gone;
        this.#wake();
      },
    });
    try {
      await this.#open();
      await this.request({ kind: 'hello', protocol: protocolVersion });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  request<R extends Request>(request: R, onEvent: (entry: HistoryEntry) => void = () => {}): Promise<AnswerTo<R>> {
    return this.#inTurn(() => this.#request(request, onEvent));
  }

  send(file: OutgoingFile, from: number, onSent: (bytes: number) => void): Promise<void> {
    return this.#inTurn(() => this.#send(file, from, onSent));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    this.#publish('request', { kind: 'close', boot: this.#boot, session: this.#session });
    await this.#broker!.close();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #hear({ topic, payload, retained }: BrokerMessage): void {
    if (topic === this.#topics.status) {
      this.#status = decode(robotStatusSchema, payload) ?? this.#status;
      this.#wake();
      return;
    }
    const said = retained ? undefined : decode(robotMessageSchema, payload);
    if (said === undefined || said.session !== this.#session) return;
    this.#listener(said);
    this.#wake();
  }

  /** Begins the session, or learns the robot's clock anew. */
  async #open(): Promise<void> {
    const nonce = randomInt(1, 2 ** 32);
    let opened: Heard<'opened'> | undefined;
    this.#listener = said => {
      if (said.kind !== 'opened' || said.nonce !== nonce) return;
      opened = said;
      this.#aheadMs = said.robotMs - performance.now();
    };
    for (const until = performance.now() + openTimeoutMs; opened === undefined; await this.#wait(openAgainMs)) {
      if (performance.now() > until) throw this.#silent();
      this.#publish('request', { kind: 'open', session: this.#session, nonce });
    }
    if (this.#boot !== 0 && this.#boot !== opened.boot) throw this.#restarted();
    this.#boot = opened.boot;
  }

  async #request<R extends Request>(request: R, onEvent: (entry: HistoryEntry) => void): Promise<AnswerTo<R>> {
    const sequence = ++this.#sequence;
    let seen = 0;
    let heardMs = performance.now();
    let done: Heard<'done'> | undefined;
    let refused: Heard<'refused'>['reason'] | undefined;
    const listen = (said: RobotMessage) => {
      if (said.kind === 'opened' || said.kind === 'chunk' || said.sequence !== sequence) return;
      heardMs = performance.now();
      if (said.kind === 'refused') refused = said.reason;
      else if (said.kind === 'done') done = said;
      else if (said.kind === 'event' && said.index === seen) {
        seen++;
        onEvent(said.event);
      }
    };
    for (let askMs = 0; done === undefined || done.events > seen; ) {
      this.#listener = listen;
      this.#check(heardMs);
      if (refused === 'expired') {
        refused = undefined;
        await this.#open();
        continue;
      }
      if (refused !== undefined) throw this.#restarted();
      const nowMs = performance.now();
      if (nowMs >= askMs) {
        const untilMs = nowMs + this.#aheadMs + ttlMs;
        const head = { boot: this.#boot, session: this.#session };
        const sent = this.#publish('request', { kind: 'ask', ...head, sequence, untilMs, seen, request });
        askMs = nowMs + (sent ? askAgainMs : lagMs);
      }
      await this.#wait(askMs - nowMs);
    }
    const { error, answer } = done;
    return new Promise((resolve, reject) =>
      settle({ request, resolve, reject }, error === undefined ? { answer } : { error }),
    );
  }

  async #send({ sha256, content }: OutgoingFile, from: number, onSent: (bytes: number) => void): Promise<void> {
    let have = from;
    let next = from;
    let atOnce = 4;
    /** Where chunks were sent again from because one was missing; those that were under way say so once more each. */
    let backAt = -1;
    let heardMs = performance.now();
    let news: Heard<'chunk'> | undefined;
    let refused = false;
    this.#listener = said => {
      if (said.kind === 'refused') refused = true;
      if (said.kind === 'chunk' && said.sha256 === sha256) news = said;
    };
    for (let last: Heard<'chunk'> | undefined; last === undefined || have < content.length; ) {
      this.#check(heardMs);
      if (refused) throw this.#restarted();
      let lags = false;
      while (!lags && next - have < atOnce * chunkBytes && (next < content.length || next === have)) {
        const bytes = content.subarray(next, next + chunkBytes);
        lags = !this.#publishChunk(sha256, next, bytes);
        if (!lags) next += bytes.length;
        if (bytes.length === 0) break;
      }
      const was = news;
      const sinceMs = performance.now();
      await this.#wait(lags ? lagMs : askAgainMs, () => news !== was);
      if (news !== was && news !== undefined) {
        last = news;
        if (last.error !== undefined) throw unpackError(last.error);
        if (last.have > have) {
          atOnce = Math.min(mostChunks, atOnce + 1);
          heardMs = performance.now();
          onSent(last.have);
        }
        // It says again what it has: between that and what it was sent now, something was lost.
        if (last.have === have && next > have && backAt !== have) {
          backAt = have;
          atOnce = Math.max(1, atOnce >> 1);
          next = have;
        }
        // What the robot has is what counts, also where it is less than before.
        if (last.have < have || last.have > next) next = last.have;
        have = last.have;
      } else if (!lags && performance.now() - sinceMs >= askAgainMs - 1) {
        // Something was lost: from there on again, and less at once.
        atOnce = Math.max(1, atOnce >> 1);
        next = have;
      }
    }
  }

  #publishChunk(sha256: string, offset: number, bytes: Uint8Array): boolean {
    return this.#publish('chunk', {
      boot: this.#boot,
      session: this.#session,
      sha256,
      offset,
      digest: digestOf(bytes),
      base64: Buffer.from(bytes).toString('base64'),
    });
  }

  #publish(topic: 'request' | 'chunk', message: HostMessage | object): boolean {
    return this.#broker!.publish(this.#topics[topic], message);
  }

  /** Until something is heard, `ms` at most. */
  async #wait(ms: number, heard: () => boolean = () => false): Promise<void> {
    if (heard() || ms <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  #check(heardMs: number): void {
    if (this.#closed)
      throw new KitError('E_TARGET_CLOSED', `the connection to ${this.#o.name} was closed`, 'deploy again', 'noDevice');
    if (this.#status?.state === 'online' && this.#boot !== 0 && this.#status.boot !== this.#boot)
      throw this.#restarted();
    if (performance.now() - heardMs < this.#patienceMs) return;
    throw (
      this.#gone ??
      new KitError(
        'E_TARGET_LOST',
        `${this.#o.name} said nothing for ${this.#patienceMs / 1000} s${this.#why()}`,
        'deploy again: what arrived is kept; kit deploy status says what the robot has',
        'noDevice',
      )
    );
  }

  #why(): string {
    return this.#status?.state === 'offline' ? `: it is offline, ${this.#status.reason}` : '';
  }

  #silent(): KitError {
    const { name, broker } = this.#o;
    return new KitError(
      'E_TARGET_SILENT',
      this.#status === undefined
        ? `no robot '${name}' was ever seen on ${brokerText(broker)}`
        : `robot '${name}' does not answer${this.#why()}`,
      `on the robot: sim2servo-robot serve --broker URL; then see the broker's list of who may do what`,
      'noDevice',
      { cause: this.#gone },
    );
  }

  #restarted(): KitError {
    return new KitError(
      'E_TARGET_RESTARTED',
      `the agent of ${this.#o.name} was restarted in the middle`,
      'deploy again: what arrived is kept; kit deploy status says what the robot has',
      'noDevice',
    );
  }
}
