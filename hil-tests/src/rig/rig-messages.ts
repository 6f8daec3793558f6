/** What a rig's process and its owner say to each other. */
import type { ArmVariation } from '@sim2servo/sim/arm-variation';
import type { Pulse } from './arm-on-board.js';
import type { WallClockReport } from './wall-clock.js';

export interface RigSetup {
  /** Name of a shipped robot, or the path of a robot folder. */
  readonly robot: string;
  readonly imagePath: string;
  readonly variation?: ArmVariation;
  readonly seed?: number;
}

export type RigRequest =
  /** Forgets what was measured so far. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'report' }
  /** Pulls the reset line. */
  | { readonly kind: 'reset' }
  /** Flips one bit in every n-th byte that comes from the host, from now on; 0: no more. */
  | { readonly kind: 'corrupt'; readonly every: number }
  /** Pulls the cable, for good. */
  | { readonly kind: 'hangUp' }
  | { readonly kind: 'stop' };

/** Since the last `clear`; all times are emulated µs. */
export interface RigReport extends WallClockReport {
  readonly nowUs: number;
  readonly resets: number;
  readonly bytesLost: number;
  readonly sensorToRegisterUs: readonly number[];
  readonly registerToPulseUs: readonly number[];
  readonly pulses: readonly Pulse[];
  /** True joint angles now, rad. */
  readonly positionRad: readonly number[];
  /** When the last byte from the host was put on the wire. */
  readonly lastHostByteUs: number;
  /** The device's own state as its last frame says, and why. */
  readonly device: string;
  readonly reason: string;
  /** Sample time of the first frame since the last reset that said `latched`; NaN where none has. */
  readonly latchedUs: number;
}

export interface RigReply<Report> {
  readonly id: number;
  readonly report?: Report;
}

/** Of any rig in a process of its own. */
export type RigEvent<Report> =
  | { readonly kind: 'ready'; readonly path: string }
  | ({ readonly kind: 'reply' } & RigReply<Report>)
  | { readonly kind: 'failed'; readonly message: string };
