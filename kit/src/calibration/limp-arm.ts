/** An arm of bus servos in a person's hands: all there, all limp, and looked at again and again until the person says so. */
import type { ServiceBus, ServoMemory } from '@sim2servo/firmware-bridge/service-bus';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type CountedServo, servoNames } from '@sim2servo/models/site';
import { confirm, type Io, interrupted } from '../io.js';

/** Rounds in a row in which a servo may be silent: somebody has a hand at its cable. */
const silentRounds = 5;
const roundUs = 30_000;

export interface LimpArmOptions {
  readonly bus: ServiceBus;
  readonly clock: Clock;
  readonly io: Io;
  readonly signal: AbortSignal;
  /** In the order of the joints. */
  readonly servos: readonly CountedServo[];
}

/**
 * The memories of all servos.
 *
 * @throws KitError E_SERVO_MISSING, E_SERVO_MODEL
 */
export async function servoMemories(bus: ServiceBus, servos: readonly CountedServo[]): Promise<ServoMemory[]> {
  const memories: (ServoMemory | undefined)[] = [];
  for (const { id } of servos) memories.push(await bus.memory(id));
  const missing = servos.filter((_, j) => memories[j] === undefined);
  if (missing.length > 0)
    throw new KitError(
      'E_SERVO_MISSING',
      `no answer from ${servoNames(...missing)}`,
      'check cables, supply, ids and baudRate in site.json; two servos of one id answer as none',
      'noDevice',
    );
  const found = memories as ServoMemory[];
  const other = servos.findIndex(({ model }, j) => model !== found[j]!.model);
  if (other >= 0)
    throw new KitError(
      'E_SERVO_MODEL',
      `${servoNames(servos[other]!)} is a ${found[other]!.model}, and site.json says ${servos[other]!.model}`,
      'correct id or model in site.json',
      'usage',
    );
  return found;
}

/** What a servo says means a position within its turn only in position mode. @throws KitError E_SERVO_MODE */
export function checkPositionMode(servos: readonly CountedServo[], memories: readonly ServoMemory[]): void {
  const others = servos.filter((_, j) => !memories[j]!.inPositionMode);
  if (others.length === 0) return;
  throw new KitError(
    'E_SERVO_MODE',
    `${servoNames(...others)} ${others.length === 1 ? 'is' : 'are'} not in position mode, and counts differently there`,
    others[0]!.kind === 'feetech'
      ? 'kit device configure --robot ROBOT --port PATH sets the mode'
      : 'write 3 to register 11 with DYNAMIXEL Wizard (LeRobot writes 4 or 5), and 0 to register 20, the homing offset',
    'usage',
  );
}

export class LimpArm {
  readonly #options: LimpArmOptions;
  readonly #silent: number[];

  private constructor(options: LimpArmOptions) {
    this.#options = options;
    this.#silent = options.servos.map(() => 0);
  }

  /**
   * Where a servo has torque it is asked whether the arm may go limp.
   *
   * @throws KitError E_NOT_CONFIRMED, E_SERVO_TORQUE where one keeps its torque, E_NO_SAMPLE
   */
  static async relax(options: LimpArmOptions, yes: boolean): Promise<LimpArm> {
    const { bus, io, servos } = options;
    const powered = async () => {
      const on: CountedServo[] = [];
      for (const servo of servos) if ((await bus.sample(servo.id))?.torque === true) on.push(servo);
      return on;
    };
    const before = await powered();
    if (before.length > 0) {
      await confirm(
        io,
        `About to let the arm go limp: ${servoNames(...before)} hold it now. Support it, it falls.`,
        yes,
      );
      for (const { id } of before) await bus.write(id, 'torqueEnable', 0);
      const still = await powered();
      if (still.length > 0) throw torqueOn(still);
    }
    return new LimpArm(options);
  }

  /**
   * Looks at all servos until `over` has resolved, and once more after.
   *
   * @param onCounts [servos] what each said last; NaN before it has said anything
   * @returns the counts of the last look
   * @throws KitError E_NO_SAMPLE, E_SERVO_TORQUE, E_INTERRUPTED
   */
  async watch<Answer>(
    over: Promise<Answer>,
    onCounts: (counts: readonly number[]) => void,
  ): Promise<{ readonly answer: Answer; readonly counts: readonly number[] }> {
    const { clock, servos, signal } = this.#options;
    const counts = servos.map(() => Number.NaN);
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    over.then(end, end);
    for (let last = false; ; ) {
      await this.#look(counts);
      onCounts(counts);
      // The one after the end is whole: none of it is older than the answer.
      if (last && !counts.some(Number.isNaN)) return { answer: await over, counts };
      last = isOver;
      if (signal.aborted) throw interrupted();
      if (!last) await clock.waitUntil(clock.nowUs() + roundUs);
    }
  }

  async #look(counts: number[]): Promise<void> {
    const { bus, servos } = this.#options;
    const powered: CountedServo[] = [];
    for (const [j, servo] of servos.entries()) {
      const sample = await bus.sample(servo.id);
      this.#silent[j] = sample === undefined ? this.#silent[j]! + 1 : 0;
      if (sample === undefined) continue;
      counts[j] = sample.positionCounts;
      if (sample.torque) powered.push(servo);
    }
    if (powered.length > 0) throw torqueOn(powered);
    const gone = servos.filter((_, j) => this.#silent[j]! >= silentRounds);
    if (gone.length > 0)
      throw new KitError('E_NO_SAMPLE', `no answer from ${servoNames(...gone)}`, 'check cables and supply', 'timeout');
  }
}

function torqueOn(servos: readonly CountedServo[]): KitError {
  return new KitError(
    'E_SERVO_TORQUE',
    `the torque of ${servoNames(...servos)} is on, and an arm is only calibrated limp`,
    'end whatever else speaks to the servos, then calibrate again; nothing was written',
    'safetyStop',
  );
}
