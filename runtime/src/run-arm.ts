/** One run of an arm, from the opened link to the closed log: what `kit run`, `teleop`, `record` and `replay` have in common. */
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Task } from '@sim2servo/models/tasks/task';
import { ControlLoop } from './control-loop.js';
import { checkExploration, type Exploration } from './exploration.js';
import type { GoalSource } from './goal-source.js';
import { holdWords } from './hold-words.js';
import type { LogHeader } from './log-writer.js';
import type { LoopEnd, LoopReport, LoopStatus } from './loop-report.js';
import type { Policy } from './policy-session.js';
import { Recorder } from './recorder.js';
import type { RecordedLog } from './recorder-messages.js';
import { recordSizes } from './tick-record.js';
import type { Overseer } from './trial/overseer.js';

export interface ArmOptions {
  readonly robot: LoadedRobot;
  readonly link: ServoLink;
  /** The clock that `link` uses, too. */
  readonly clock: Clock;
  readonly goals: GoalSource;
  /** Ends after this time although there are goals left; arming is not counted. */
  readonly seconds?: number;
  /** Where to record; nothing is recorded without. */
  readonly logPath?: string;
  readonly exploration?: Exploration;
  readonly onStatus?: (status: LoopStatus) => void;
  /** Aborted by Ctrl-C: the arm holds, the log is finished. */
  readonly signal?: AbortSignal;
  /** On a virtual clock the recorder is waited for instead of dropping what it can't take in time. */
  readonly virtualTime?: boolean;
}

export interface ArmRun extends ArmOptions {
  readonly task: Task;
  readonly controlRateHz: number;
  readonly policy: Policy;
  readonly drivenBy: Pick<LogHeader, 'policyDigest' | 'drivenBy'>;
  readonly overseer?: Overseer;
  /** Called before the arm is armed. */
  readonly opened?: (arm: OpenedArm) => void;
}

/** A run that has begun: link and log are open. */
export interface OpenedArm {
  /** What is recorded from now on was driven by another policy. */
  policyChanged(digest: string): void;
  /** Since the link was opened. */
  seconds(): number;
}

export interface ArmReport extends LoopReport {
  readonly log: ({ readonly path: string } & Partial<RecordedLog>) | undefined;
  readonly reached: number;
  /** Over all targets whose time was over; NaN without any. */
  readonly meanErrorM: number;
  readonly seconds: number;
  /** In words: whether the arm holds; where it does not, which joints, and what its bus does when nobody speaks. */
  readonly held: string;
}

/** @throws KitError E_SECONDS, E_EXPLORATION */
export function checkArmOptions({ seconds, exploration }: ArmOptions): void {
  if (exploration !== undefined) checkExploration(exploration);
  if (seconds === undefined || seconds > 0) return;
  throw new KitError('E_SECONDS', `a run of ${seconds} s is none`, 'give --seconds a positive number', 'usage');
}

/**
 * Runs until the goals or the time are over, the signal is aborted, or something stops the arm.
 *
 * @returns the report, also of a run that was stopped: `end.error` is to be thrown once it was shown
 * @throws  KitError for everything that goes wrong while nothing moves yet
 */
export async function runArm(run: ArmRun): Promise<ArmReport> {
  checkArmOptions(run);
  const {
    robot,
    link,
    clock,
    task,
    controlRateHz,
    drivenBy,
    logPath,
    seconds,
    opened,
    virtualTime = false,
    ...loopOptions
  } = run;
  if (seconds !== undefined && seconds * controlRateHz < 1)
    throw new KitError(
      'E_RUN_SHORT',
      `${seconds} s are less than one tick at ${controlRateHz} Hz`,
      `name at least ${1 / controlRateHz} s`,
      'usage',
    );
  const motion = await link.open();
  const startUs = clock.nowUs();
  const elapsedS = () => (clock.nowUs() - startUs) / 1e6;
  let recorder: Recorder | undefined;
  let loop: LoopReport;
  let recorded: RecordedLog | undefined;
  let logError: Error | undefined;
  try {
    if (logPath !== undefined)
      recorder = await Recorder.open({
        path: logPath,
        sizes: recordSizes(robot.spec),
        header: {
          robot: robot.spec.name,
          specSha256: robot.specSha256,
          task: task.name,
          controlRateHz,
          ...drivenBy,
        },
        waitForRoom: virtualTime,
      });
    opened?.({ policyChanged: digest => recorder?.policyChanged(digest), seconds: elapsedS });
    try {
      loop = await new ControlLoop({
        ...loopOptions,
        spec: robot.spec,
        task,
        controlRateHz,
        motion,
        clock,
        ...(seconds !== undefined && { maxTicks: Math.round(seconds * controlRateHz) }),
        ...(recorder !== undefined && { recorder }),
        virtualTime,
      }).run();
    } finally {
      try {
        recorded = await recorder?.close();
      } catch (error) {
        logError = error as Error;
      }
    }
  } finally {
    await link.close();
  }
  const { targets } = loop;
  return {
    ...loop,
    end: withLogError(loop.end, logError),
    log: logPath === undefined ? undefined : { path: logPath, ...recorded },
    reached: targets.filter(target => target.reached).length,
    meanErrorM: targets.reduce((sum, target) => sum + target.errorM, 0) / targets.length,
    seconds: elapsedS(),
    held: holdWords(loop.end, robot.site.bus),
  };
}

/** A log that could not be finished makes a failure of a run that went well; a safety stop stays one. */
function withLogError(end: LoopEnd, logError: Error | undefined): LoopEnd {
  if (logError === undefined || end.kind === 'stopped') return end;
  return { ...end, kind: 'failed', reason: logError.message, error: logError };
}
