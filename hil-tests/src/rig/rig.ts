/**
 * What the hardware tests run on, behind one seam: the same checks run on every rig.
 *
 * - `ideal`: an arm without firmware or wire, in this process, in virtual time.
 * - `avr-lockstep`: the real firmware image in virtual time.
 * - `avr`: the real firmware image in a process of its own, behind a serial port, in real time.
 * - `bus-lockstep`: the servos of a bus with their registers, on a wire that takes its time, in virtual time.
 * - `bus`: the same in a process of their own, behind a serial port, in real time.
 * - `serial:PATH`: a board on this desk. Its arm moves.
 */
import type { AdapterLatency } from '@sim2servo/firmware-bridge/port-latency';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import type { ArmVariation } from '@sim2servo/sim/arm-variation';

export interface Rig {
  readonly clock: Clock;
  /** Whether time runs only while somebody waits. */
  readonly virtualTime: boolean;
  /** A new host on this rig. One at a time. */
  connect(): ServoLink;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly variation?: ArmVariation;
  /** Of the converter's noise. */
  readonly seed?: number;
  /** Is told of the USB adapter of a `serial:PATH`, each time that it is opened. */
  readonly onLatency?: (adapter: AdapterLatency) => void;
}
