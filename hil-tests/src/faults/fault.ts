/** A fault: what is done to an arm in mid-motion, how it is undone, and what must come of it. */
import type { ArmUnderTest } from './arm-under-test.js';
import type { LoopBench } from './loop-bench.js';

/** The rows of the fault matrix (docs/hil.md). */
export const faultRows = [
  'late reply',
  'no reply',
  'partial frame',
  'byte dropped',
  'byte inserted',
  'bit flipped',
  'echo',
  'duplicate id',
  'wrong checksum',
  'wrong id',
  'garbage before header',
  'port unplugged and back',
  'servo rebooted',
  'voltage, heat, overload',
  'NaN',
  'infinity',
  'denormal',
  'out of range',
  'slow inference',
  'host frozen',
  'host killed',
  'clock stepped',
  'sequence replayed',
  'old session',
  'stale and retained',
  'broker gone and back',
  'sensor frozen',
  'disk full',
  'log writer stalled',
] as const;
export type FaultRow = (typeof faultRows)[number];

/** `rides out`: the run goes on to its end. `stops`: the loop stops the arm and holds it. `dies`: the host does, and leaves an arm that stands. */
export type Expected = 'rides out' | 'stops' | 'dies';

export interface Fault<Arm extends ArmUnderTest = ArmUnderTest> {
  readonly row: FaultRow;
  readonly name: string;
  readonly expected: Expected;
  /** What the reason must say. */
  readonly reason?: RegExp;
  /** The joint, by its place, that loses its torque by the fault: it coasts, and nobody can stop it; the others are judged. `all`: nobody is. */
  readonly limp?: number | 'all';
  /**
   * When it can be noticed at all, where that is not at once: when the arm has been told to move further than it may go blind, or when
   * the disk has failed.
   */
  readonly noticeable?: 'told to move' | 'disk failed';
  /** It is not undone before the run is over. */
  readonly lasts?: true;
  /** Records that the recorder's ring holds; as many as ever unless given. */
  readonly ring?: number;
  begin(bench: LoopBench<Arm>): void;
  clear(bench: LoopBench<Arm>): void;
}

export const nothingToClear = (): void => {};
