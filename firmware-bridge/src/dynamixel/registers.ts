/**
 * The control tables of the servos: where each register is, how wide, who may write it, within what, and its value when new.
 *
 * Up to 63 it is EEPROM: kept without power, and locked while torque is on. The X series shares its table; what a model has of its own
 * stands in {@link dynamixelModels}. Source: ROBOTIS e-Manual, "Control Table" of XL330-M077, XL330-M288, XL430-W250 and XM430-W350.
 */
import { countsPerTurn, type SiteOn } from '@sim2servo/models/site';

export type DynamixelModelName = SiteOn<'dynamixel'>['servos'][number]['model'];

export interface Register {
  readonly address: number;
  readonly bytes: 1 | 2 | 4;
  readonly writable: boolean;
  /** In two's complement. */
  readonly signed: boolean;
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

const readOnly = (address: number, bytes: 1 | 2 | 4, initial = 0, signed = false): Register => {
  return { address, bytes, writable: false, signed, initial, min: initial, max: initial };
};
const writable = (address: number, bytes: 1 | 2 | 4, initial: number, min: number, max: number): Register => {
  return { address, bytes, writable: true, signed: min < 0, initial, min, max };
};

const turns = 1_044_479;
const gain = 16_383;
const profileMax = 32_767;

/** What every servo of the series has. */
export const registers = {
  modelNumber: readOnly(0, 2),
  modelInformation: readOnly(2, 4),
  firmwareVersion: readOnly(6, 1),
  id: writable(7, 1, 1, 0, 252),
  baudRate: writable(8, 1, 1, 0, 7),
  returnDelayTime: writable(9, 1, 250, 0, 254),
  driveMode: writable(10, 1, 0, 0, 13),
  operatingMode: writable(11, 1, 3, 0, 16),
  secondaryId: writable(12, 1, 255, 0, 255),
  protocolType: writable(13, 1, 2, 1, 22),
  homingOffset: writable(20, 4, 0, -turns, turns),
  movingThreshold: writable(24, 4, 10, 0, 1023),
  temperatureLimit: writable(31, 1, 72, 0, 100),
  maxVoltageLimit: writable(32, 2, 140, 60, 140),
  minVoltageLimit: writable(34, 2, 60, 60, 140),
  pwmLimit: writable(36, 2, 885, 0, 885),
  velocityLimit: writable(44, 4, 265, 0, 1023),
  maxPositionLimit: writable(48, 4, 4095, 0, 4095),
  minPositionLimit: writable(52, 4, 0, 0, 4095),
  startupConfiguration: writable(60, 1, 0, 0, 3),
  shutdown: writable(63, 1, 52, 0, 63),
  torqueEnable: writable(64, 1, 0, 0, 1),
  led: writable(65, 1, 0, 0, 1),
  statusReturnLevel: writable(68, 1, 2, 0, 2),
  registeredInstruction: readOnly(69, 1),
  hardwareErrorStatus: readOnly(70, 1),
  velocityIGain: writable(76, 2, 1000, 0, gain),
  velocityPGain: writable(78, 2, 100, 0, gain),
  positionDGain: writable(80, 2, 4000, 0, gain),
  positionIGain: writable(82, 2, 0, 0, gain),
  positionPGain: writable(84, 2, 640, 0, gain),
  feedforward2ndGain: writable(88, 2, 0, 0, gain),
  feedforward1stGain: writable(90, 2, 0, 0, gain),
  /** Steps of 20 ms; reads as {@link watchdogFired} once it has fired. */
  busWatchdog: writable(98, 1, 0, 0, 127),
  goalPwm: writable(100, 2, 885, -885, 885),
  goalVelocity: writable(104, 4, 0, -1023, 1023),
  profileAcceleration: writable(108, 4, 0, 0, profileMax),
  profileVelocity: writable(112, 4, 0, 0, profileMax),
  goalPosition: writable(116, 4, 0, -turns, turns),
  realtimeTick: readOnly(120, 2),
  moving: readOnly(122, 1),
  movingStatus: readOnly(123, 1),
  presentPwm: readOnly(124, 2, 0, true),
  /** Load in 0.1 % on the XL430, elsewhere current. */
  presentLoad: readOnly(126, 2, 0, true),
  presentVelocity: readOnly(128, 4, 0, true),
  presentPosition: readOnly(132, 4, 0, true),
  velocityTrajectory: readOnly(136, 4, 0, true),
  positionTrajectory: readOnly(140, 4, 0, true),
  presentInputVoltage: readOnly(144, 2),
  presentTemperature: readOnly(146, 1),
  backupReady: readOnly(147, 1),
} as const satisfies Record<string, Register>;

export type RegisterName = keyof typeof registers;

export interface DynamixelModel {
  readonly number: number;
  /** The first firmware that answers fast reads, and the first with a bus watchdog. */
  readonly fastReadFirmware: number;
  readonly watchdogFirmware: number;
  /** Of the present load, where it is a current. */
  readonly currentStepMa?: number;
  /** Where slots are that stand for other registers: two bytes of address each, one byte of data. */
  readonly indirect: { readonly address: number; readonly data: number; readonly slots: number };
  /** What it has of its own, or with another value when new. */
  readonly own: Partial<Record<RegisterName, Register>> & Record<string, Register>;
}

const x430 = {
  fastReadFirmware: 45,
  watchdogFirmware: 38,
  indirect: { address: 168, data: 224, slots: 28 },
};
/** XL330: no firmware is without a watchdog. */
const x330 = {
  fastReadFirmware: 46,
  watchdogFirmware: 0,
  currentStepMa: 1,
  indirect: { address: 168, data: 208, slots: 20 },
};
const currents = (limit: number) => ({
  currentLimit: writable(38, 2, limit, 0, limit),
  goalCurrent: writable(102, 2, limit, -limit, limit),
});
const xl330 = (velocityLimit: number) => ({
  ...currents(1750),
  temperatureLimit: writable(31, 1, 70, 0, 100),
  maxVoltageLimit: writable(32, 2, 70, 31, 70),
  minVoltageLimit: writable(34, 2, 35, 31, 70),
  velocityLimit: writable(44, 4, velocityLimit, 0, 2047),
  pwmSlope: writable(62, 1, 140, 1, 255),
  shutdown: writable(63, 1, 53, 0, 63),
  velocityIGain: writable(76, 2, 1600, 0, gain),
  velocityPGain: writable(78, 2, 180, 0, gain),
  positionDGain: writable(80, 2, 0, 0, gain),
  positionPGain: writable(84, 2, 400, 0, gain),
  goalVelocity: writable(104, 4, 0, -2047, 2047),
});

export const dynamixelModels: Readonly<Record<DynamixelModelName, DynamixelModel>> = {
  'xl330-m077': { number: 1190, ...x330, own: xl330(1620) },
  'xl330-m288': { number: 1200, ...x330, own: xl330(445) },
  'xl430-w250': { number: 1060, ...x430, own: {} },
  'xm430-w350': {
    number: 1020,
    ...x430,
    currentStepMa: 2.69,
    own: {
      ...currents(1193),
      temperatureLimit: writable(31, 1, 80, 0, 100),
      maxVoltageLimit: writable(32, 2, 160, 95, 160),
      minVoltageLimit: writable(34, 2, 95, 95, 160),
      velocityLimit: writable(44, 4, 200, 0, 1023),
      velocityIGain: writable(76, 2, 1920, 0, gain),
      positionDGain: writable(80, 2, 0, 0, gain),
      positionPGain: writable(84, 2, 800, 0, gain),
    },
  },
};

/** The whole table of a model. */
export function controlTable({
  own,
}: DynamixelModel): Readonly<Record<RegisterName, Register> & Record<string, Register>> {
  return { ...registers, ...own };
}

/** Bytes below this are EEPROM. */
export const ramFrom = 64;
/** Baud rates by the value of their register. */
export const baudRates = [9_600, 57_600, 115_200, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 4_500_000] as const;
/** Of the return delay time. */
export const returnDelayStepUs = 2;
/** Of the bus watchdog. */
export const watchdogStepMs = 20;
/** Of the bus watchdog: −1, as a byte. */
export const watchdogFired = 255;
/** Of velocities: 0.229 rev/min. */
export const velocityStepCountsPerS = (0.229 * countsPerTurn) / 60;
/** Of accelerations: 214.577 rev/min². */
export const accelerationStepCountsPerS2 = (214.577 * countsPerTurn) / 3600;
export const operatingModes = {
  current: 0,
  velocity: 1,
  position: 3,
  extendedPosition: 4,
  currentBasedPosition: 5,
  pwm: 16,
} as const;
/** Bits of the drive mode. */
export const driveModeBits = { reverse: 1, timeBasedProfile: 4, torqueOnByGoalUpdate: 8 } as const;

/** Bits of the hardware error status, in words. */
const hardwareErrors: readonly (readonly [bit: number, words: string])[] = [
  [0, 'its voltage is outside its limits'],
  [2, 'it is too hot'],
  [3, 'its encoder fails'],
  [4, 'its electronics got a shock, or too little power'],
  [5, 'it is overloaded'],
];

/** What a hardware error status says; empty for 0. */
export function hardwareErrorWords(status: number): string {
  const words = hardwareErrors.filter(([bit]) => (status & (1 << bit)) !== 0).map(([, text]) => text);
  return status !== 0 && words.length === 0 ? `hardware error status ${status}` : words.join(', ');
}

/** The error of a status packet, without its alert bit. */
export const errors = { result: 1, instruction: 2, crc: 3, range: 4, length: 5, limit: 6, access: 7 } as const;
/** Bit of a status packet's error: the hardware error status is not 0. */
export const alertBit = 0x80;

const errorWords: readonly string[] = [
  'nothing wrong',
  'it could not do that',
  'it does not know the instruction',
  'the CRC was wrong',
  'the value is out of range',
  'the data is shorter than the register',
  'the value is beyond a limit that is set',
  'the register is read-only, not there, or locked while torque is on',
];

export function errorWordsOf(error: number): string {
  return errorWords[error & ~alertBit] ?? `error ${error}`;
}
