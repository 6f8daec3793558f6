/** One run of a policy on an arm, from the verified bundle to the closed log. What `kit run` calls. */
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { InferenceBackend } from './inference-backend.js';
import { openPolicySession } from './policy-session.js';
import { resolvePolicy } from './release-store.js';
import { type ArmOptions, type ArmReport, checkArmOptions, runArm } from './run-arm.js';

export interface RunOptions extends ArmOptions {
  /** A policy bundle, or a release store whose current release is run. */
  readonly policyDir: string;
  readonly backends?: readonly InferenceBackend[];
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
export async function runPolicy({ policyDir, backends, ...options }: RunOptions): Promise<RunReport> {
  checkArmOptions(options);
  const bundle = loadPolicy(options.robot, policyDir);
  const { task, controlRateHz, name } = bundle.manifest;
  const session = await openPolicySession(bundle, backends);
  try {
    const report = await runArm({
      ...options,
      task: taskNamed(task),
      controlRateHz,
      policy: session,
      drivenBy: { policyDigest: bundle.digest },
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
    };
  } finally {
    await session.dispose();
  }
}
