/**
 * The agent behind a broker: obeys what `RequestGate` lets through, does each request once however often it arrives, and keeps its answer
 * until the deployer asks for the next. Publishes how the robot is, retained for as long as it goes on saying so.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BrokerConnection,
  type BrokerMessage,
  connectBroker,
} from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { type BrokerAddress, brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { decode } from '@sim2servo/models/bridge-messages';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { healthOf, type LastError } from '../agent/health.js';
import type { Status } from '../agent/protocol.js';
import type { RobotAgent } from '../agent/robot-agent.js';
import {
  type Ask,
  deployTopics,
  type RobotMessage,
  type RobotStatus,
  robotMessageSchema,
} from '../targets/mqtt-messages.js';
import { RequestGate } from './request-gate.js';

export interface MqttAgentOptions extends BrokerAddress {
  readonly agent: RobotAgent;
  /** Of the robot on the broker. */
  readonly name: string;
  readonly connect?: typeof connectBroker;
  /** The broker forgets how the robot is after this long, unless it is said again: a last will is lost where robot and broker lose their power together. */
  readonly statusExpiresS?: number;
  readonly signal: AbortSignal;
  readonly onEvent: (what: string) => void;
  /** After each look at how the robot is, with how many there were: the first is when it begins to serve, the next ones come each second. */
  readonly onLook?: (looks: number) => void;
}

const lookMs = 1_000;
/** A second agent under the same name would have answered by then. */
const aloneMs = 500;
const resendMs = 10;

/** Distributes over the kinds, which a plain `Omit` would not. */
type Said = RobotMessage extends infer Message
  ? Message extends RobotMessage
    ? Omit<Message, 'boot' | 'session'>
    : never
  : never;

interface Work {
  readonly sequence: number;
  readonly events: HistoryEntry[];
  done: Said | undefined;
}

interface Session {
  readonly gone: AbortController;
  work: Work | undefined;
}

/**
 * Serves until `signal`; then what installs is finished first.
 *
 * @throws KitError E_BROKER_*, E_SERVE_TWICE
 */
export async function serveMqtt(options: MqttAgentOptions): Promise<void> {
  await new MqttAgent(options).run();
}

class MqttAgent {
  readonly #o: MqttAgentOptions;
  readonly #topics: ReturnType<typeof deployTopics>;
  readonly #boot = randomInt(1, 2 ** 32);
  readonly #gate = new RequestGate(this.#boot);
  readonly #sessions = new Map<number, Session>();
  readonly #underWay = new Set<Promise<void>>();
  #broker: BrokerConnection | undefined;
  #failedInstall: LastError | undefined;
  #published = '';
  #publishedMs = 0;
  #known: Status | undefined;
  /** Why its status can't be told. */
  #unknown: LastError | undefined;
  #other = false;

  constructor(options: MqttAgentOptions) {
    this.#o = options;
    this.#topics = deployTopics(options.name);
  }

