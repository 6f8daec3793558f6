/**
 * What one emulated servo makes of an instruction packet: whether it is meant, what it does, and what it says when. Sync, bulk and fast
 * reads are answered one after the other, in the order that the packet names.
 */
import { crc16 } from '@sim2servo/firmware-bridge/dynamixel/crc16';
import {
  broadcastId,
  crcBytes,
  encodeFastPart,
  encodeStatus,
  fastPartBytes,
  headerBytes,
  instructions,
  numberAt,
  type Packet,
} from '@sim2servo/firmware-bridge/dynamixel/packet';
import { alertBit, errors, returnDelayStepUs } from '@sim2servo/firmware-bridge/dynamixel/registers';
import type { Answer } from '../bus-servo.js';
import type { DynamixelServo } from './dynamixel-servo.js';

/** Status return levels at which an instruction is answered: pings always. */
const neededLevel = (instruction: number): number =>
  instruction === instructions.ping ? 0 : instruction === instructions.read ? 1 : 2;
const readLevel = 1;

export function answerTo(servo: DynamixelServo, packet: Packet): Answer | undefined {
  switch (packet.instruction) {
    case instructions.status:
      return undefined;
    case instructions.syncRead:
    case instructions.bulkRead:
      return readAnswer(servo, packet);
    case instructions.fastSyncRead:
    case instructions.fastBulkRead:
      return fastAnswer(servo, packet);
    case instructions.syncWrite:
    case instructions.bulkWrite:
      takeOwn(servo, packet);
      return undefined;
    default:
      return singleAnswer(servo, packet);
  }
}

function singleAnswer(servo: DynamixelServo, { id, instruction, parameters }: Packet): Answer | undefined {
  const { table } = servo;
  // Before the deed, which may change them.
  const own = table.get('id');
  const level = table.get('statusReturnLevel');
  const delayUs = delayOf(servo);
  const isBroadcast = id === broadcastId;
  if (id !== own && id !== table.get('secondaryId') && !isBroadcast) return undefined;
  // Forgetting everything is too much to ask of everybody at once.
  if (isBroadcast && instruction === instructions.factoryReset && parameters[0] === 0xff) return undefined;
  const { error, data } = obey(servo, instruction, parameters);
  // Of everybody only a ping is answered, in the order of ids.
  if (id !== own && !(isBroadcast && instruction === instructions.ping)) return undefined;
  if (level < neededLevel(instruction)) return undefined;
  const bytes = encodeStatus(own, withAlert(servo, error), data);
  return { delayUs, turn: isBroadcast ? own : 0, length: bytes.length, bytes: () => bytes };
}

interface Outcome {
  readonly error: number;
  readonly data: ArrayLike<number>;
}

function obey(servo: DynamixelServo, instruction: number, parameters: Uint8Array): Outcome {
  const { table } = servo;
  const done = (error: number, data: ArrayLike<number> = []): Outcome => ({ error, data });
  const [low = 0, high = 0] = parameters;
  const address = low + 256 * high;
  const data = parameters.subarray(2);
  switch (instruction) {
    case instructions.ping: {
      const identity = table.bytes(0, 7);
      return done(0, [identity[0]!, identity[1]!, identity[6]!]);
    }
    case instructions.read:
      return parameters.length === 4 ? outcomeOf(table.read(address, numberAt(parameters, 2, 2))) : done(errors.length);
    case instructions.write:
      return done(data.length === 0 ? errors.length : servo.write(address, data));
    case instructions.regWrite:
      return done(data.length === 0 ? errors.length : servo.register(address, data));
    case instructions.action:
      return done(servo.action());
    case instructions.reboot:
      servo.restart();
      return done(0);
    case instructions.factoryReset:
      servo.factoryReset(parameters[0] ?? 0xff);
      return done(0);
    case instructions.clear:
      // There are no turns to forget, so all that is left of it is when it is refused.
      return done(isClear(parameters) && table.get('moving') === 0 ? 0 : errors.result);
    default:
      return done(errors.instruction);
  }
}

const clearOfTurns = [0x01, 0x44, 0x58, 0x4c, 0x22];
const isClear = (parameters: Uint8Array): boolean =>
  parameters.length === clearOfTurns.length && clearOfTurns.every((byte, i) => parameters[i] === byte);

