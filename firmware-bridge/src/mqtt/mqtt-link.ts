/**
 * A servo bus behind a broker, seen from the host: one more `ServoLink`. The rules are the bridge's (command-gate.ts); this end only says
 * truly what it answers. A connection that has gone ends the link, as a pulled cable does: it is opened again by whoever wants to.
 */
import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type Answer,
  answerSchema,
  type Command,
  decode,
  type StateMessage,
  type Status,
  stateSchema,
  statusSchema,
  type Topics,
  topicsOf,
} from '@sim2servo/models/bridge-messages';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { BoardClock } from '../kitlink/board-clock.js';
import {
  finiteTarget,
  type HaltKind,
  type HoldBy,
  notArmed,
  type ServoLink,
  type ServoMotion,
  type ServoState,
} from '../servo-link.js';
import { whenSilent } from '../silence.js';
import { type BrokerConnection, type BrokerMessage, type ConnectOptions, connectBroker } from './broker-connection.js';
import { type BrokerAddress, brokerText } from './broker-error.js';

const statusTimeoutUs = 2_000_000;
const sampleTimeoutUs = 500_000;
/** How far the clocks are apart is only known after some samples. */
const settlingSamples = 10;
/** A network holds messages up for longer than a wire does, and the clocks of two computers drift less than a board's. */
const clockWindow = 50;
/** A bus may need several tries to arm or to hold. */
const answerTimeoutUs = 1_500_000;
const tries = 2;

export interface MqttLinkOptions {
  readonly clock: Clock;
  readonly spec: RobotSpec;
  readonly specSha256: string;
  /** That the bridge serves the robot under. */
  readonly name: string;
  /** How long a command counts. */
  readonly deadlineMs: number;
  readonly address: BrokerAddress;
  /** Connects; MQTT.js unless given. */
  readonly connect?: (options: ConnectOptions) => Promise<BrokerConnection>;
}

export class MqttLink implements ServoLink, ServoMotion {
  readonly #o: MqttLinkOptions;
  readonly #topics: Topics;
  readonly #who = `${hostname()}, process ${process.pid}`;
  readonly #bridgeClock = new BoardClock(clockWindow);
  #broker: BrokerConnection | undefined;
  #gone: KitError | undefined;
  #status: Status | undefined;
  #state: StateMessage | undefined;
  #samples = 0;
  #samplesRead = 0;
  #answer: Answer | undefined;
  #session = 0;
  #sequence = 0;
  #roundTripUs = Number.NaN;
  #unsent = 0;
  #wake: (() => void) | undefined;

  constructor(options: MqttLinkOptions) {
    this.#o = options;
    this.#topics = topicsOf(options.name);
  }

  /** @throws KitError E_BROKER_*, E_NO_BRIDGE, E_BRIDGE_GONE, E_BRIDGE_ROBOT, E_NO_SAMPLE */
  async open(): Promise<ServoMotion> {
    const { address, connect = connectBroker } = this.#o;
    const { answer, state, status } = this.#topics;
    try {
      this.#broker = await connect({
        ...address,
        clientId: `kit-host-${randomInt(2 ** 32).toString(16)}`,
        subscribe: [status, state, answer],
        reconnect: false,
        onMessage: message => this.#receive(message),
        onChange: gone => {
          this.#gone ??= gone;
          this.#notify();
        },
      });
      await this.#greet();
      for (let i = 0; i < settlingSamples; i++) await this.#nextSample();
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  async close(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    this.#session = 0;
    await broker?.close();
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const fresh = await this.#wait(timeoutUs, () => this.#samples > this.#samplesRead);
    const state = this.#state!;
    this.#samplesRead = this.#samples;
    for (let j = 0; j < out.position.length; j++) out.position[j] = state.positionRad[j] ?? Number.NaN;
    out.sampledAtUs = this.#bridgeClock.toHost(state.sampleUs);
    out.sample = this.#samples;
    // Armed for another host is not armed for us.
    const lost = this.#session !== 0 && state.session !== this.#session && state.device === 'armed';
    out.device = lost ? 'held' : state.device;
    out.reason = lost ? 'another host has armed the arm' : state.reason;
    out.phaseUs = state.phaseUs;
    out.periodUs = state.periodUs;
    out.linkErrors = state.linkErrors + this.#unsent;
    out.roundTripUs = this.#roundTripUs;
    return fresh;
  }

