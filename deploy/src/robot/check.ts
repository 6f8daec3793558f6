/** `sim2servo-robot check`: whether the installed runtime is what was signed, and the current policy computes here what its trainer computed. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { type SelfTest, selfTest } from '@sim2servo/runtime/releases/self-test';
import { currentPolicy, installedRobot } from './installed-robot.js';
import type { RobotCommand } from './robot-command.js';
import { placeOptions, robotPlaces } from './robot-places.js';
import { verifyRuntime } from './runtime-manifest.js';

/** What `check` prints, as one line of JSON. */
export interface RobotCheck {
  readonly runtime: {
    readonly digest: string;
    readonly version: string;
    readonly platform: string;
    readonly inference: 'native' | 'wasm';
    readonly files: number;
    readonly bytes: number;
  };
  /** Version of the Node that runs this. */
  readonly node: string;
  /** Absent where nothing was deployed yet. */
  readonly policy?: { readonly digest: string } & SelfTest;
}

export const check: RobotCommand = {
  words: 'verify the installed runtime, and test the current policy on this machine',
  options: {
    ...placeOptions,
    share: 'of the control period that one inference may take (default: 0.25)',
    runtime: 'release of the runtime to verify (default: the one that runs this)',
  },
  async act({ root, runtime, share, ...named }) {
    const { robot: folder, store } = { ...robotPlaces(root), ...named };
    const robot = installedRobot(folder);
    const release = runtime ?? dirname(dirname(fileURLToPath(import.meta.url)));
    const { digest, manifest, files, bytes } = verifyRuntime(release, robot.site);
    const { version, platform, inference } = manifest;
    const result: RobotCheck = {
      runtime: { digest, version, platform, inference, files, bytes },
      node: process.versions.node,
      ...(existsSync(join(store, 'current')) && { policy: await testCurrent(robot, store, share) }),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  },
};

async function testCurrent(robot: LoadedRobot, store: string, share: string | undefined) {
  const bundle = currentPolicy(robot, store);
  return { digest: bundle.digest, ...(await selfTest(bundle, share === undefined ? undefined : positive(share))) };
}

function positive(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new KitError('E_USAGE', `--share ${text} is no share`, 'give a number above 0, such as 0.25', 'usage');
}
