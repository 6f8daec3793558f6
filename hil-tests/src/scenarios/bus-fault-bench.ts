/**
 * A servo bus on the bench, in virtual time: the real control loop with the real link on emulated servos, a hand on the wire, and an eye on
 * the horns. What came of a fault is judged by how the horns moved, not by what anybody says.
 */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { ControlLoop } from '@sim2servo/runtime/control-loop';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import type { LoopReport } from '@sim2servo/runtime/loop-report';
import { type AnyServo, robotBus } from '../rig/bus/create-bus.js';
import type { EmulatedBus } from '../rig/bus/emulated-bus.js';
import { Lockstep } from '../rig/lockstep.js';

const controlRateHz = 100;
const faultTick = 100;
const clearTick = 150;
const lastTick = 250;
/** How long the horns are watched after the run, before and after the fault is cleared. */
const watchUs = 500_000;
/** What a horn that stands seems to move within {@link spanUs}: noise of its encoder, and the rest of a swing in the arm's backlash. */
const stillCounts = 8;
const spanUs = 20_000;

export interface BusFault<Servo extends AnyServo = AnyServo> {
  readonly name: string;
  /** `rides out`: the run goes on to its end. `stops`: the loop stops the arm and holds it. */
  readonly expected: 'rides out' | 'stops';
  /** What the reason must say. */
  readonly reason?: RegExp;
  /** The servo, by its place, that loses its torque by the fault: it coasts, and nobody can stop it. The others are judged. */
  readonly limp?: number;
  begin(bench: BusFaultBench<Servo>): void;
  clear(bench: BusFaultBench<Servo>): void;
}

export interface BusFaultOutcome {
  readonly name: string;
  readonly expected: BusFault['expected'];
  readonly passed: boolean;
  readonly end: LoopReport['end']['kind'];
  readonly reason: string;
  readonly stale: number;
  readonly linkErrors: number;
  /** From the fault to the last motion of any horn with torque; NaN where the run went on. */
  readonly stillMs: number;
  /** The furthest that a horn went after the fault was cleared, counts; NaN where the run went on. */
  readonly movedCounts: number;
}

export class BusFaultBench<Servo extends AnyServo = AnyServo> {
  readonly bus: EmulatedBus<Servo>;
  readonly clock: Lockstep;
  readonly link: ServoLink;
  readonly #robot: LoadedRobot;
  readonly #trace: { readonly timeUs: number; readonly counts: readonly number[] }[] = [];
  /** What happens to bytes of the host on their way. */
  toServos: (bytes: Uint8Array) => Uint8Array = bytes => bytes;

  private constructor(robot: LoadedRobot, bus: EmulatedBus<Servo>) {
    this.#robot = robot;
    this.bus = bus;
    const receive = bus.receive.bind(bus);
    bus.receive = (bytes, timeUs) => receive(this.toServos(bytes), timeUs);
    bus.stepped = timeUs => this.#trace.push({ timeUs, counts: bus.servos.map((_, i) => bus.mechanics.counts(i)) });
    this.clock = new Lockstep(bus);
    this.link = createLink({ robot, clock: this.clock, open: async () => this.clock.open() });
  }

  /** @param robot whose site has servos of this kind */
  static async create<Servo extends AnyServo>(robot: LoadedRobot): Promise<BusFaultBench<Servo>> {
    return new BusFaultBench(robot, await robotBus<Servo>(robot));
  }

  /** Swings the arm, does the fault in mid-motion, clears it half a second later, and watches. */
  async suffer(fault: BusFault<Servo>): Promise<BusFaultOutcome> {
    const { clock } = this;
    let faultUs = Number.NaN;
    let cleared = false;
    const clear = () => {
      if (!cleared) fault.clear(this);
      cleared = true;
    };
    const report = await this.#run(tick => {
      if (tick === faultTick) {
        faultUs = clock.nowUs();
        fault.begin(this);
      }
      if (tick === clearTick && fault.expected === 'rides out') clear();
    });
    const went = report.end.kind === 'done';
    await clock.waitUntil(clock.nowUs() + watchUs);
    const clearUs = clock.nowUs();
    const stillMs = went ? Number.NaN : (this.#lastMotionUs(faultUs, clearUs, fault.limp) - faultUs) / 1000;
    clear();
    await clock.waitUntil(clock.nowUs() + watchUs);
    const movedCounts = went ? Number.NaN : this.#moved(clearUs);
    const { kind, reason } = report.end;
    const passed =
      fault.expected === 'rides out'
        ? went
        : !went && (fault.reason?.test(reason) ?? true) && stillMs <= 100 && movedCounts <= 2 * stillCounts;
    const { stale, linkErrors } = report;
    return {
      name: fault.name,
      expected: fault.expected,
      passed,
      end: kind,
      reason,
      stale,
      linkErrors,
      stillMs,
      movedCounts,
    };
  }

  async #run(each: (tick: number) => void): Promise<LoopReport> {
    const { spec } = this.#robot;
    let tick = 0;
    const action = new Float32Array(spec.joints.length);
    const policy = {
      observation: new Float32Array(256),
      action,
      infer: () => action.fill(0.3 * Math.cos((2 * Math.PI * tick) / controlRateHz)) && undefined,
      rehearse: () => each(++tick),
    };
    const motion = await this.link.open();
    const loop = new ControlLoop({
      spec,
      task: taskNamed('reach'),
      controlRateHz,
      motion,
      clock: this.clock,
      policy,
      goals: listedGoals([[0.15, 0.05, 0.06]], lastTick),
      maxTicks: lastTick,
      virtualTime: true,
    });
    const report = await loop.run();
    await this.link.close();
    return report;
  }

  /** When a horn that has torque was last seen to move between two instants. */
  #lastMotionUs(fromUs: number, toUs: number, limp: number | undefined): number {
    const seen = this.#trace.filter(({ timeUs }) => timeUs >= fromUs && timeUs <= toUs);
    const span = Math.round(spanUs / (this.bus.mechanics.stepS * 1e6));
    for (let i = seen.length - 1; i >= span; i--)
      if (
        seen[i]!.counts.some((counts, j) => j !== limp && Math.abs(counts - seen[i - span]!.counts[j]!) > stillCounts)
      )
        return seen[i - span / 2]!.timeUs;
    return fromUs;
  }

  /** The furthest that a horn was from where it stood at `fromUs`. */
  #moved(fromUs: number): number {
    const after = this.#trace.filter(({ timeUs }) => timeUs >= fromUs);
    const start = after[0]!.counts;
    return Math.max(...after.flatMap(({ counts }) => counts.map((count, j) => Math.abs(count - start[j]!))));
  }

  dispose(): void {
    this.bus.dispose();
  }
}