  write(targets: Float64Array): void {
    if (this.#session === 0) notArmed();
    this.#check();
    const targetsRad = this.#o.spec.joints.map(({ name }, j) => finiteTarget(name, targets[j]!));
    this.#send({ kind: 'motion', ...this.#head(), targetsRad });
  }

  async arm(): Promise<Float64Array> {
    await this.#nextSample();
    this.#session = randomInt(1, 2 ** 32);
    const answer = await this.#ask(() => ({ kind: 'arm', ...this.#head(), host: this.#who }));
    if (answer?.done !== true) {
      this.#session = 0;
      throw new KitError(
        'E_ARM_REFUSED',
        `the bridge refuses to arm: ${answer?.reason ?? 'no answer came'}`,
        answer?.hint ?? 'see what kit bridge says on its side',
        'safetyStop',
      );
    }
    // What was sampled before says limp, and is too old to be answered.
    const ours = () => this.#state?.session === this.#session;
    if (!(await this.#wait(sampleTimeoutUs, ours))) this.#noSample();
    this.#samplesRead = this.#samples;
    return Float64Array.from(this.#state!.positionRad, rad => rad ?? Number.NaN);
  }

  async halt(kind: HaltKind, by: HoldBy = 'measured'): Promise<void> {
    const answer = await this.#ask(() =>
      kind === 'hold' && by === 'told' ? { kind, ...this.#head(), by } : { kind, ...this.#head() },
    );
    this.#session = 0;
    if (answer?.done === true) return;
    throw new KitError(
      'E_HALT_REFUSED',
      `the bridge did not confirm '${kind}': ${answer?.reason ?? 'no answer came'}`,
      answer?.hint ??
        `${whenSilent({ kind: 'mqtt', deadlineMs: this.#o.deadlineMs })}; cut the power of the servos if the arm moves`,
      'safetyStop',
    );
  }

  #check(): BrokerConnection {
    if (this.#gone !== undefined) throw this.#gone;
    if (this.#broker === undefined) throw new KitError('E_PORT_CLOSED', 'the link is not open', 'open it first', 'bug');
    return this.#broker;
  }

  async #greet(): Promise<void> {
    const { spec, specSha256, name, address } = this.#o;
    const where = `${brokerText(address.broker)} under ${this.#topics.status}`;
    await this.#wait(statusTimeoutUs, () => this.#status !== undefined);
    const status = this.#status;
    if (status === undefined)
      throw new KitError(
        'E_NO_BRIDGE',
        `no bridge has ever said anything on ${where}`,
        `start kit bridge on the robot, check the name '${name}', and that the broker lets us read kit/v1/${name}/#`,
        'noDevice',
      );
    if (status.state === 'offline') throw bridgeGone(`the bridge on ${where} is offline: ${status.reason}`);
    if (status.specSha256 !== specSha256)
      throw new KitError(
        'E_BRIDGE_ROBOT',
        `the bridge on ${where} serves ${status.robot} with joints ${status.joints.join(', ')}, by another robot.json than ours of ${spec.name}`,
        'use the same robot.json on both sides, or another name in site.json',
        'usage',
      );
  }

  #receive({ topic, payload }: BrokerMessage): void {
    const nowUs = this.#o.clock.nowUs();
    switch (topic) {
      case this.#topics.status: {
        const status = decode(statusSchema, payload);
        if (status === undefined) return;
        const before = this.#status;
        this.#status = status;
        if (before?.state === 'online')
          this.#gone ??=
            status.state === 'offline'
              ? bridgeGone(`the bridge has gone: ${status.reason}`)
              : status.boot === before.boot
                ? undefined
                : bridgeGone('the bridge was restarted');
        break;
      }
      case this.#topics.answer: {
        const answer = decode(answerSchema, payload);
        if (answer?.boot === this.#boot) this.#answer = answer;
        break;
      }
      case this.#topics.state: {
        const state = decode(stateSchema, payload);
        if (state === undefined || state.boot !== this.#boot) return;
        this.#bridgeClock.observe(state.sentUs, nowUs, 0);
        // Before ours the echo is another host's, in another clock.
        if (state.echo !== null && this.#session !== 0 && state.session === this.#session)
          this.#roundTripUs = nowUs - state.echo.hostUs - state.echo.heldUs;
        this.#state = state;
        this.#samples++;
      }
    }
    this.#notify();
  }

  get #boot(): number | undefined {
    return this.#status?.boot;
  }

  #head(): Omit<Extract<Command, { kind: 'hold' }>, 'kind'> {
    return {
      boot: this.#boot!,
      session: this.#session,
      sequence: ++this.#sequence,
      sampleUs: this.#state!.sampleUs,
      ttlMs: this.#o.deadlineMs,
      hostUs: Math.round(this.#o.clock.nowUs()),
    };
  }

  #send(command: Command): void {
    if (!this.#check().publish(this.#topics.command, command)) this.#unsent++;
  }

  /** Asks anew, with the sample of now, where no answer comes: what is not answered was never heard. */
  async #ask(make: () => Command): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const command = make();
      this.#send(command);
      const answered = () => this.#answer?.session === command.session && this.#answer.sequence === command.sequence;
      if (await this.#wait(answerTimeoutUs / tries, answered)) return this.#answer;
    }
    return undefined;
  }

  async #nextSample(): Promise<void> {
    const before = this.#samples;
    if (!(await this.#wait(sampleTimeoutUs, () => this.#samples > before))) this.#noSample();
  }

  #noSample(): never {
    throw new KitError(
      'E_NO_SAMPLE',
      `the bridge sent no sample within ${sampleTimeoutUs / 1000} ms`,
      'see what kit bridge says on its side',
      'timeout',
    );
  }

  /** Waits until `done`, at most `timeoutUs`. @throws KitError where the broker or the bridge has gone */
  async #wait(timeoutUs: number, done: () => boolean): Promise<boolean> {
    const { clock } = this.#o;
    const until = clock.nowUs() + timeoutUs;
    for (;;) {
      this.#check();
      if (done()) return true;
      if (clock.nowUs() >= until) return false;
      const event = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      await clock.waitUntil(until, event);
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

function bridgeGone(message: string): KitError {
  return new KitError(
    'E_BRIDGE_GONE',
    message,
    'the arm is held on its side; see kit bridge there, then begin anew',
    'noDevice',
  );
}
