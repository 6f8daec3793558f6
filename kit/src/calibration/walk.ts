/**
 * Takes a person through a calibration: the arm is put at its zero posture, then every joint is turned through its range, all by hand and
 * limp. What comes out is a count for each joint's 0 rad, and how far each joint goes.
 */
import { offsetFor, turnedCounts } from '@sim2servo/firmware-bridge/homing';
import type { ServoMemory } from '@sim2servo/firmware-bridge/service-bus';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { angleOfTurn, turnOfAngle } from '@sim2servo/models/servo-scale';
import { type CountedServo, countsPerTurn } from '@sim2servo/models/site';
import type { Io } from '../io.js';
import { LiveTable, tableLines } from '../live-table.js';
import type { LimpArm, LimpArmOptions } from './limp-arm.js';
import { type Range, rangeWords, shortOfRange } from './reach.js';

export interface Walked {
  /** In the order of the joints, with the zeros that were found, as the servos count once they have their {@link offsets}. */
  readonly servos: readonly CountedServo[];
  /** Homing offsets that servos need first. Nothing is written by the walk. */
  readonly offsets: readonly OffsetEdit[];
  /** [joints] rad, from the lower end to the upper one. */
  readonly reachedRad: readonly Range[];
  /** [joints] the same in counts. */
  readonly reachedCounts: readonly Range[];
  /** What does not fit robot.json, in words. */
  readonly short: readonly string[];
}

/** A homing offset that a servo is to have. */
export interface OffsetEdit {
  readonly servo: CountedServo;
  readonly from: number;
  readonly to: number;
}

const middle = countsPerTurn / 2;

interface WalkOptions extends LimpArmOptions {
  readonly arm: LimpArm;
  readonly spec: RobotSpec;
  readonly memories: readonly ServoMemory[];
}

/** @throws KitError E_NO_TERMINAL, E_SERVO_RANGE, E_INTERRUPTED, E_NO_SAMPLE, E_SERVO_TORQUE */
export async function walk(options: WalkOptions): Promise<Walked> {
  const zeros = await home(options);
  const { servos, offsets } = shifted(options, zeros);
  const { spec, io } = options;
  io.err(
    '\n2. Range. Turn every joint by hand from one end to the other, slowly; the last column says what is still to do.',
  );
  const travel = new Travel(spec, zeros);
  let question = 'Press Enter when every joint has been at both ends.';
  for (;;) {
    const answer = await enter(
      options,
      question,
      counts => travel.take(counts),
      () => travel.lines(),
    );
    const short = travel.short();
    if (short.length === 0 || answer === 'w') return { servos, offsets, ...travel.reached(servos), short };
    io.err(short.map(words => `  ${words}`).join('\n'));
    question = 'Turn them further and press Enter; or type w and Enter to take it as it is.';
  }
}

/** A line of the person, and what the arm did until then. */
async function enter(
  { io, arm, signal }: WalkOptions,
  question: string,
  take: (counts: readonly number[]) => void,
  lines: () => readonly string[],
): Promise<string> {
  io.err(`${question}\n`);
  const table = new LiveTable(io);
  let isOver = false;
  const ended = new AbortController();
  const line = theLine(io, '', AbortSignal.any([signal, ended.signal])).finally(() => {
    isOver = true;
  });
  try {
    const { answer } = await arm.watch(line, counts => {
      take(counts);
      // The key has moved the cursor on.
      if (!isOver) table.show(lines());
    });
    return answer;
  } finally {
    // Where the arm has ended it nobody is to be waited for.
    ended.abort();
  }
}

/** @throws KitError E_NO_TERMINAL, E_INTERRUPTED */
export async function theLine(io: Io, question: string, signal: AbortSignal): Promise<string> {
  const answer = await io.line(question, signal);
  if (answer !== undefined) return answer.trim();
  throw new KitError(
    'E_NO_TERMINAL',
    'nobody can be asked to move the arm: stdin is not a terminal',
    'run it in a terminal; --from-lerobot FILE takes a calibration that is there already',
    'usage',
  );
}

async function home(options: WalkOptions): Promise<CountedServo[]> {
  const { io, spec, servos } = options;
  const places = spec.joints.map(({ name, range }) => [`  ${name}`, '0.00 rad', `of ${rangeWords(range)}`]);
  io.err(
    `\n1. Zero. Put every joint by hand where robot.json has 0 rad, and hold the arm there:\n${tableLines(places).join('\n')}`,
  );
  let counts: readonly number[] = [];
  const lines = () =>
    tableLines([
      ['joint', 'count', 'rad as calibrated before'],
      ...servos.map((servo, j) => [servo.joint, countWords(counts[j]!), angleWords(angleOfTurn(servo, counts[j]!))]),
    ]);
  await enter(
    options,
    'Press Enter when it stands there.',
    now => {
      counts = now;
    },
    lines,
  );
  return servos.map((servo, j) => ({ ...servo, zeroCount: counts[j]! }));
}

