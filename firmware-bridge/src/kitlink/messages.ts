/**
 * What the frames say. Each codec is the TypeScript end of a packed struct in `firmware/wire.h`, described in `docs/link-protocol.md`.
 *
 * Pulses are whole ticks of 0.5 µs and times whole microseconds: no NaN can cross the wire. A decoder returns `undefined` where the
 * payload is too short; longer ones are read as far as they are known.
 */

export const messageType = {
  hello: 0x01,
  config: 0x02,
  arm: 0x03,
  motion: 0x04,
  halt: 0x05,
  info: 0x81,
  ack: 0x82,
  nack: 0x83,
  state: 0x84,
} as const;

/** As `device` numbers them. */
export const deviceStates = ['limp', 'armed', 'held', 'latched'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** Why a frame was refused or the arm is held, as `reason` numbers them. */
export const linkReasons = [
  'none',
  'session',
  'sequence',
  'expired',
  'nonce',
  'notNow',
  'digest',
  'range',
  'noConfig',
  'badConfig',
  'length',
  'deadline',
  'host',
] as const;
export type LinkReason = (typeof linkReasons)[number] | 'unknown';

export const reasonWords: Readonly<Record<LinkReason, string>> = {
  none: '',
  session: 'the frame belongs to another motion session',
  sequence: 'the frame is not newer than the last one',
  expired: 'the command answers a sample that is too old',
  nonce: 'the frame does not carry the nonce of this arming',
  notNow: 'the board is in a state in which it does not take this',
  digest: 'the board holds another configuration than the host believes',
  range: 'a pulse was far outside the limits of its servo',
  noConfig: 'the board was never configured',
  badConfig: 'the configuration is impossible for this board',
  length: 'the frame has an unknown type or length',
  deadline: 'no motion command came in time',
  host: 'the host asked for it',
  unknown: 'for a reason this version does not know',
};

export interface ChannelConfig {
  readonly minTicks: number;
  readonly maxTicks: number;
  /** Largest change from one period to the next. */
  readonly maxStepTicks: number;
}

/** A channel that gives no pulses. */
export const channelOff: ChannelConfig = { minTicks: 0, maxTicks: 0, maxStepTicks: 0 };

export interface ConfigMessage {
  readonly deadlineMs: number;
  /** When, after the start of a period, the board samples and sends. */
  readonly samplePhaseTicks: number;
  /** One for each channel of the board. */
  readonly channels: readonly ChannelConfig[];
}

export interface ArmMessage {
  readonly configDigest: number;
  /** The board's time of the sample from which the pulses were computed. */
  readonly sampleUs: number;
  /** What to hold first. */
  readonly pulseTicks: ArrayLike<number>;
}

export interface MotionMessage {
  readonly nonce: number;
  /** The board's time of the newest sample the sender had seen. */
  readonly sampleUs: number;
  readonly pulseTicks: ArrayLike<number>;
}

export interface HaltMessage {
  readonly kind: 'hold' | 'relax';
  readonly sampleUs: number;
}

export interface InfoMessage {
  readonly version: number;
  readonly channels: number;
  readonly device: DeviceState;
  readonly reason: LinkReason;
  readonly firmware: number;
  readonly part: number;
  readonly periodTicks: number;
  readonly tickNs: number;
  readonly pulseMinTicks: number;
  readonly pulseMaxTicks: number;
  /** 0: the board has no configuration. */
  readonly configDigest: number;
  /** Of the HELLO that this answers: its sequence and the host's time in it. */
  readonly sequence: number;
  readonly hostUs: number;
  readonly receivedUs: number;
}

export interface AckMessage {
  readonly type: number;
  readonly sequence: number;
  readonly hostUs: number;
  readonly receivedUs: number;
  /** For ARM the nonce, for CONFIG its digest. */
  readonly value: number;
}

export interface NackMessage {
  readonly type: number;
  readonly reason: LinkReason;
  readonly sequence: number;
  readonly hostUs: number;
  readonly receivedUs: number;
}

/** What the board lost or refused since its reset; each stops at 65535. */
export const counterNames = [
  'badChecksum',
  'badFormat',
  'overruns',
  'dropped',
  'refusedSession',
  'refusedSequence',
  'refusedExpired',
  'refusedNonce',
  'refusedNotNow',
  'clamped',
] as const;
export type LinkCounters = Readonly<Record<(typeof counterNames)[number], number>>;

export interface StateMessage {
  readonly sampleUs: number;
  readonly samplePhaseTicks: number;
  readonly periodTicks: number;
  readonly device: DeviceState;
  readonly reason: LinkReason;
  /** Why the last refused frame was refused. */
  readonly refusal: LinkReason;
  readonly configDigest: number;
  /** The last accepted ARM or MOTION: its sequence, the host's time in it, when it came, and when the timer was told. */
  readonly motionSequence: number;
  readonly motionHostUs: number;
  readonly motionReceivedUs: number;
  readonly motionAppliedUs: number;
  readonly counters: LinkCounters;
  readonly channels: readonly { readonly counts: number; readonly pulseTicks: number }[];
}

const reason = (code: number): LinkReason => linkReasons[code] ?? 'unknown';
/** A state from the future counts as the one in which nothing may be asked of the arm. */
const device = (code: number): DeviceState => deviceStates[code] ?? 'latched';

function writer(bytes: number): { readonly payload: Uint8Array; readonly view: DataView } {
  const payload = new Uint8Array(bytes);
  return { payload, view: new DataView(payload.buffer) };
}

function reader(payload: Uint8Array, bytes: number): DataView | undefined {
  return payload.length < bytes ? undefined : new DataView(payload.buffer, payload.byteOffset, payload.length);
}

export function encodeConfig(config: ConfigMessage): Uint8Array {
  const { payload, view } = writer(6 + 6 * config.channels.length);
  view.setUint8(0, config.channels.length);
  view.setUint16(2, config.deadlineMs, true);
  view.setUint16(4, config.samplePhaseTicks, true);
  for (const [i, channel] of config.channels.entries()) {
    view.setUint16(6 + 6 * i, channel.minTicks, true);
    view.setUint16(8 + 6 * i, channel.maxTicks, true);
    view.setUint16(10 + 6 * i, channel.maxStepTicks, true);
  }
  return payload;
}

function encodePulses(first: number, sampleUs: number, pulseTicks: ArrayLike<number>): Uint8Array {
  const { payload, view } = writer(8 + 2 * pulseTicks.length);
  view.setUint32(0, first, true);
  view.setUint32(4, sampleUs, true);
  for (let i = 0; i < pulseTicks.length; i++) view.setUint16(8 + 2 * i, pulseTicks[i]!, true);
  return payload;
}

export function encodeArm(arm: ArmMessage): Uint8Array {
  return encodePulses(arm.configDigest, arm.sampleUs, arm.pulseTicks);
}

export function encodeMotion(motion: MotionMessage): Uint8Array {
  return encodePulses(motion.nonce, motion.sampleUs, motion.pulseTicks);
}

export function encodeHalt(halt: HaltMessage): Uint8Array {
  const { payload, view } = writer(5);
  view.setUint8(0, halt.kind === 'hold' ? 0 : 1);
  view.setUint32(1, halt.sampleUs, true);
  return payload;
}

export function decodeInfo(payload: Uint8Array): InfoMessage | undefined {
  const view = reader(payload, 32);
  if (view === undefined) return undefined;
  return {
    version: view.getUint8(0),
    channels: view.getUint8(1),
    device: device(view.getUint8(2)),
    reason: reason(view.getUint8(3)),
    firmware: view.getUint16(4, true),
    part: view.getUint16(6, true),
    periodTicks: view.getUint16(8, true),
    tickNs: view.getUint16(10, true),
    pulseMinTicks: view.getUint16(12, true),
    pulseMaxTicks: view.getUint16(14, true),
    configDigest: view.getUint32(16, true),
    sequence: view.getUint32(20, true),
    hostUs: view.getUint32(24, true),
    receivedUs: view.getUint32(28, true),
  };
}

export function decodeAck(payload: Uint8Array): AckMessage | undefined {
  const view = reader(payload, 17);
  if (view === undefined) return undefined;
  return {
    type: view.getUint8(0),
    sequence: view.getUint32(1, true),
    hostUs: view.getUint32(5, true),
    receivedUs: view.getUint32(9, true),
    value: view.getUint32(13, true),
  };
}

export function decodeNack(payload: Uint8Array): NackMessage | undefined {
  const view = reader(payload, 14);
  if (view === undefined) return undefined;
  return {
    type: view.getUint8(0),
    reason: reason(view.getUint8(1)),
    sequence: view.getUint32(2, true),
    hostUs: view.getUint32(6, true),
    receivedUs: view.getUint32(10, true),
  };
}

export function decodeState(payload: Uint8Array): StateMessage | undefined {
  const view = reader(payload, 52);
  const count = payload[10] ?? 0;
  if (view === undefined || payload.length < 52 + 4 * count) return undefined;
  const counters = Object.fromEntries(counterNames.map((name, i) => [name, view.getUint16(32 + 2 * i, true)]));
  return {
    sampleUs: view.getUint32(0, true),
    samplePhaseTicks: view.getUint16(4, true),
    periodTicks: view.getUint16(6, true),
    device: device(view.getUint8(8)),
    reason: reason(view.getUint8(9)),
    refusal: reason(view.getUint8(11)),
    configDigest: view.getUint32(12, true),
    motionSequence: view.getUint32(16, true),
    motionHostUs: view.getUint32(20, true),
    motionReceivedUs: view.getUint32(24, true),
    motionAppliedUs: view.getUint32(28, true),
    counters: counters as LinkCounters,
    channels: Array.from({ length: count }, (_, i) => ({
      counts: view.getUint16(52 + 4 * i, true),
      pulseTicks: view.getUint16(54 + 4 * i, true),
    })),
  };
}