const outcomeOf = (read: Uint8Array | number): Outcome =>
  typeof read === 'number' ? { error: read, data: [] } : { error: 0, data: read };

const withAlert = (servo: DynamixelServo, error: number): number =>
  servo.table.get('hardwareErrorStatus') === 0 ? error : error | alertBit;

const delayOf = ({ table }: DynamixelServo): number => table.get('returnDelayTime') * returnDelayStepUs;

/** One servo's part of a sync or bulk read. */
interface Asked {
  readonly id: number;
  readonly address: number;
  readonly length: number;
}

const syncHeadBytes = 4;
const bulkHeadBytes = 5;

function askedBy({ id, instruction, parameters }: Packet): Asked[] {
  if (id !== broadcastId) return [];
  if (instruction === instructions.syncRead || instruction === instructions.fastSyncRead) {
    if (parameters.length <= syncHeadBytes) return [];
    const address = numberAt(parameters, 0, 2);
    const length = numberAt(parameters, 2, 2);
    return [...parameters.subarray(syncHeadBytes)].map(one => ({ id: one, address, length }));
  }
  return Array.from({ length: Math.floor(parameters.length / bulkHeadBytes) }, (_, i) => {
    const at = bulkHeadBytes * i;
    return { id: parameters[at]!, address: numberAt(parameters, at + 1, 2), length: numberAt(parameters, at + 3, 2) };
  });
}

function readAnswer(servo: DynamixelServo, packet: Packet): Answer | undefined {
  const { table } = servo;
  const asked = askedBy(packet);
  const turn = asked.findIndex(({ id }) => id === table.get('id'));
  if (turn < 0 || table.get('statusReturnLevel') < readLevel) return undefined;
  const { address, length } = asked[turn]!;
  const { error, data } = outcomeOf(table.read(address, length));
  const bytes = encodeStatus(table.get('id'), withAlert(servo, error), data);
  return { delayUs: delayOf(servo), turn, length: bytes.length, bytes: () => bytes };
}

/** Each goes on where the one before it has ended: who does not hear that one whole says nothing. */
function fastAnswer(servo: DynamixelServo, packet: Packet): Answer | undefined {
  const { table } = servo;
  const asked = askedBy(packet);
  const turn = asked.findIndex(({ id }) => id === table.get('id'));
  if (turn < 0 || table.get('statusReturnLevel') < readLevel || !servo.answersFastReads) return undefined;
  const { id, address, length } = asked[turn]!;
  const { error, data } = outcomeOf(table.read(address, length));
  const part = { error: withAlert(servo, error), id, data: error === 0 ? data : new Uint8Array(length) };
  const dataBytes = asked.map(one => one.length);
  const head = headerBytes + 1;
  const beforeBytes =
    turn === 0 ? 0 : dataBytes.slice(0, turn).reduce((sum, bytes) => sum + bytes + fastPartBytes, head);
  return {
    delayUs: turn === 0 ? delayOf(servo) : 0,
    turn,
    length: length + fastPartBytes + (turn === 0 ? head : 0),
    bytes: before => {
      const heard = before.subarray(Math.max(0, before.length - beforeBytes));
      return isWhole(heard, beforeBytes) ? encodeFastPart(part, heard, dataBytes) : new Uint8Array(0);
    },
  };
}

/** Whether what was heard of a fast answer may be gone on with: its last CRC is right. */
function isWhole(heard: Uint8Array, bytes: number): boolean {
  if (bytes === 0) return true;
  const crcAt = bytes - crcBytes;
  return heard.length === bytes && crc16(heard.subarray(0, crcAt)) === numberAt(heard, crcAt, crcBytes);
}

/** Its own part of a sync or bulk write. */
function takeOwn(servo: DynamixelServo, { id, instruction, parameters }: Packet): void {
  if (id !== broadcastId) return;
  const isSync = instruction === instructions.syncWrite;
  const own = isSync ? 1 : bulkHeadBytes;
  for (let at = isSync ? syncHeadBytes : 0; at + own <= parameters.length; ) {
    const address = numberAt(parameters, isSync ? 0 : at + 1, 2);
    const length = numberAt(parameters, isSync ? 2 : at + 3, 2);
    const data = parameters.subarray(at + own, at + own + length);
    if (length === 0 || data.length < length) return;
    if (parameters[at] === servo.table.get('id')) servo.write(address, data);
    at += own + length;
  }
}
