/**
 * The robot's side of a broker: puts a local bus on it, and stands guard. It lets through what `CommandGate` lets through, repeats the last
 * target to the bus while that counts, and holds the arm when nothing counts any more: so the network's pauses and the bus's own deadline
 * are two things. If the bridge itself dies, the bus does as its kind does when nobody speaks. Nothing is armed but by a command.
 */
import { randomInt } from 'node:crypto';
import {
  type Command,
  type CommandOf,
  decode,
  type Refusal,
  stateSchema,
  topicsOf,
} from '@sim2servo/models/bridge-messages';
import type { Clock } from '@sim2servo/models/clock';
import { KitError, messageOf } from '@sim2servo/models/error';
import { createServoState, type ServoLink, type ServoMotion, type ServoState } from '../servo-link.js';
import { holdFailed } from '../silence.js';
import { BridgeSender, type BridgeSenderOptions } from './bridge-sender.js';
import { type BrokerConnection, type BrokerMessage, type ConnectOptions, connectBroker } from './broker-connection.js';
import { type BrokerAddress, brokerText } from './broker-error.js';
import { CommandGate, refusalHint, refusalWords } from './command-gate.js';
import { checkSampleRate } from './sample-rate.js';

/** Another bridge of our name has been heard by then, if there is one: it sends its samples. */
const listenUs = 500_000;
/** A bus that streams has spoken by then. */
const silenceUs = 100_000;

export interface BridgeOptions extends Omit<BridgeSenderOptions, 'topics' | 'boot'> {
  readonly link: ServoLink;
  readonly clock: Clock;
  readonly address: BrokerAddress;
  readonly signal: AbortSignal;
  /** What a person should know, as it happens. */
  readonly onEvent: (what: string) => void;
  /** Connects; MQTT.js unless given. */
  readonly connect?: (options: ConnectOptions) => Promise<BrokerConnection>;
}

export interface BridgeReport {
  readonly samples: number;
  readonly dropped: number;
  readonly obeyed: number;
  readonly refused: Readonly<Record<Refusal, number>>;
}

/** Serves until the signal. @throws KitError E_RATE_BUS, E_RATE_DEADLINE, E_BROKER_*, E_BRIDGE_TWICE, and whatever the local bus throws */
export function runBridge(options: BridgeOptions): Promise<BridgeReport> {
  return new MqttBridge(options).run();
}

class MqttBridge {
  readonly #o: BridgeOptions;
  readonly #topics;
  readonly #boot = randomInt(1, 2 ** 32);
  readonly #gate: CommandGate;
  readonly #sender: BridgeSender;
  readonly #state: ServoState;
  readonly #targets: Float64Array;
  #motion!: ServoMotion;
  /** Why the connection has gone, while it has. */
  #gone: KitError | undefined;
  /** The life of another bridge that was heard under our name. */
  #otherBoot: number | undefined;
  #requests: Exclude<Command, CommandOf<'motion'>>[] = [];
  #stopAsked = false;
  /** A question to the bus is under way: a bus that answers questions can't be written to meanwhile. */
  #asking = false;
  /** The bus was told something since its last sample. */
  #told = false;
  /** What the bus threw while nobody waited for it. */
  #failure: unknown;
  #host = '';
  /** Why the bridge holds the arm; empty where it does not. */
  #holding = '';
  #echo: { readonly hostUs: number; readonly receivedUs: number } | undefined;
  #warned = new Set<Refusal>();
  #wake: (() => void) | undefined;

  constructor(options: BridgeOptions) {
    this.#o = options;
    const joints = options.robot.spec.joints.length;
    this.#topics = topicsOf(options.name);
    this.#sender = new BridgeSender({ ...options, topics: this.#topics, boot: this.#boot });
    this.#gate = new CommandGate(this.#boot, joints, options.deadlineMs);
    this.#state = createServoState(joints);
    this.#targets = new Float64Array(joints);
  }

