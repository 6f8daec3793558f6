import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import type { Clock } from '@sim2servo/models/clock';

/** What hangs on the other end of a virtual port: time runs when it is told to, bytes go in and come out at their own time. */
export interface EmulatedDevice {
  /** Emulated time. */
  readonly nowUs: number;
  /** A host has opened the port. */
  portOpened(): void;
  /** Bytes that a host puts on the wire at `timeUs`, or behind those that still travel. */
  receive(bytes: Uint8Array, timeUs: number): void;
  /**
   * Lets time run to `timeUs`.
   *
   * @returns bytes that have reached the host meanwhile
   */
  runUntil(timeUs: number): Uint8Array;
}

/** Virtual time that a device runs in. */
export interface DeviceClock extends Clock {
  /** Opens the port. One at a time; opening again closes the one before. */
  open(): ByteStream;
  /** Pulls the cable. */
  unplug(): void;
}
