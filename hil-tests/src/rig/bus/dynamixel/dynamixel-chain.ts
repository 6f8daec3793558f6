/**
 * All the emulated servos of one wire: who is meant by an instruction packet, and who answers what, when. Sync, bulk and fast reads are
 * answered one after the other, in the order that the packet names.
 */
import {
  broadcastId,
  encodeFastStatus,
  encodeStatus,
  type FastPart,
  instructions,
  numberAt,
  type Packet,
} from '@sim2servo/firmware-bridge/dynamixel/packet';
import { alertBit, errors, returnDelayStepUs } from '@sim2servo/firmware-bridge/dynamixel/registers';
import type { DynamixelServo } from './dynamixel-servo.js';

export interface Answer {
  /** How long the wire rests before it. */
  readonly delayUs: number;
  readonly bytes: Uint8Array;
}

/** What a status return level answers: everything, reads, pings. */
const levels = { all: 2, reads: 1, pings: 0 } as const;

interface Asked {
  readonly id: number;
  readonly address: number;
  readonly length: number;
}

export class DynamixelChain {
  readonly servos: readonly DynamixelServo[];

  constructor(servos: readonly DynamixelServo[]) {
    this.servos = servos;
  }

  advance(nowUs: number): void {
    for (const servo of this.servos) servo.advance(nowUs);
  }

  /** What comes back over the wire, in order. */
  receive({ id, instruction, parameters }: Packet, nowUs: number): Answer[] {
    const listening = this.servos.filter(servo => servo.hear(nowUs));
    switch (instruction) {
      case instructions.status:
        return [];
      case instructions.syncRead:
      case instructions.fastSyncRead:
      case instructions.bulkRead:
      case instructions.fastBulkRead: {
        if (id !== broadcastId) return [];
        const isSync = instruction === instructions.syncRead || instruction === instructions.fastSyncRead;
        const asked = isSync ? syncAsked(parameters) : bulkAsked(parameters);
        const isFast = instruction === instructions.fastSyncRead || instruction === instructions.fastBulkRead;
        return isFast ? fastAnswers(listening, asked) : answers(listening, asked);
      }
      case instructions.syncWrite:
      case instructions.bulkWrite:
        if (id === broadcastId) writeAll(listening, instruction, parameters);
        return [];
      default:
        return this.#single(listening, id, instruction, parameters);
    }
  }

  #single(listening: readonly DynamixelServo[], id: number, instruction: number, parameters: Uint8Array): Answer[] {
    const meant = listening.filter(servo => servo.id === id);
    const shadows = listening.filter(servo => servo.id !== id && servo.table.get('secondaryId') === id);
    for (const servo of shadows) if (instruction !== instructions.ping) obey(servo, instruction, parameters);
    if (id !== broadcastId)
      return collided(meant.flatMap(servo => answer(servo, obey(servo, instruction, parameters), instruction)));
    if (instruction === instructions.ping)
      return [...listening]
        .sort((a, b) => a.id - b.id)
        .flatMap(servo => answer(servo, obey(servo, instruction, parameters), instruction));
    // Of everybody at once only deeds are asked, and nobody answers. The wish to forget everything is too much.
    const isTooMuch = instruction === instructions.factoryReset && parameters[0] === 0xff;
    if (!isTooMuch) for (const servo of listening) obey(servo, instruction, parameters);
    return [];
  }
}

interface Outcome {
  /** Before the deed, which may change it. */
  readonly id: number;
  readonly level: number;
  readonly delayUs: number;
  readonly error: number;
  readonly data: ArrayLike<number>;
}

function obey(servo: DynamixelServo, instruction: number, parameters: Uint8Array): Outcome {
  const { id, table } = servo;
  const level = table.get('statusReturnLevel');
  const delayUs = table.get('returnDelayTime') * returnDelayStepUs;
  const done = (error: number, data: ArrayLike<number> = []): Outcome => ({ id, level, delayUs, error, data });
  const address = parameters.length < 2 ? Number.NaN : numberAt(parameters, 0, 2);
  switch (instruction) {
    case instructions.ping: {
      const identity = table.read(0, 7) as Uint8Array;
      return done(0, [identity[0]!, identity[1]!, identity[6]!]);
    }
    case instructions.read: {
      if (parameters.length !== 4) return done(errors.length);
      const data = table.read(address, numberAt(parameters, 2, 2));
      return typeof data === 'number' ? done(data) : done(0, data);
    }
    case instructions.write:
      return done(parameters.length < 3 ? errors.length : servo.write(address, parameters.subarray(2)));
    case instructions.regWrite:
      return done(parameters.length < 3 ? errors.length : servo.register(address, parameters.subarray(2)));
    case instructions.action:
      return done(servo.action());
    case instructions.reboot:
      servo.reboot();
      return done(0);
    case instructions.factoryReset:
      servo.factoryReset(parameters[0] ?? 0xff);
      return done(0);
    case instructions.clear:
      // Turns are not counted here; what is asked in other words is not known.
      return done(isClear(parameters) ? (table.get('moving') === 1 ? errors.result : 0) : errors.result);
    default:
      return done(errors.instruction);
  }
}