  #report(): BridgeReport {
    const { obeyed, refused } = this.#gate;
    const { samples, dropped } = this.#sender;
    return { samples, dropped, obeyed, refused };
  }

  async run(): Promise<BridgeReport> {
    const { link, address, connect = connectBroker, onEvent, signal } = this.#o;
    const { command, stop, state, status } = this.#topics;
    this.#motion = await link.open();
    const onAbort = () => this.#notify();
    signal.addEventListener('abort', onAbort);
    let reason = 'it was ended';
    try {
      checkSampleRate(this.#motion.cycle, this.#o);
      const broker = await connect({
        ...address,
        clientId: `kit-bridge-${this.#o.name}-${this.#boot.toString(16)}`,
        subscribe: [command, stop, state],
        will: { topic: status, payload: this.#sender.offline('its connection broke off') },
        reconnect: true,
        onMessage: message => this.#receive(message),
        onChange: gone => this.#connection(gone),
      });
      this.#sender.use(broker);
      try {
        await this.#listen();
        this.#sender.announce();
        onEvent(`serves ${this.#o.robot.spec.name} on ${brokerText(address.broker)} as ${command}`);
        await this.#serve();
      } catch (error) {
        reason = messageOf(error);
        throw error;
      } finally {
        await this.#holdAtEnd();
        await this.#sender.leave(reason);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      await link.close();
    }
    return this.#report();
  }

  async #holdAtEnd(): Promise<void> {
    if (this.#gate.session === 0) return;
    const { onEvent, robot } = this.#o;
    await this.#hold('the bridge ends').catch(error => onEvent(holdFailed(messageOf(error), robot.site.bus)));
  }

  /** Two bridges of one name would both move at one command. */
  async #listen(): Promise<void> {
    const { clock } = this.#o;
    const until = clock.nowUs() + listenUs;
    while (clock.nowUs() < until && this.#otherBoot === undefined) await this.#until(until);
    this.#checkAlone();
  }

  /** Of two that find each other, as after a network that was in two halves, the one with the larger number goes. */
  #checkAlone(): void {
    if (this.#otherBoot === undefined || (this.#sender.announced && this.#otherBoot > this.#boot)) return;
    throw new KitError(
      'E_BRIDGE_TWICE',
      `another bridge serves ${this.#topics.command} on ${brokerText(this.#o.address.broker)}`,
      'end it, or give this one another --name',
      'usage',
    );
  }

  #connection(gone: KitError | undefined): void {
    const before = this.#gone;
    this.#gone = gone;
    if (gone === undefined && this.#sender.announced) this.#sender.announce();
    if (gone !== undefined && before === undefined)
      this.#o.onEvent(`${gone.message}; nobody can move the arm until it is back`);
    if (gone === undefined && before !== undefined)
      this.#o.onEvent('the broker is back; the arm waits to be armed anew');
    this.#notify();
  }

  #receive({ topic, payload, retained }: BrokerMessage): void {
    if (topic === this.#topics.stop) {
      // Whoever, whenever: but what was retained was not meant for now.
      if (retained) this.#refused('retained', topic);
      else this.#stop();
      return;
    }
    if (topic === this.#topics.state) {
      this.#otherBoot = decode(stateSchema, payload)?.boot ?? this.#otherBoot;
      this.#notify();
      return;
    }
    const nowUs = this.#o.clock.nowUs();
    const judgement = this.#gate.judge({ payload, retained }, nowUs);
    const { command } = judgement;
    if ('refusal' in judgement) {
      this.#refused(judgement.refusal, topic);
      if (command !== undefined && command.kind !== 'motion' && !retained)
        this.#sender.answer(command, refusalWords(judgement.refusal, this.#host), refusalHint(judgement.refusal));
      return;
    }
    this.#echo = { hostUs: command!.hostUs, receivedUs: nowUs };
    if (command!.kind === 'motion') {
      this.#targets.set(command!.targetsRad);
      // Otherwise it is told when the question is answered.
      if (!this.#asking) this.#write();
    } else {
      this.#requests.push(command!);
      this.#notify();
    }
  }

  #stop(): void {
    this.#stopAsked = true;
    // A stop makes every older arming void, also one that waits for its turn.
    const waiting = this.#requests.filter(({ kind }) => kind === 'arm');
    this.#requests = this.#requests.filter(({ kind }) => kind !== 'arm');
    for (const arm of waiting) this.#sender.answer(arm, `somebody asked to hold on ${this.#topics.stop}`, 'arm anew');
    this.#notify();
  }

  /** Says the first of each kind; the rest is in the counts. */
  #refused(refusal: Refusal, topic: string): void {
    if (this.#warned.has(refusal)) return;
    this.#warned.add(refusal);
    const clear = refusal === 'retained' ? `; clear it: mosquitto_pub -r -n -t ${topic}` : '';
    this.#o.onEvent(
      `refused on ${topic}: ${refusalWords(refusal, this.#host)}${clear} (said once, counted from here on)`,
    );
  }

  #write(): void {
    try {
      this.#motion.write(this.#targets);
      this.#told = true;
    } catch (error) {
      this.#failure ??= error;
      this.#notify();
    }
  }

  async #serve(): Promise<void> {
    const { clock, signal, sampleHz } = this.#o;
    let nextUs = clock.nowUs();
    while (!signal.aborted) {
      const streams = this.#state.periodUs > 0;
      if (!streams) {
        await this.#until(nextUs);
        if (clock.nowUs() < nextUs && !signal.aborted) {
          await this.#keep();
          continue;
        }
        nextUs = Math.max(nextUs + 1e6 / sampleHz, clock.nowUs());
      }
      await this.#sample(streams);
      await this.#keep();
      if (this.#failure !== undefined) throw this.#failure;
      this.#checkAlone();
    }
  }

  /** Sleeps to `timeUs`, the end of what counts, or the next thing to do. */
  async #until(timeUs: number): Promise<void> {
    const event = new Promise<void>(resolve => {
      this.#wake = resolve;
    });
    await this.#o.clock.waitUntil(this.#notAfterExpiry(timeUs), event);
  }

  #notAfterExpiry(timeUs: number): number {
    return this.#gate.session === 0 ? timeUs : Math.min(timeUs, this.#gate.expiresUs + 1);
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #sample(streams: boolean): Promise<void> {
    const { clock } = this.#o;
    const until = this.#notAfterExpiry(clock.nowUs() + silenceUs);
    // A bus that streams hears while it speaks.
    this.#asking = !streams;
    const fresh = await this.#motion.read(this.#state, Math.max(0, until - clock.nowUs()));
    this.#asking = false;
    if (!fresh) return;
    // While a command counts the bus hears of it with every sample, so that its own deadline is not the network's.
    const repeat = !this.#told && this.#gate.session !== 0 && clock.nowUs() <= this.#gate.expiresUs;
    if (repeat) this.#write();
    this.#told = false;
    const sampleUs = Math.round(this.#state.sampledAtUs);
    const { session, obeyed, refused } = this.#gate;
    this.#gate.sampled(sampleUs);
    const now = { nowUs: clock.nowUs(), session, obeyed, refused, host: this.#host, holding: this.#holding };
    this.#sender.sample(this.#state, sampleUs, { ...now, echo: this.#echo });
  }

  /** What is due between two samples: stop, requests, the end of what counts. */
  async #keep(): Promise<void> {
    if (this.#stopAsked) {
      this.#stopAsked = false;
      if (this.#gate.session !== 0) await this.#hold(`somebody asked for it on ${this.#topics.stop}`);
    }
    if (this.#gone !== undefined && this.#gate.session !== 0) await this.#hold('the broker has gone');
    if (this.#gate.session !== 0 && this.#o.clock.nowUs() > this.#gate.expiresUs)
      await this.#hold('no command of the host came in time');
    for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift())
      await this.#obey(request);
  }

  async #hold(why: string): Promise<void> {
    this.#gate.end();
    this.#o.onEvent(`holds the arm: ${why}`);
    this.#holding = why;
    await this.#ask(() => this.#motion.halt('hold'));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#asking = true;
    try {
      return await question();
    } finally {
      this.#asking = false;
    }
  }

  async #obey(command: Exclude<Command, CommandOf<'motion'>>): Promise<void> {
    if (!this.#gate.stillFor(command)) {
      this.#sender.answer(command, refusalWords('busy', this.#host), refusalHint('busy'));
      return;
    }
    try {
      if (command.kind === 'arm') await this.#arm(command);
      else {
        this.#gate.end();
        const by = command.kind === 'hold' ? command.by : undefined;
        await this.#ask(() => this.#motion.halt(command.kind, by));
        this.#holding = '';
      }
      this.#sender.answer(command);
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      this.#sender.answer(command, error.message, error.hint);
    }
  }

  async #arm(command: CommandOf<'arm'>): Promise<void> {
    if (command.session === this.#gate.session) return;
    const stay = await this.#ask(() => this.#motion.arm());
    // The bus's deadline runs from here on: it is told to stay before anything else is waited for.
    this.#targets.set(stay);
    this.#write();
    this.#gate.begin(command, this.#o.clock.nowUs());
    this.#host = command.host;
    this.#holding = '';
    this.#o.onEvent(`armed for ${command.host}`);
  }
}
