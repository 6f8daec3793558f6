/**
 * Policies on a robot: `releases/<digest>/`, and two links, `current` and `previous`. A reader sees the old policy or the new one,
 * never neither and never half of one: files are copied aside, synced, tested there, and let in by renames.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { type Bundle, type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { syncFolder } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type SelfTest, selfTest } from './self-test.js';

export interface Deployment extends SelfTest {
  readonly digest: string;
  /** The folder of the release. */
  readonly release: string;
  /** Digest of the release that `previous` names; undefined where this is the first. */
  readonly previous: string | undefined;
  readonly pruned: readonly string[];
}

const draftPrefix = '.incoming-';

/**
 * The folder with the bundle: `dir` itself, or the current release of the store that it is.
 *
 * @throws KitError E_POLICY_MISSING
 */
export function resolvePolicy(dir: string): string {
  if (existsSync(join(dir, 'policy.json'))) return dir;
  const current = join(dir, 'current');
  if (existsSync(join(current, 'policy.json'))) return realpathSync(current);
  throw new KitError(
    'E_POLICY_MISSING',
    `${dir} holds neither a policy (policy.json) nor a release store (current/policy.json)`,
    'export one with `kit export`, deploy it with `kit deploy BUNDLE --to DIR`',
    'usage',
  );
}

/** Digest of the release that a link names. */
function linked(targetDir: string, link: 'current' | 'previous'): string | undefined {
  try {
    return basename(readlinkSync(join(targetDir, link)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function switchLink(targetDir: string, link: 'current' | 'previous', digest: string): void {
  const draft = join(targetDir, `.${link}.${process.pid}`);
  rmSync(draft, { force: true });
  symlinkSync(join('releases', digest), draft);
  renameSync(draft, join(targetDir, link));
  syncFolder(targetDir);
}

function copyDurably(from: string, to: string): void {
  const bytes = readFileSync(from);
  const handle = openSync(to, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Copies a bundle aside, checks the copy, and renames it into place. */
async function admit(bundle: Bundle, releases: string, expected: BundleExpectation): Promise<SelfTest> {
  const release = join(releases, bundle.digest);
  if (existsSync(release)) {
    try {
      return await selfTest(loadBundle(release, expected));
    } catch {
      // What lies there under this digest is damaged: the good copy replaces it.
      rmSync(release, { recursive: true });
    }
  }
  const draft = join(releases, `${draftPrefix}${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  try {
    const signature = 'policy.json.minisig';
    const names = ['policy.json', ...Object.keys(bundle.manifest.files)];
    if (existsSync(join(bundle.folder, signature))) names.push(signature);
    for (const name of names) copyDurably(join(bundle.folder, name), join(draft, name));
    syncFolder(draft);
    const tested = await selfTest(loadBundle(draft, expected));
    renameSync(draft, release);
    syncFolder(releases);
    return tested;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Removes every release but those that the links name, and what earlier deployments left half done. */
function prune(releases: string, keep: ReadonlySet<string | undefined>): string[] {
  const old = readdirSync(releases).filter(name => !keep.has(name));
  for (const name of old) rmSync(join(releases, name), { recursive: true, force: true });
  return old.filter(name => !name.startsWith(draftPrefix));
}

/**
 * Verifies a bundle, copies it into the store at `targetDir`, tests it there, and makes it the current one.
 *
 * @throws KitError E_BUNDLE_*, E_MODEL_*, E_SIGNATURE_*, E_SELFTEST_LATENCY, E_DEPLOY_TARGET; the store is as it was then
 */
export async function deployToFolder(
  bundleDir: string,
  targetDir: string,
  expected: BundleExpectation = {},
): Promise<Deployment> {
  const bundle = loadBundle(resolvePolicy(bundleDir), expected);
  const releases = join(targetDir, 'releases');
  try {
    if (existsSync(join(targetDir, 'policy.json')))
      throw new KitError('E_DEPLOY_TARGET', `${targetDir} is itself a policy bundle`, 'name another folder', 'usage');
    for (const link of ['current', 'previous'] as const) {
      const path = join(targetDir, link);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && !stat.isSymbolicLink())
        throw new KitError(
          'E_DEPLOY_TARGET',
          `${path} is not a link of a release store`,
          'name another folder',
          'usage',
        );
    }
    mkdirSync(releases, { recursive: true });
    const tested = await admit(bundle, releases, expected);
    const before = linked(targetDir, 'current');
    if (before !== bundle.digest) {
      if (before !== undefined) switchLink(targetDir, 'previous', before);
      switchLink(targetDir, 'current', bundle.digest);
    }
    const previous = linked(targetDir, 'previous');
    const pruned = prune(releases, new Set([bundle.digest, previous]));
    return { ...tested, digest: bundle.digest, release: join(releases, bundle.digest), previous, pruned };
  } catch (error) {
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_DEPLOY_TARGET',
      `can't deploy into ${targetDir}: ${messageOf(error)}`,
      'free some space, or name a folder that you may write to',
      'failed',
      { cause: error },
    );
  }
}