  async run(): Promise<void> {
    const { connect = connectBroker, signal, onEvent, onLook } = this.#o;
    const { answer, chunk, request, status } = this.#topics;
    const will: RobotStatus = { state: 'offline', boot: this.#boot, reason: 'the connection broke off' };
    this.#broker = await connect({
      ...this.#o,
      clientId: `kit-agent-${this.#o.name}-${this.#boot.toString(16)}`,
      subscribe: [request, chunk, answer],
      will: { topic: status, payload: will },
      reconnect: true,
      onMessage: message => this.#hear(message),
      onChange: gone => {
        onEvent(gone === undefined ? 'the broker is there again' : gone.message);
        // The last will stands there now.
        if (gone === undefined) this.#published = '';
      },
    });
    try {
      await this.#alone();
      onEvent(`serves ${this.#o.name} on ${brokerText(this.#o.broker)}`);
      for (let looks = 1; !signal.aborted; looks++) {
        await this.#publishStatus();
        onLook?.(looks);
        await sleep(lookMs, undefined, { signal }).catch(() => {});
      }
    } finally {
      for (const { gone } of this.#sessions.values()) gone.abort();
      await Promise.all(this.#underWay);
      if (!this.#other) {
        const last: RobotStatus = { state: 'offline', boot: this.#boot, reason: 'the agent was ended' };
        this.#broker.publish(status, last, { retained: true });
      }
      await this.#broker.close();
    }
  }

  /** Two agents under one name would both obey. */
  async #alone(): Promise<void> {
    this.#broker!.publish(this.#topics.request, { kind: 'open', session: this.#boot, nonce: 0 });
    await sleep(aloneMs);
    if (!this.#other) return;
    throw new KitError(
      'E_SERVE_TWICE',
      `another agent serves ${this.#o.name} on ${brokerText(this.#o.broker)}`,
      'end that one, or serve this robot under another --name',
      'usage',
    );
  }

  get #nowMs(): number {
    return performance.now();
  }

  #hear({ topic, payload, retained }: BrokerMessage): void {
    if (topic === this.#topics.answer) {
      const said = decode(robotMessageSchema, payload);
      if (said !== undefined && said.boot !== this.#boot) this.#other = true;
    } else if (topic === this.#topics.chunk) this.#hearChunk(payload, retained);
    else this.#hearRequest(payload, retained);
  }

  #hearRequest(payload: string, retained: boolean): void {
    const judged = this.#gate.judge({ payload, retained }, this.#nowMs);
    const { message } = judged;
    if (message === undefined) return;
    const { session } = message;
    if ('refusal' in judged) {
      if (message.kind === 'ask' && !retained)
        this.#say(session, { kind: 'refused', sequence: message.sequence, reason: judged.refusal });
    } else if (message.kind === 'open') {
      this.#forget(this.#gate.open(session));
      if (!this.#sessions.has(session)) this.#sessions.set(session, { gone: new AbortController(), work: undefined });
      this.#say(session, { kind: 'opened', nonce: message.nonce, robotMs: this.#nowMs });
    } else if (message.kind === 'close') {
      this.#gate.close(session);
      this.#forget(session);
    } else this.#obey(this.#sessions.get(session)!, message);
  }

  /** What only waits for it is let go; what installs is finished. */
  #forget(session: number | undefined): void {
    if (session === undefined) return;
    this.#sessions.get(session)?.gone.abort();
    this.#sessions.delete(session);
  }

  #obey(session: Session, ask: Ask): void {
    const { session: id, sequence } = ask;
    if (session.work?.sequence === sequence) {
      this.#repeat(id, session.work, ask.seen);
      return;
    }
    const work: Work = { sequence, events: [], done: undefined };
    session.work = work;
    this.#say(id, { kind: 'heard', sequence });
    const doing = this.#do(id, session, work, ask);
    this.#underWay.add(doing);
    void doing.then(() => this.#underWay.delete(doing));
  }

  async #do(id: number, { gone }: Session, work: Work, { request, sequence }: Ask): Promise<void> {
    const onEvent = (event: HistoryEntry) => {
      this.#say(id, { kind: 'event', sequence, index: work.events.push(event) - 1, event });
    };
    const over = (more: object): Said => ({ kind: 'done', sequence, events: work.events.length, ...more });
    try {
      work.done = over({ answer: await this.#o.agent.answer(request, { onEvent, signal: gone.signal }) });
      if (request.kind === 'install') this.#failedInstall = undefined;
    } catch (error) {
      const packed = packError(error, 'E_AGENT');
      // Of the last deployment: that somebody else's goes on, or that another request was refused, is no fault of the robot.
      if (request.kind === 'install' && packed.code !== 'E_DEPLOY_BUSY')
        this.#failedInstall = { code: packed.code, message: packed.message };
      this.#o.onEvent(`${request.kind}: ${packed.message}`);
      work.done = over({ error: packed });
    }
    this.#say(id, work.done);
  }

  /** It was asked again: what was said has not arrived, or is not there yet. */
  #repeat(id: number, { sequence, events, done }: Work, seen: number): void {
    for (const [index, event] of events.entries())
      if (index >= seen) this.#say(id, { kind: 'event', sequence, index, event });
    this.#say(id, done ?? { kind: 'heard', sequence });
  }

  #hearChunk(payload: string, retained: boolean): void {
    const judged = this.#gate.judgeChunk({ payload, retained });
    const { message } = judged;
    if (message === undefined) return;
    const { session, sha256, offset, bytes } = message;
    if ('refusal' in judged) {
      if (judged.refusal === 'boot' || judged.refusal === 'session')
        this.#say(session, { kind: 'refused', sequence: 0, reason: judged.refusal });
      return;
    }
    const { incoming } = this.#o.agent;
    try {
      this.#say(session, { kind: 'chunk', sha256, have: incoming.append(sha256, offset, bytes) });
    } catch (error) {
      const packed = packError(error, 'E_AGENT');
      this.#say(session, { kind: 'chunk', sha256, have: incoming.length(sha256), error: packed });
    }
  }

  /** What does not get through is asked for again. A short lag of the network is waited out, so that it need not be. */
  #say(session: number, said: Said, tries = 100): void {
    const message = { ...said, boot: this.#boot, session };
    if (this.#broker!.publish(this.#topics.answer, message) || tries === 0) return;
    setTimeout(() => this.#say(session, said, tries - 1), resendMs);
  }

  /** As it was last, where it can't be told just now: who asks is told why, and whoever reads the status, too. */
  async #status(): Promise<Status | undefined> {
    try {
      this.#known = await this.#o.agent.status();
      this.#unknown = undefined;
    } catch (error) {
      const { code, message } = packError(error, 'E_AGENT');
      if (message !== this.#unknown?.message) this.#o.onEvent(`its own status can't be told: ${message}`);
      this.#unknown = { code, message };
    }
    return this.#known;
  }

  async #publishStatus(): Promise<void> {
    const status = await this.#status();
    if (status === undefined) return;
    const { statusExpiresS: expiresS = 60 } = this.#o;
    // What can't be told now is worse than what was wrong before.
    const lastError = this.#unknown ?? status.lastError ?? this.#failedInstall;
    const online: RobotStatus = {
      state: 'online',
      boot: this.#boot,
      health: healthOf(status),
      // In whole MiB: a log that grows is no news.
      status: { ...status, freeBytes: Math.floor(status.freeBytes / 2 ** 20) * 2 ** 20 },
      ...(lastError !== undefined && { lastError }),
      refused: { ...this.#gate.refused },
    };
    const news = JSON.stringify({ ...online, status: { ...status, freeBytes: 0, running: status.running?.digest } });
    if (news === this.#published && this.#nowMs - this.#publishedMs < (expiresS * 1000) / 3) return;
    if (!this.#broker!.publish(this.#topics.status, online, { retained: true, expiresS })) return;
    this.#published = news;
    this.#publishedMs = this.#nowMs;
  }
}
