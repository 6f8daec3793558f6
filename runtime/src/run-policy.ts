/** One run of a policy on an arm, from the verified bundle to the closed log. What `kit run` calls. */
import { join } from 'node:path';
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import type { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { InferenceBackend } from './inference-backend.js';
import { openPolicySession } from './policy-session.js';
import { realDisk } from './releases/disk.js';
import { followedPolicy } from './releases/followed-policy.js';
import { isReleaseStore, resolvePolicy } from './releases/release-store.js';
import { ReleaseWatch } from './releases/release-watch.js';
import { StoreFolder } from './releases/store-folder.js';
import type { Trial } from './releases/store-state.js';
import { type ArmOptions, type ArmReport, checkArmOptions, type OpenedArm, runArm } from './run-arm.js';
import { recordSizes } from './tick-record.js';
import { driveRing } from './trial/drive-ring.js';
import { firstPolicy } from './trial/first-policy.js';
import type { TrialNews } from './trial/trial-news.js';

export interface RunOptions extends ArmOptions {
  /** A policy bundle; or a release store, which is followed: what becomes current there takes over, what is on trial there is tried. */
  readonly policyDir: string;
  readonly backends?: readonly InferenceBackend[];
  /** Another policy took over, or could not. */
  readonly onPolicy?: (change: PolicyChange) => void;
  readonly onTrial?: (news: TimedNews) => void;
  /** The program of the thread that watches a store: another one to see what comes of a disk that fails. */
  readonly watchThread?: URL;
}

/** On the run's clock, from its start. */
export type TimedNews = TrialNews & { readonly atS: number };

export interface PolicyChange {
  readonly digest: string;
  /** On the run's clock, from its start. */
  readonly atS: number;
  /** It took over for its trial, or after another's. */
  readonly trial: boolean;
  /** Why it did not take over; absent where it did. */
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string };
}

export interface RunReport extends ArmReport {
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
  readonly trials: readonly TimedNews[];
}

/** Rows between loop and watching thread. In virtual time few: the loop would be far ahead of whoever watches it. */
const ringRows = { real: 1024, virtual: 16 } as const;

export interface ChosenPolicy {
  readonly bundle: Bundle;
  /** That it is on, from the first tick. */
  readonly trial?: Trial;
  /** Another, that begins its trial beside it. */
  readonly next?: Trial;
}

/** The policy that a run would begin with, verified against the robot and its keys. Nothing is run, no store is changed. */
export function choosePolicy(robot: LoadedRobot, policyDir: string): ChosenPolicy {
  const expected = expectationOf(robot);
  if (!isReleaseStore(policyDir)) return { bundle: loadBundle(resolvePolicy(policyDir), expected) };
  const load = (digest: string) => loadBundle(join(policyDir, 'releases', digest), expected);
  const store = new StoreFolder(policyDir, realDisk);
  const current = store.linked('current');
  const { trial } = store.state();
  const begin = (trial: Trial | undefined) => {
    const first = firstPolicy(policyDir, { current, trial }, load);
    if (first.trial !== undefined) return { bundle: load(first.digest), trial: first.trial };
    const waits = trial !== undefined && trial.phase !== 'rollback';
    return { bundle: load(first.digest), ...(waits && { next: trial }) };
  };
  if (trial?.replaces === undefined) return begin(trial);
  try {
    return begin(trial);
  } catch {
    // The run itself says what is wrong with the one on trial, and rolls it back.
    return begin(undefined);
  }
}

/**
 * Runs a policy until its goals or its time are over, the signal is aborted, or something stops it.
 *
 * @returns the report, also of a run that was stopped: `end.error` is to be thrown once it was shown
 * @throws  KitError for everything that goes wrong while nothing moves yet
 */
export async function runPolicy(options: RunOptions): Promise<RunReport> {
  checkArmOptions(options);
  const { robot, policyDir } = options;
  if (!isReleaseStore(policyDir)) return drive(options, choosePolicy(robot, policyDir).bundle);
  const { spec } = robot;
  const expected = expectationOf(robot);
  const memory = driveRing(recordSizes(spec), options.virtualTime === true ? ringRows.virtual : ringRows.real);
  const watch = await ReleaseWatch.open(
    { store: policyDir, joints: spec.joints.map(({ name }) => name), expected, memory },
    options.watchThread,
  );
  let stopped: string | undefined;
  const news: TimedNews[] = [];
  try {
    const bundle = loadBundle(join(policyDir, 'releases', watch.first.digest), expected);
    const report = await drive(options, bundle, { watch, memory, news });
    if (report.end.kind === 'stopped') stopped = report.end.reason;
    return report;
  } finally {
    // The arm holds by now, or was told to; what the run did to the store is brought to an end before it is over.
    await watch.close(stopped);
  }
}

interface Watched {
  readonly watch: ReleaseWatch;
  readonly memory: ReturnType<typeof driveRing>;
  /** Goes on being filled until the watch is closed. */
  readonly news: TimedNews[];
}

async function drive(options: RunOptions, bundle: Bundle, watched?: Watched): Promise<RunReport> {
  const { policyDir: _, backends, onPolicy, onTrial, watchThread, ...armOptions } = options;
  const { task, controlRateHz, name } = bundle.manifest;
  const session = await openPolicySession(bundle, {
    exchangeable: watched !== undefined,
    ...(backends && { backends }),
  });
  const followedBy: PolicyChange[] = [];
  let arm: OpenedArm | undefined;
  let lastS = 0;
  const atS = () => (lastS = arm?.seconds() ?? lastS);
  const changed = (digest: string, trial: boolean, error?: KitError) => {
    const refused = error && { code: error.code, message: error.message, hint: error.hint };
    const change = { digest, trial, atS: atS(), ...(refused && { refused }) };
    followedBy.push(change);
    onPolicy?.(change);
  };
  const followed =
    watched &&
    followedPolicy(
      {
        session,
        first: watched.watch.first,
        memory: watched.memory,
        controlRateHz,
        virtualTime: options.virtualTime === true,
      },
      {
        tookOver(digest, trial) {
          arm?.policyChanged(digest);
          changed(digest, trial);
        },
        refused: (digest, error) => changed(digest, false, error),
        news(found) {
          const timed = { atS: atS(), ...found };
          watched.news.push(timed);
          onTrial?.(timed);
        },
      },
    );
  try {
    const report = await runArm({
      ...armOptions,
      task: taskNamed(task),
      controlRateHz,
      policy: followed?.policy ?? session,
      drivenBy: { policyDigest: bundle.digest },
      ...(followed && {
        overseer: followed.overseer,
        opened: found => {
          arm = found;
          watched.watch.go(followed.handlers);
        },
      }),
    });
    return {
      ...report,
      policy: {
        folder: bundle.folder,
        name,
        digest: bundle.digest,
        controlRateHz,
        backend: session.backend,
        goldenMaxError: session.goldenMaxError,
      },
      followedBy,
      trials: watched?.news ?? [],
    };
  } finally {
    followed?.overseer.close();
    await session.dispose();
  }
}
