/**
 * The registers of an STS3215: Feetech's memory table, and what a number in it means. Two-byte values are little-endian; a signed one has
 * its sign in a bit of its own and the magnitude below it.
 */

export interface Register {
  readonly address: number;
  readonly bytes: 1 | 2;
  /** Where a negative value has its sign; an unsigned one has none. */
  readonly signBit?: number;
  /** What 1 means. */
  readonly unit?: string;
  readonly readOnly?: true;
  /** As it leaves the factory. */
  readonly initial?: number;
}

/** Kept without power. */
const kept = {
  firmwareMajor: { address: 0, bytes: 1, readOnly: true, initial: 3 },
  firmwareMinor: { address: 1, bytes: 1, readOnly: true, initial: 10 },
  modelNumber: { address: 3, bytes: 2, readOnly: true, initial: 777 },
  id: { address: 5, bytes: 1, initial: 1 },
  baudRate: { address: 6, bytes: 1, unit: 'index of baudRates', initial: 0 },
  returnDelay: { address: 7, bytes: 1, unit: '2 µs', initial: 250 },
  responseLevel: { address: 8, bytes: 1, unit: '0: answers reads only, 1: answers every request', initial: 1 },
  minPosition: { address: 9, bytes: 2, signBit: 15, unit: 'count', initial: 0 },
  maxPosition: { address: 11, bytes: 2, signBit: 15, unit: 'count', initial: 4095 },
  maxTemperature: { address: 13, bytes: 1, unit: '°C', initial: 70 },
  maxVoltage: { address: 14, bytes: 1, unit: '0.1 V', initial: 140 },
  minVoltage: { address: 15, bytes: 1, unit: '0.1 V', initial: 40 },
  maxTorque: { address: 16, bytes: 2, unit: '0.1 %', initial: 1000 },
  phase: { address: 18, bytes: 1, initial: 12 },
  unloadCondition: { address: 19, bytes: 1, unit: 'status bits that take the torque away', initial: 0b101100 },
  ledAlarm: { address: 20, bytes: 1, unit: 'status bits that light the lamp', initial: 0b101111 },
  positionP: { address: 21, bytes: 1, initial: 32 },
  positionD: { address: 22, bytes: 1, initial: 32 },
  positionI: { address: 23, bytes: 1, initial: 0 },
  minStartForce: { address: 24, bytes: 2, unit: '0.1 %', initial: 16 },
  deadBandForward: { address: 26, bytes: 1, unit: 'count', initial: 1 },
  deadBandBackward: { address: 27, bytes: 1, unit: 'count', initial: 1 },
  maxCurrent: { address: 28, bytes: 2, unit: '6.5 mA', initial: 500 },
  angularResolution: { address: 30, bytes: 1, initial: 1 },
  homingOffset: { address: 31, bytes: 2, signBit: 11, unit: 'count', initial: 0 },
  mode: { address: 33, bytes: 1, unit: '0: position, 1: velocity, 2: PWM, 3: steps', initial: 0 },
  protectionTorque: { address: 34, bytes: 1, unit: '1 %', initial: 20 },
  protectionTime: { address: 35, bytes: 1, unit: '10 ms', initial: 200 },
  overloadTorque: { address: 36, bytes: 1, unit: '1 %', initial: 80 },
  velocityP: { address: 37, bytes: 1, initial: 10 },
  overcurrentTime: { address: 38, bytes: 1, unit: '10 ms', initial: 200 },
  velocityI: { address: 39, bytes: 1, initial: 200 },
} as const satisfies Record<string, Register>;

/** Forgotten without power. */
const volatile = {
  torqueEnable: {
    address: 40,
    bytes: 1,
    unit: '0: off, 1: on, 2: damping, 128: where it stands becomes 2048',
    initial: 0,
  },
  acceleration: { address: 41, bytes: 1, unit: '100 counts/s²; 0: no limit', initial: 0 },
  goalPosition: { address: 42, bytes: 2, signBit: 15, unit: 'count' },
  goalTime: { address: 44, bytes: 2, initial: 0 },
  goalSpeed: { address: 46, bytes: 2, signBit: 15, unit: 'count/s; 0: no limit', initial: 0 },
  torqueLimit: { address: 48, bytes: 2, unit: '0.1 %', initial: 1000 },
  lock: { address: 55, bytes: 1, unit: '0: writes below 40 are kept, 1: they last until the power goes', initial: 1 },
  presentPosition: { address: 56, bytes: 2, signBit: 15, unit: 'count', readOnly: true },
  presentSpeed: { address: 58, bytes: 2, signBit: 15, unit: 'count/s', readOnly: true },
  presentLoad: { address: 60, bytes: 2, signBit: 10, unit: '0.1 %', readOnly: true },
  presentVoltage: { address: 62, bytes: 1, unit: '0.1 V', readOnly: true },
  presentTemperature: { address: 63, bytes: 1, unit: '°C', readOnly: true },
  asyncFlag: { address: 64, bytes: 1, unit: '1: a reg write waits for its action', readOnly: true },
  status: { address: 65, bytes: 1, unit: 'status bits', readOnly: true },
  moving: { address: 66, bytes: 1, readOnly: true },
  presentCurrent: { address: 69, bytes: 2, signBit: 15, unit: '6.5 mA', readOnly: true },
  movingThreshold: { address: 80, bytes: 1, unit: 'count/s', initial: 1 },
  speedUnit: { address: 82, bytes: 1, readOnly: true, initial: 1 },
  maxSpeed: { address: 84, bytes: 1, unit: '50 count/s', initial: 68 },
  maxAcceleration: { address: 85, bytes: 1, unit: '100 counts/s²', initial: 254 },
  accelerationFactor: { address: 86, bytes: 1, initial: 1 },
} as const satisfies Record<string, Register>;

export const sts3215 = { ...kept, ...volatile } as const;

/** Registers below this address are kept without power. */
export const eepromEnd = 40;
/** All registers lie below this address. */
export const tableBytes = 87;
export const returnDelayUs = 2;

/**
 * By the index in the register. Feetech's table and LeRobot's differ from index 5 on, so nothing here writes those.
 *
 * @see Feetech STS memory table; huggingface/lerobot motors/feetech/tables.py
 */
export const baudRates = [1_000_000, 500_000, 250_000, 128_000, 115_200] as const;

/** @param at where the register begins in `buffer` */
export function decodeRegister({ bytes, signBit }: Register, buffer: Uint8Array, at: number): number {
  const raw = bytes === 1 ? buffer[at]! : buffer[at]! | (buffer[at + 1]! << 8);
  if (signBit === undefined) return raw;
  const magnitude = raw & ((1 << signBit) - 1);
  return (raw & (1 << signBit)) === 0 ? magnitude : -magnitude;
}

/** Writes a whole number into `buffer` from `at` on. Larger than the register can say becomes the largest that it can. */
export function encodeRegister({ bytes, signBit }: Register, value: number, buffer: Uint8Array, at: number): void {
  const most = (1 << (signBit ?? 8 * bytes)) - 1;
  const magnitude = Math.min(most, Math.abs(value));
  const raw = value < 0 && signBit !== undefined ? magnitude | (1 << signBit) : value < 0 ? 0 : magnitude;
  buffer[at] = raw & 0xff;
  if (bytes === 2) buffer[at + 1] = raw >> 8;
}

/** A register's bytes by themselves. */
export function registerBytes(register: Register, value: number): Uint8Array {
  const buffer = new Uint8Array(register.bytes);
  encodeRegister(register, value, buffer, 0);
  return buffer;
}
