/** One run of a policy on an arm, from the verified bundle to the closed log. What `kit run` calls. */
import { basename, dirname } from 'node:path';
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { InferenceBackend } from './inference-backend.js';
import { openPolicySession } from './policy-session.js';
import { FollowingPolicy } from './releases/following-policy.js';
import { resolvePolicy } from './releases/release-store.js';
import { watchReleases } from './releases/release-watch.js';
import { type ArmOptions, type ArmReport, checkArmOptions, type OpenedArm, runArm } from './run-arm.js';

export interface RunOptions extends ArmOptions {
  /** A policy bundle, or a release store whose current release is run. */
  readonly policyDir: string;
  readonly backends?: readonly InferenceBackend[];
  /** `policyDir` is a release store, and what becomes current there takes over between two ticks. */
  readonly follow?: boolean;
  /** Another policy took over, or could not. */
  readonly onPolicy?: (change: PolicyChange) => void;
}

export interface PolicyChange {
  readonly digest: string;
  /** On the run's clock, from its start. */
  readonly atS: number;
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
}

/** The policy that a run would use, verified against the robot and its keys. Nothing is run. */
export function loadPolicy(robot: LoadedRobot, policyDir: string): Bundle {
  return loadBundle(resolvePolicy(policyDir), expectationOf(robot));
}

/**
 * Runs a policy until its goals or its time are over, the signal is aborted, or something stops it.
 *
 * @returns the report, also of a run that was stopped: `end.error` is to be thrown once it was shown
 * @throws  KitError for everything that goes wrong while nothing moves yet
 */
export async function runPolicy(options: RunOptions): Promise<RunReport> {
  const { policyDir, backends, follow = false, onPolicy, ...armOptions } = options;
  checkArmOptions(armOptions);
  const bundle = loadPolicy(options.robot, policyDir);
  const { task, controlRateHz, name } = bundle.manifest;
  const store = follow ? storeOf(bundle, options.robot) : undefined;
  const session = await openPolicySession(bundle, { exchangeable: follow, ...(backends && { backends }) });
  const followedBy: PolicyChange[] = [];
  let arm: OpenedArm | undefined;
  const changed = (digest: string, error?: KitError) => {
    const refused = error && { code: error.code, message: error.message, hint: error.hint };
    const change = { digest, atS: arm?.seconds() ?? 0, ...(refused && { refused }) };
    followedBy.push(change);
    onPolicy?.(change);
  };
  const following = new FollowingPolicy(session, controlRateHz, ({ digest }) => {
    arm?.policyChanged(digest);
    changed(digest);
  });
  try {
    const report = await runArm({
      ...armOptions,
      task: taskNamed(task),
      controlRateHz,
      policy: store === undefined ? session : following,
      drivenBy: { policyDigest: bundle.digest },
      ...(store && {
        opened: found => {
          arm = found;
          return watchReleases(store, { ready: next => following.offer(next), refused: changed });
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
    };
  } finally {
    await session.dispose();
  }
}

/** @throws KitError E_FOLLOW_STORE where the bundle is no release of a store */
function storeOf({ folder, digest }: Bundle, { spec, specSha256, site }: LoadedRobot) {
  const releases = dirname(folder);
  if (basename(releases) === 'releases')
    return {
      store: dirname(releases),
      running: digest,
      robot: { spec, specSha256 },
      trustedKeys: site.trustedKeys,
      revokedKeys: site.revokedKeys,
    };
  throw new KitError(
    'E_FOLLOW_STORE',
    `${folder} is a bundle: nothing will ever follow it`,
    'fill a release store with `kit deploy BUNDLE --to DIR`, and run that',
    'usage',
  );
}
