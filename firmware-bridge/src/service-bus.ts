/**
 * Servos of a bus spoken to one at a time, without a robot and without motion: for whoever looks at them, gives them their ids, calibrates
 * them. What protocol it is, those know who implement it.
 */
import type { HalfDuplexPort } from './half-duplex-port.js';

export const servoBusKinds = ['feetech', 'dynamixel'] as const;
export type ServoBusKind = (typeof servoBusKinds)[number];

/** Ids are 0 … this; site.json takes no others. */
export const lastServoId = 252;

/** What a servo keeps without power. */
export interface ServoMemory {
  /** As site.json calls it; of one that this kit does not know, its number. */
  readonly model: string;
  /** Bits per second; undefined for a setting that this kit does not know. */
  readonly baudRate: number | undefined;
  /** Feetech takes it off what it measures, Dynamixel adds it. */
  readonly homingOffset: number;
  /** Dynamixel's own register; 0 for Feetech, which has none. */
  readonly driveMode: number;
  /** Whether it goes to positions within its turn; in other modes its counts mean something else. */
  readonly inPositionMode: boolean;
}

/** What a servo says of itself now. */
export interface ServoSample {
  readonly torque: boolean;
  readonly positionCounts: number;
  readonly speedCountsPerS: number;
  /** Of its full torque, signed; absent where it measures a current instead. */
  readonly loadPercent?: number;
  readonly currentMa?: number;
  readonly voltageV: number;
  readonly temperatureC: number;
  /** Its status bits or its hardware error, in words; empty where nothing is wrong. */
  readonly fault: string;
}

/** What may be written; a baud rate in bits per second, torque as 0 or 1. */
export type ServiceRegister = 'id' | 'baudRate' | 'homingOffset' | 'torqueEnable';

export interface ServiceBus {
  readonly kind: ServoBusKind;
  /** That its servos can be set to. */
  readonly baudRates: readonly number[];
  readonly port: HalfDuplexPort;
  /** @returns undefined where no servo, or more than one, answers */
  memory(id: number): Promise<ServoMemory | undefined>;
  /** @returns undefined as {@link memory} does */
  sample(id: number): Promise<ServoSample | undefined>;
  /**
   * Tells a servo, once, and gives it the time to keep it. It may answer under another id or at another rate from then on, so whether it
   * has obeyed is for the caller to see. What is kept without power is unlocked before: {@link lock} it after.
   */
  write(id: number, register: ServiceRegister, value: number): Promise<void>;
  lock(id: number): Promise<void>;
}
