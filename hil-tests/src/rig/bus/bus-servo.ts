/** A servo on an emulated bus, as a protocol implements it, and the horn that it turns. */

/** What a servo says to a request. */
export interface Answer {
  /** Time for which it lets the line rest first: its return delay. */
  readonly delayUs: number;
  /** Its place among those that answer the same request one after the other, from 0. */
  readonly turn: number;
  readonly length: number;
  /** @param before what the earlier turns have said: some packets are put together by several servos */
  bytes(before: Uint8Array): Uint8Array;
}

export interface BusServo {
  /** That its register says: at another one it hears nothing. */
  readonly baudRate: number | undefined;
  /** A byte from the host, whole at `timeUs`. */
  hear(byte: number, timeUs: number): Answer | undefined;
  /** Lets a step of time go by. @returns where it drives its horn, raw counts; NaN where it has no torque */
  step(seconds: number): number;
}

/** The horn of one servo: where it stands, in raw counts of its encoder. Each call is a new sample. */
export type Horn = () => number;