const clearOfTurns = [0x01, 0x44, 0x58, 0x4c, 0x22];
const isClear = (parameters: Uint8Array): boolean =>
  parameters.length === clearOfTurns.length && clearOfTurns.every((byte, i) => parameters[i] === byte);

function withAlert(servo: DynamixelServo, error: number): number {
  return servo.alert ? error | alertBit : error;
}

function answer(servo: DynamixelServo, { id, level, delayUs, error, data }: Outcome, instruction: number): Answer[] {
  const needed =
    instruction === instructions.ping ? levels.pings : instruction === instructions.read ? levels.reads : levels.all;
  return level < needed ? [] : [{ delayUs, bytes: encodeStatus(id, withAlert(servo, error), data) }];
}

/** Servos with one id speak at once: on the wire a zero of either is a zero. */
function collided(all: readonly Answer[]): Answer[] {
  const [first, ...others] = all;
  if (first === undefined) return [];
  const length = Math.max(...all.map(({ bytes }) => bytes.length));
  const bytes = Uint8Array.from({ length }, (_, i) => all.reduce((sum, one) => sum & (one.bytes[i] ?? 0xff), 0xff));
  return [others.length === 0 ? first : { delayUs: first.delayUs, bytes }];
}

function syncAsked(parameters: Uint8Array): Asked[] {
  if (parameters.length < 5) return [];
  const address = numberAt(parameters, 0, 2);
  const length = numberAt(parameters, 2, 2);
  return [...parameters.subarray(4)].map(id => ({ id, address, length }));
}

const bulkAskedBytes = 5;

function bulkAsked(parameters: Uint8Array): Asked[] {
  return Array.from({ length: Math.floor(parameters.length / bulkAskedBytes) }, (_, i) => {
    const at = bulkAskedBytes * i;
    return { id: parameters[at]!, address: numberAt(parameters, at + 1, 2), length: numberAt(parameters, at + 3, 2) };
  });
}

const answersReads = (servo: DynamixelServo): boolean => servo.table.get('statusReturnLevel') >= levels.reads;
const delayOf = (servo: DynamixelServo): number => servo.table.get('returnDelayTime') * returnDelayStepUs;

function answers(listening: readonly DynamixelServo[], asked: readonly Asked[]): Answer[] {
  return asked.flatMap(({ id, address, length }) =>
    collided(
      listening
        .filter(servo => servo.id === id && answersReads(servo))
        .map(servo => {
          const data = servo.table.read(address, length);
          const [error, bytes] = typeof data === 'number' ? [data, []] : [0, data];
          return { delayUs: delayOf(servo), bytes: encodeStatus(id, withAlert(servo, error), bytes) };
        }),
    ),
  );
}

/** Each goes on where the one before it has ended, so who hears nothing of that one says nothing. */
function fastAnswers(listening: readonly DynamixelServo[], asked: readonly Asked[]): Answer[] {
  const parts: FastPart[] = [];
  let speaking = 0;
  let first: DynamixelServo | undefined;
  for (const { id, address, length } of asked) {
    const servo = listening.find(one => one.id === id && answersReads(one) && one.isFast);
    const data = servo?.table.read(address, length);
    if (servo !== undefined && speaking === parts.length) speaking++;
    first ??= servo;
    const [error, bytes] =
      data === undefined || typeof data === 'number' ? [data ?? 0, new Uint8Array(length)] : [0, data];
    parts.push({ error: servo === undefined ? 0 : withAlert(servo, error), id, data: bytes });
  }
  return encodeFastStatus(parts)
    .slice(0, speaking)
    .map((bytes, i) => ({ delayUs: i === 0 && first !== undefined ? delayOf(first) : 0, bytes }));
}

function writeAll(listening: readonly DynamixelServo[], instruction: number, parameters: Uint8Array): void {
  const isSync = instruction === instructions.syncWrite;
  const head = isSync ? 4 : 0;
  if (isSync && parameters.length < head) return;
  for (let at = head; at < parameters.length; ) {
    const own = isSync ? 1 : bulkAskedBytes;
    if (at + own > parameters.length) return;
    const address = numberAt(parameters, isSync ? 0 : at + 1, 2);
    const length = numberAt(parameters, isSync ? 2 : at + 3, 2);
    const data = parameters.subarray(at + own, at + own + length);
    if (data.length < length || length === 0) return;
    for (const servo of listening) if (servo.id === parameters[at]) servo.write(address, data);
    at += own + length;
  }
}
