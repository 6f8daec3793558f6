/** What can go wrong with the host and its policy, on any bus. */
import { type Fault, type FaultRow, nothingToClear } from './fault.js';

/** So often an answer is spoilt where not all are. */
const seldom = 7;
const pushTicks = 20;

function answers(row: FaultRow, name: string, value: number, expected: Fault['expected'], every: number): Fault {
  return {
    row,
    name,
    expected,
    ...(expected === 'stops' && { reason: /not a finite number for 5 ticks/ }),
    begin(bench) {
      bench.answer = (action, tick) => {
        if (tick % every !== 0) return;
        // There and back: a policy that only ever pushes one way ends at some obstacle.
        action.fill(tick % pushTicks < pushTicks / 2 ? value : -value);
      };
    },
    clear(bench) {
      bench.answer = undefined;
    },
  };
}

const { now } = Date;

export const hostFaults: readonly Fault[] = [
  answers('NaN', 'the policy gives NaN, now and again', Number.NaN, 'rides out', seldom),
  answers('NaN', 'the policy gives nothing but NaN', Number.NaN, 'stops', 1),
  answers('infinity', 'the policy gives ∞, now and again', Number.POSITIVE_INFINITY, 'rides out', seldom),
  answers('infinity', 'the policy gives nothing but ∞', Number.POSITIVE_INFINITY, 'stops', 1),
  answers('denormal', 'the policy gives 10⁻⁴⁰, less than the smallest normal number', 1e-40, 'rides out', 1),
  answers('out of range', 'the policy gives ±10⁶', 1e6, 'rides out', 1),
  {
    row: 'slow inference',
    name: 'each inference takes one and a half periods',
    expected: 'rides out',
    begin(bench) {
      bench.thinkUs = 1.5e6 / bench.arm.controlRateHz;
    },
    clear(bench) {
      bench.thinkUs = 0;
    },
  },
  {
    row: 'slow inference',
    name: 'one inference takes 300 ms',
    expected: 'stops',
    reason: /came in time/,
    begin: bench => bench.pause(300_000),
    clear: nothingToClear,
  },
  {
    row: 'host frozen',
    name: 'the host stands still for half a second, and wants to go on',
    expected: 'stops',
    reason: /came in time/,
    begin: bench => bench.pause(500_000),
    clear: nothingToClear,
  },
  {
    row: 'host killed',
    name: 'the host is killed',
    expected: 'dies',
    begin: bench => bench.kill(),
    clear: nothingToClear,
  },
  {
    row: 'clock stepped',
    name: 'the wall clock is set forward by an hour, and back',
    expected: 'rides out',
    begin() {
      Date.now = () => now() + 3_600_000;
    },
    clear() {
      Date.now = now;
    },
  },
  {
    row: 'sensor frozen',
    name: 'every servo goes on saying where it is now',
    expected: 'stops',
    reason: /its sensor has stopped/,
    noticeable: 'told to move',
    begin(bench) {
      bench.undo = bench.arm.freezeSensors();
    },
    clear: bench => bench.undo(),
  },
];