/** A joint whose range would run over the end of its servo's turn needs another homing offset, where the servo can have one. */
function shifted(
  { spec, bus, memories }: WalkOptions,
  zeros: readonly CountedServo[],
): Pick<Walked, 'servos' | 'offsets'> {
  const servos = [...zeros];
  const offsets: OffsetEdit[] = [];
  const askew: string[] = [];
  for (const [j, servo] of zeros.entries()) {
    const ends = spec.joints[j]!.range.map(angle => Math.round(turnOfAngle(servo, angle)));
    if (Math.min(...ends) >= 0 && Math.max(...ends) < countsPerTurn) continue;
    askew.push(`  ${servo.joint}: its range would be counts ${ends.join(' to ')}`);
    const from = memories[j]!.homingOffset;
    const to = offsetFor(from, servo.zeroCount, middle);
    offsets.push({ servo, from, to });
    servos[j] = { ...servo, zeroCount: middle + turnedCounts(middle, servo.zeroCount + from - to) };
  }
  if (offsets.length > 0 && bus.kind !== 'feetech')
    throw new KitError(
      'E_SERVO_RANGE',
      `the horn stands so that the range runs over the end of the servo's turn, 0 to ${countsPerTurn - 1}:\n${askew.join('\n')}`,
      'turn the horn on its shaft so that 0 rad is near count 2048, then calibrate again; nothing was written',
      'failed',
    );
  return { servos, offsets };
}

/**
 * How far each joint has been. A count is taken for the position that is within half a turn of the middle of the joint's range: so a joint
 * may run over the end of its servo's turn, and a look that was missed costs nothing.
 */
class Travel {
  readonly #spec: RobotSpec;
  readonly #servos: readonly CountedServo[];
  /** [joints] counts. */
  readonly #middles: readonly number[];
  readonly #now: number[];
  readonly #low: number[];
  readonly #high: number[];

  constructor(spec: RobotSpec, servos: readonly CountedServo[]) {
    this.#spec = spec;
    this.#servos = servos;
    this.#middles = servos.map((servo, j) => {
      const [low, high] = spec.joints[j]!.range;
      return turnOfAngle(servo, (low + high) / 2);
    });
    this.#now = servos.map(({ zeroCount }) => zeroCount);
    this.#low = [...this.#now];
    this.#high = [...this.#now];
  }

  take(counts: readonly number[]): void {
    for (const [j, count] of counts.entries()) {
      if (Number.isNaN(count)) continue;
      const middle = this.#middles[j]!;
      const now = Math.round(middle + turnedCounts(middle, count));
      this.#now[j] = now;
      this.#low[j] = Math.min(this.#low[j]!, now);
      this.#high[j] = Math.max(this.#high[j]!, now);
    }
  }

  #reachedRad(j: number): Range {
    const ends = [this.#low[j]!, this.#high[j]!].map(count => angleOfTurn(this.#servos[j]!, count));
    return [Math.min(...ends), Math.max(...ends)];
  }

  /** @param servos with the zeros to count from */
  reached(servos: readonly CountedServo[]): Pick<Walked, 'reachedRad' | 'reachedCounts'> {
    return {
      reachedRad: this.#servos.map((_, j) => this.#reachedRad(j)),
      reachedCounts: this.#servos.map(({ zeroCount }, j) => {
        const shift = servos[j]!.zeroCount - zeroCount;
        return [this.#low[j]! + shift, this.#high[j]! + shift];
      }),
    };
  }

  short(): string[] {
    return this.#spec.joints.flatMap((joint, j) => shortOfRange(joint, this.#reachedRad(j)) ?? []);
  }

  lines(): string[] {
    return tableLines([
      ['joint', 'least', 'now', 'most', 'robot.json, rad', ''],
      ...this.#spec.joints.map((joint, j) => {
        const [low, high] = this.#reachedRad(j);
        const now = angleOfTurn(this.#servos[j]!, this.#now[j]!);
        const rest = shortOfRange(joint, [low, high]) === undefined ? 'done' : 'turn on';
        return [joint.name, angleWords(low), angleWords(now), angleWords(high), rangeWords(joint.range), rest];
      }),
    ]);
  }
}

const countWords = (count: number): string => (Number.isNaN(count) ? 'silent' : String(count));
const angleWords = (rad: number): string => (Number.isNaN(rad) ? '' : rad.toFixed(2));
