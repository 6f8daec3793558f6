/** What one control cycle of STS3215 servos puts on the wire: a sync read of all, one of the torque switches in turn, a sync write of goals. */
import type { BusCycle } from '@sim2servo/models/bus-cycle';
import { syncReadBytes, syncWriteBytes } from './packet.js';
import { sts3215 } from './registers.js';

const { presentPosition, presentTemperature, torqueEnable, goalPosition } = sts3215;
/** Position, speed, load, voltage, temperature. */
export const sampleBytes = presentTemperature.address + presentTemperature.bytes - presentPosition.address;

/** Every torque switch is looked at this often, so that a servo that was reset is noticed well within 100 ms. */
export const torqueLookUs = 25_000;

/** @param returnDelayUs of all servos together */
export function feetechCycle(servos: number, baudRate: number, returnDelayUs: number): BusCycle {
  const oneLook = syncReadBytes(1, torqueEnable.bytes);
  return {
    servos,
    baudRate,
    readBytes: syncReadBytes(servos, sampleBytes) + oneLook,
    writeBytes: syncWriteBytes(servos, goalPosition.bytes),
    // A torque switch is one servo's reply more.
    returnDelayUs: returnDelayUs * (1 + 1 / servos),
    inTurn: {
      everyUs: torqueLookUs / servos,
      bytes: syncReadBytes(2, torqueEnable.bytes) - oneLook,
      returnDelayUs: returnDelayUs / servos,
    },
  };
}
