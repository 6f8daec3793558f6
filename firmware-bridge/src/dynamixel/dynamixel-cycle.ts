/** What one control cycle of Dynamixel servos puts on the wire: one read of all, one sync write of goals. */
import type { BusCycle } from '@sim2servo/models/bus-cycle';
import type { CycleRead } from './cycle-read.js';
import { broadcastId, encodePacket, instructions, littleEndian } from './packet.js';
import { registers } from './registers.js';

/** The sync write of goal positions. @param counts [ids] */
export function encodeGoals(ids: readonly number[], counts: readonly number[]): Uint8Array {
  const { address, bytes } = registers.goalPosition;
  const data = [...littleEndian(address, 2), ...littleEndian(bytes, 2)];
  for (const [i, id] of ids.entries()) data.push(id, ...littleEndian(counts[i]!, bytes));
  return encodePacket(broadcastId, instructions.syncWrite, data);
}

export interface CyclingServo {
  readonly id: number;
  readonly returnDelayUs: number;
}

export function dynamixelCycle(servos: readonly CyclingServo[], read: CycleRead, baudRate: number): BusCycle {
  const ids = servos.map(({ id }) => id);
  const waiting = servos.slice(0, read.delays);
  return {
    servos: servos.length,
    baudRate,
    readBytes: read.request.length + read.replyBytes,
    writeBytes: encodeGoals(
      ids,
      ids.map(() => 0),
    ).length,
    returnDelayUs: waiting.reduce((sum, { returnDelayUs }) => sum + returnDelayUs, 0),
  };
}
