/** What came of a fault, and whether that is what must: by how the joints moved and by what can be read of the log. */
import type { Bus } from '@sim2servo/models/site';
import type { LoopReport } from '@sim2servo/runtime/loop-report';
import type { ArmUnderTest } from './arm-under-test.js';
import type { Expected, Fault, FaultRow } from './fault.js';
import { judgeLog, type LogOutcome } from './judge-log.js';
import { astrayRad, lastMotionUs, movedRad, type Told } from './judge-motion.js';

/** An arm stands by then, from when the fault could be noticed. */
export const stopLimitMs = 100;
/** What a joint may move when a fault is cleared, and in the time before: noise, backlash, the rest of a load. */
const movedLimitRad = 0.025;
const restUs = 200_000;
/** How far it may go from when it must stand until then: a servo that takes where it is for its goal gives way to the load. */
export const sagLimitRad = 0.06;
/** How far a joint that works may be from everywhere that it was told to be: its overshoot, and what gravity pulls it down by. */
const astrayLimitRad = 0.12;

/** A fault is done to an arm that has moved by this much just before: what stands already proves nothing. */
const inMotionUs = 100_000;
const inMotionRad = 0.05;

export interface FaultOutcome {
  readonly row: FaultRow;
  readonly name: string;
  readonly bus: Bus['kind'];
  readonly expected: Expected;
  readonly passed: boolean;
  /** What did not come out as it must; empty where all did. */
  readonly failures: readonly string[];
  /** In words: how the run went on, or why it ended. */
  readonly seen: string;
  /** From the fault to when it could be noticed. */
  readonly noticeableMs: number;
  /** From then to the last motion of any joint with torque, or to the last command where none has; absent where the run went on. */
  readonly stoppedMs?: number;
  /** The furthest that a joint went after the fault was cleared; absent where the run went on. */
  readonly movedRad?: number;
  readonly log: LogOutcome;
}

export interface Suffered {
  readonly fault: Pick<Fault, 'row' | 'name' | 'expected' | 'reason' | 'limp'>;
  readonly arm: Pick<ArmUnderTest, 'bus' | 'trace' | 'controlRateHz' | 'robot'>;
  readonly told: readonly Told[];
  readonly faultUs: number;
  /** NaN: it never could be. */
  readonly noticeableUs: number;
  readonly clearUs: number;
  /** Absent of a host that was killed. */
  readonly report: LoopReport | undefined;
  readonly log: { readonly path: string; readonly closed: boolean; readonly dropped: number };
}

export function judgeFault(suffered: Suffered): FaultOutcome {
  const { fault, arm, told, faultUs, noticeableUs, clearUs, report } = suffered;
  const { row, name, expected, reason, limp } = fault;
  const failures: string[] = [];
  const must = (holds: boolean, otherwise: string) => {
    if (!holds) failures.push(otherwise);
  };
  const went = report?.end.kind === 'done';
  const all = arm.robot.spec.joints.map((_, j) => j);
  const limpJoints = limp === 'all' ? all : all.filter(j => j === limp);
  const joints = all.filter(j => !limpJoints.includes(j));
  const spanS = told.length > 0 ? (told.at(-1)!.timeUs - told[0]!.timeUs) / 1e6 : 0;
  const log = judgeLog(suffered.log.path, {
    ticks: told.length,
    dropped: suffered.log.dropped,
    spanS,
    rateHz: arm.controlRateHz,
    closed: suffered.log.closed,
  });
  must(log.wrong === '', `the log: ${log.wrong}`);
  must(Number.isFinite(noticeableUs), 'the fault never showed');
  const before = arm.trace.filter(({ timeUs }) => timeUs >= faultUs - inMotionUs && timeUs <= faultUs);
  must(movedRad(before, all, 0) >= inMotionRad, 'the arm was not in motion');
  must(expected === 'rides out' ? went : !went, went ? 'the run went on' : 'the run did not go on');
  if (report !== undefined && reason !== undefined)
    must(reason.test(report.end.reason), `the reason does not say ${reason.source}`);
  for (const j of limpJoints) {
    const { name } = arm.robot.spec.joints[j]!;
    const says = new RegExp(`NOT (be )?held \\([^)]*\\): [^;]*joint '${name}'`).test(report?.end.haltError ?? '');
    must(says, `the hold does not say that joint '${name}' is not held`);
  }
  const outcome = {
    row,
    name,
    bus: arm.bus,
    expected,
    seen: seenWords(report, log),
    noticeableMs: (noticeableUs - faultUs) / 1000,
    log,
  };
  if (expected === 'rides out') {
    const astray = astrayRad(arm.trace, told);
    must(astray <= astrayLimitRad, `a joint was ${astray.toFixed(2)} rad from everywhere it was told to be`);
    return { ...outcome, passed: failures.length === 0, failures };
  }
  const stoppedUs = joints.length > 0 ? lastMotionUs(arm.trace, joints, faultUs, clearUs) : (told.at(-1)?.timeUs ?? 0);
  const stoppedMs = Math.max(0, stoppedUs - noticeableUs) / 1000;
  // Slower than what counts as motion it could still go far.
  const sagged = movedRad(arm.trace, joints, Math.max(stoppedUs, noticeableUs + 1000 * stopLimitMs), clearUs);
  const crept = movedRad(arm.trace, joints, clearUs - restUs, clearUs);
  const moved = movedRad(arm.trace, joints, clearUs);
  must(stoppedMs <= stopLimitMs, `it stood ${stoppedMs.toFixed(0)} ms after the fault could be noticed`);
  must(sagged <= sagLimitRad, `a joint went ${sagged.toFixed(3)} rad further before the fault was cleared`);
  must(
    crept <= movedLimitRad,
    `a joint still crept by ${crept.toFixed(3)} rad in the last ${restUs / 1000} ms of that`,
  );
  must(moved <= movedLimitRad, `a joint moved by ${moved.toFixed(3)} rad when the fault was cleared`);
  return { ...outcome, passed: failures.length === 0, failures, stoppedMs, movedRad: moved };
}

function seenWords(report: LoopReport | undefined, log: LogOutcome): string {
  if (report === undefined) return 'the host is gone; the arm stands';
  const { end, stale, refused, missed, linkErrors } = report;
  const counts = [
    [stale, 'stale ticks'],
    [refused, 'refused ticks'],
    [missed, 'missed ticks'],
    [linkErrors, 'link errors'],
    [log.dropped, 'records dropped and counted'],
  ] as const;
  const counted = counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ');
  if (end.kind === 'done') return `went on${counted === '' ? '' : `: ${counted}`}`;
  const stopped = end.kind === 'stopped' ? 'stopped' : 'ended';
  return end.haltError === undefined
    ? `${stopped} and held: ${end.reason}`
    : `${stopped}: ${end.reason}; the hold failed: ${end.haltError}`;
}
