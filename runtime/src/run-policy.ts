/** One run of a policy on an arm, from the verified bundle to the closed log. What `kit run` calls. */
import { basename, dirname } from 'node:path';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { ControlLoop } from './control-loop.js';
import { checkExploration, type Exploration } from './exploration.js';
import { FollowingPolicy } from './following-policy.js';
import type { GoalSource } from './goal-source.js';
import type { InferenceBackend } from './inference-backend.js';
import type { LoopEnd, LoopReport, LoopStatus } from './loop-report.js';
import { openPolicySession } from './policy-session.js';
import { Recorder } from './recorder.js';
import type { RecordedLog } from './recorder-messages.js';
import { resolvePolicy } from './release-store.js';
import { watchReleases } from './release-watch.js';
import { recordSizes } from './tick-record.js';

export interface RunOptions {
  readonly robot: LoadedRobot;
  /** A policy bundle, or a release store whose current release is run. */
  readonly policyDir: string;
  readonly link: ServoLink;
  /** The clock that `link` uses, too. */
  readonly clock: Clock;
  readonly goals: GoalSource;
  /** Ends after this time although there are goals left; arming is not counted. */
  readonly seconds?: number;
  /** Where to record; nothing is recorded without. */
  readonly logPath?: string;
  readonly exploration?: Exploration;
  /** `policyDir` is a release store, and what becomes current there takes over between two ticks. */
  readonly follow?: boolean;
  /** Another policy took over, or could not. */
  readonly onPolicy?: (change: PolicyChange) => void;
  readonly onStatus?: (status: LoopStatus) => void;
  /** Aborted by Ctrl-C: the arm holds, the log is finished. */
  readonly signal?: AbortSignal;
  /** On a virtual clock the recorder is waited for instead of dropping what it can't take in time. */
  readonly virtualTime?: boolean;
  readonly backends?: readonly InferenceBackend[];
}

export interface PolicyChange {
  readonly digest: string;
  /** On the run's clock, from its start. */
  readonly atS: number;
  /** Why it did not take over; absent where it did. */
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string };
}

export interface RunReport extends LoopReport {
  readonly policy: {
    readonly folder: string;
    readonly name: string;
    readonly digest: string;
    readonly controlRateHz: number;
    readonly backend: InferenceBackend;
    readonly goldenMaxError: number;
  };
  /** What took over from it, in this order. */
  readonly followedBy: readonly PolicyChange[];
  readonly log: ({ readonly path: string } & Partial<RecordedLog>) | undefined;
  readonly reached: number;
  /** Over all targets whose time was over; NaN without any. */
  readonly meanErrorM: number;
  readonly seconds: number;
}

/** The policy that a run would use, verified against the robot and its keys. Nothing is run. */
export function loadPolicy(robot: LoadedRobot, policyDir: string): Bundle {
  return loadBundle(resolvePolicy(policyDir), { robot, trustedKeys: robot.site.trustedKeys });
}

/**
 * Runs a policy until its goals or its time are over, the signal is aborted, or something stops it.
 *
 * @returns the report, also of a run that was stopped: `end.error` is to be thrown once it was shown
 * @throws  KitError for everything that goes wrong while nothing moves yet
 */
export async function runPolicy(options: RunOptions): Promise<RunReport> {
  const { robot, link, clock } = options;
  if (options.exploration !== undefined) checkExploration(options.exploration);
  if (options.seconds !== undefined && !(options.seconds > 0))
    throw new KitError(
      'E_SECONDS',
      `a run of ${options.seconds} s is none`,
      'give --seconds a positive number',
      'usage',
    );
  const bundle = loadPolicy(robot, options.policyDir);
  const { task: taskName, controlRateHz, name } = bundle.manifest;
  const task = taskNamed(taskName);
  const { follow = false, backends } = options;
  const store = follow ? storeOf(bundle, robot) : undefined;
  const session = await openPolicySession(bundle, { exchangeable: follow, ...(backends && { backends }) });
  const followedBy: PolicyChange[] = [];
  try {
    const motion = await link.open();
    const startUs = clock.nowUs();
    let recorder: Recorder | undefined;
    const changed = (digest: string, error?: KitError) => {
      const refused = error && { code: error.code, message: error.message, hint: error.hint };
      const change = { digest, atS: (clock.nowUs() - startUs) / 1e6, ...(refused && { refused }) };
      followedBy.push(change);
      options.onPolicy?.(change);
    };
    const following = follow
      ? new FollowingPolicy(session, controlRateHz, ({ digest }) => {
          recorder?.policyChanged(digest);
          changed(digest);
        })
      : undefined;
    let stopWatching: (() => Promise<unknown>) | undefined;
    let loop: LoopReport;
    let recorded: RecordedLog | undefined;
    let logError: Error | undefined;
    try {
      if (options.logPath !== undefined)
        recorder = await Recorder.open({
          path: options.logPath,
          sizes: recordSizes(robot.spec),
          header: {
            robot: robot.spec.name,
            specSha256: robot.specSha256,
            policyDigest: bundle.digest,
            task: taskName,
            controlRateHz,
          },
          waitForRoom: options.virtualTime ?? false,
        });
      if (store !== undefined && following !== undefined)
        stopWatching = watchReleases(store, { ready: next => following.offer(next), refused: changed });
      try {
        loop = await new ControlLoop({
          spec: robot.spec,
          task,
          controlRateHz,
          motion,
          clock,
          policy: following ?? session,
          goals: options.goals,
          ...(options.seconds !== undefined && { maxTicks: Math.round(options.seconds * controlRateHz) }),
          ...(recorder !== undefined && { recorder }),
          ...(options.exploration !== undefined && { exploration: options.exploration }),
          ...(options.onStatus !== undefined && { onStatus: options.onStatus }),
          ...(options.signal !== undefined && { signal: options.signal }),
          virtualTime: options.virtualTime ?? false,
        }).run();
      } finally {
        try {
          recorded = await recorder?.close();
        } catch (error) {
          logError = error as Error;
        }
      }
    } finally {
      await stopWatching?.();
      await link.close();
    }
    const { targets } = loop;
    return {
      ...loop,
      end: withLogError(loop.end, logError),
      policy: {
        folder: bundle.folder,
        name,
        digest: bundle.digest,
        controlRateHz,
        backend: session.backend,
        goldenMaxError: session.goldenMaxError,
      },
      followedBy,
      log: options.logPath === undefined ? undefined : { path: options.logPath, ...recorded },
      reached: targets.filter(target => target.reached).length,
      meanErrorM: targets.reduce((sum, target) => sum + target.errorM, 0) / targets.length,
      seconds: (clock.nowUs() - startUs) / 1e6,
    };
  } finally {
    await session.dispose();
  }
}

/** @throws KitError E_FOLLOW_STORE where the bundle is no release of a store */
function storeOf({ folder, digest }: Bundle, { spec, specSha256, site }: LoadedRobot) {
  const releases = dirname(folder);
  if (basename(releases) === 'releases')
    return { store: dirname(releases), running: digest, robot: { spec, specSha256 }, trustedKeys: site.trustedKeys };
  throw new KitError(
    'E_FOLLOW_STORE',
    `${folder} is a bundle: nothing will ever follow it`,
    'fill a release store with `kit deploy BUNDLE --to DIR`, and run that',
    'usage',
  );
}

/** A log that could not be finished makes a failure of a run that went well; a safety stop stays one. */
function withLogError(end: LoopEnd, logError: Error | undefined): LoopEnd {
  if (logError === undefined || end.kind === 'stopped') return end;
  return { ...end, kind: 'failed', reason: logError.message, error: logError };
}
