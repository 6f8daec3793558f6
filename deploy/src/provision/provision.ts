/** `kit provision`, without its words: finds out what a target is, plans, and carries the plan out. */
import { resolve } from 'node:path';
import { createGzip } from 'node:zlib';
import { joinedTrust } from '@sim2servo/models/bundle/trust';
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { z } from 'zod';
import { manifestName, signatureName, verifyRuntimeSignature } from '../robot/runtime-manifest.js';
import { alone } from './alone.js';
import { installSteps } from './install-steps.js';
import type { NpmCacheOptions } from './npm-cache.js';
import { knownPlatform, leastNode, type PlatformName, platformOf } from './platforms.js';
import { type PackageOptions, packageRuntime, type RuntimePackage, unpackedBytes } from './runtime-package.js';
import { filesThere } from './runtime-step.js';
import { readSiteThere, type SiteThere, sitePath } from './site-there.js';
import { prelude, type Step } from './steps.js';
import { writeTar } from './tar.js';
import { factsScript, readFacts, type TargetFacts } from './target-facts.js';
import { localShell, quoted, type SshTarget, sshShell, type TargetShell } from './target-shell.js';
import { uninstallSteps } from './uninstall-steps.js';

/** What an installation may take. */
export const budgets = { sentBytes: 60e6, unpackedBytes: 160e6, rssBytes: 150e6, firstTickMs: 1500 } as const;

export interface Place {
  /** Absent: this machine. */
  readonly ssh?: SshTarget;
  /** `/`, or a folder that is to become a robot's root: an image, a test. */
  readonly root: string;
}

export interface ProvisionOptions extends NpmCacheOptions {
  readonly place: Place;
  readonly robot: LoadedRobot;
  /** Default: what the target is; of a folder, what this machine is. */
  readonly platform?: PlatformName;
  readonly port?: string;
  readonly mqtt?: string;
  readonly nodePath?: string;
  readonly wasm?: boolean;
  readonly ownNode?: boolean;
  readonly replaceSite?: boolean;
  readonly sign?: (manifest: Buffer) => string;
  /** What makes the runtime: one that keeps what it made serves many robots. */
  readonly packaged?: (options: PackageOptions) => Promise<RuntimePackage>;
}

/** Everything that will be done, and nothing done yet. */
export interface Plan {
  readonly shell: TargetShell;
  readonly root: string;
  /** Whether users, services and rules are the target's own. */
  readonly system: boolean;
  readonly steps: readonly Step[];
  readonly facts: TargetFacts;
  readonly runtime?: RuntimePackage;
  /** The installed program can be run there now. */
  readonly runs: boolean;
}

export interface StepResult {
  readonly name: string;
  readonly outcome: 'done' | 'skipped';
  readonly words: string;
  readonly seconds: number;
}

export interface Measured {
  readonly firstTickMs: number;
  readonly rssBytes: number;
}

async function look(
  { ssh, root }: Place,
  port: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pick<Plan, 'shell' | 'root' | 'system' | 'facts'>> {
  const absolute = ssh === undefined ? resolve(root) : root;
  if (!absolute.startsWith('/'))
    throw new KitError('E_ROOT', `the root folder '${root}' is not absolute`, 'begin it with /', 'usage');
  let facts: TargetFacts | undefined;
  const shell = ssh === undefined ? localShell(absolute, signal) : sshShell(ssh, () => facts?.root === true, signal);
  facts = readFacts(await shell.run(factsScript(absolute, port)));
  if (facts.motion !== undefined && facts.motion !== 'waiting')
    throw new KitError(
      'E_ARM_DRIVEN',
      `the arm of ${shell.where} is being driven (${facts.motion}): nothing is changed under it`,
      `end that first: kit stop ${ssh === undefined ? absolute : shell.where}`,
      'usage',
    );
  return { shell, root: absolute, system: absolute === '/', facts };
}

/**
 * Looks at the target, makes the runtime's package and the steps. Changes nothing there.
 *
 * @throws KitError E_ARM_DRIVEN, E_PLATFORM, E_NODE_*, E_NPM_*, E_RUNTIME_UNSIGNED, E_SIGNATURE_*, E_SPACE, E_NO_PORT, E_TARGET_*
 */
export async function planProvision(options: ProvisionOptions): Promise<Plan> {
  const { place, robot, port, mqtt, replaceSite = false, packaged = packageRuntime } = options;
  const wanted = port ?? (robot.site.bus.kind === 'mqtt' ? undefined : robot.site.bus.port);
  const found = await look(place, wanted, options.signal);
  const { facts, shell } = found;
  const there = knownPlatform(facts);
  const platform = options.platform ?? platformOf(facts);
  if (found.system && platform !== there)
    throw new KitError(
      'E_PLATFORM',
      `${shell.where} is ${there ?? `${facts.system} on ${facts.machine}`}, and --platform says ${platform}`,
      'leave --platform out',
      'usage',
    );
  const siteThere = await lookAtSite(found);
  const runtime = await packaged({ ...options, platform });
  checkSigned(runtime, robot, siteThere);
  if (runtime.ownNode && (found.system || platform === there)) checkOwnNode(shell.where, facts.node);
  const runs = platform === there && (!runtime.ownNode || facts.node !== undefined);
  if (facts.freeBytes < 2 * unpackedBytes(runtime))
    throw new KitError(
      'E_SPACE',
      `${shell.where} has ${megabytes(facts.freeBytes)} free, and ${megabytes(2 * unpackedBytes(runtime))} are needed: the runtime, and the one after it`,
      'free some space there',
    );
  const steps = installSteps({ robot, runtime, facts, port: wanted, mqtt, replaceSite, siteThere, runs });
  return { ...found, runtime, runs, steps };
}

/** As root: it is for the robot's group alone. @throws KitError E_FILE_JSON, E_FILE_SCHEMA, E_SUDO, E_TARGET_* */
async function lookAtSite({
  shell,
  root,
  system,
  facts,
}: Pick<Plan, 'shell' | 'root' | 'system' | 'facts'>): Promise<SiteThere | undefined> {
  if (!facts.robot) return undefined;
  const path = quoted(`${root === '/' ? '' : root}${sitePath}`);
  const text = await shell.run(`if [ -e ${path} ]; then cat ${path}; fi`, system);
  if (text === '') return undefined;
  return readSiteThere(text, shell.where);
}

function checkSigned({ files }: RuntimePackage, { spec, site }: LoadedRobot, there: SiteThere | undefined): void {
  const content = (path: string) => files.find(file => file.path === path)?.content;
  const trust = there === undefined ? site : joinedTrust(there.trust, site);
  verifyRuntimeSignature(content(manifestName)!, content(signatureName), trust, [
    `site.json of ${spec.name}, here or there, names keys that it trusts or has revoked, so the robot takes only a signed runtime`,
    'sign it: --sign NAME',
  ]);
}

function checkOwnNode(where: string, version: string | undefined): void {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const [leastMajor, leastMinor] = leastNode.split('.').map(Number) as [number, number];
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new KitError(
    'E_NODE_ABSENT',
    `there is no Node for musl to ship, and ${where} has ${version === undefined ? 'none' : `version ${version}`} itself`,
    `install Node ${leastNode} or later there (Alpine: apk add nodejs), or give one with --node`,
    'usage',
  );
}

/** @throws KitError E_ARM_DRIVEN, E_TARGET_* */
export async function planUninstall(place: Place, signal?: AbortSignal): Promise<Plan> {
  return { ...(await look(place, undefined, signal)), steps: uninstallSteps, runs: false };
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Why a step is left out; undefined where it is done. */
export function skipReason({ system, root, facts }: Plan, step: Step): string | undefined {
  if (step.system !== true) return undefined;
  if (!system) return `${root} is a folder, no machine: it has no users and no services of its own`;
  if (['start', 'stop', 'reload'].includes(step.name) && !facts.systemd)
    return 'no systemd runs there: start `sim2servo-robot run` by what does, as user sim2servo';
  return undefined;
}

/** The scripts as they are run. */
export const scriptOf = ({ root, system }: Plan, step: Step): string => `${prelude(root, system)}${step.script}`;

/**
 * Carries the plan out, alone. Each step may be run again; where one fails, those before it stay done.
 *
 * @returns what was sent
 * @throws KitError E_PROVISION_BUSY, E_ARM_DRIVEN, E_ARM_UNKNOWN, E_TARGET_*
 */
export async function carryOut(
  plan: Plan,
  onStep: (step: StepResult) => void,
  onSent: (bytes: number) => void,
): Promise<number> {
  return alone(plan, () => eachStep(plan, onStep, onSent));
}

async function eachStep(
  plan: Plan,
  onStep: (step: StepResult) => void,
  onSent: (bytes: number) => void,
): Promise<number> {
  let sent = 0;
  for (const step of plan.steps) {
    const from = performance.now();
    const skipped = skipReason(plan, step);
    let said = '';
    if (skipped === undefined) {
      const archive = step.archive === true ? archiveOf(plan) : undefined;
      const add = (bytes: number) => {
        sent += bytes;
        onSent(sent);
      };
      const counted = archive && count(archive, add);
      try {
        said = await plan.shell.run(scriptOf(plan, step), plan.system, counted);
      } catch (error) {
        throw error instanceof KitError && error.code === 'E_TARGET_SCRIPT' ? atStep(plan, step, error) : error;
      }
    }
    onStep({
      name: step.name,
      outcome: skipped === undefined ? 'done' : 'skipped',
      words: skipped ?? [step.words, ...said.trim().split('\n')].filter(line => line !== '').join('; '),
      seconds: (performance.now() - from) / 1000,
    });
  }
  return sent;
}

/** With the step's name, and what the robot is left with. */
function atStep(plan: Plan, failed: Step, { code, message, hint, exit }: KitError): KitError {
  return new KitError(code, `step ${failed.name}: ${message}${leftThere(plan, failed)}`, hint, exit);
}

function leftThere({ steps, runtime, facts }: Plan, failed: Step): string {
  if (runtime === undefined) return '';
  if (steps.indexOf(failed) > steps.findIndex(({ name }) => name === 'runtime'))
    return '; the new runtime is in place, and a service that runs goes on with the one before until it is started again';
  return facts.current === undefined ? '; no runtime is there yet' : '; the runtime that was there is still in place';
}

/** What the target lacks of the release, packed. */
function archiveOf({ runtime, facts }: Plan): AsyncIterable<Buffer> {
  const there = new Set(filesThere(runtime!, facts));
  const gzip = createGzip();
  const files = runtime!.files.filter(({ path }) => !there.has(path));
  void (async () => {
    for (const part of writeTar(files))
      if (!gzip.write(part)) await new Promise(resolve => gzip.once('drain', resolve));
    gzip.end();
  })();
  return gzip;
}

async function* count(parts: AsyncIterable<Buffer>, add: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    add(part.length);
    yield part;
  }
}

const measured = z.object({ firstTickMs: z.number(), rssBytes: z.number() });

/** The installed service on its own machine; nothing moves. @throws KitError E_TARGET_SCRIPT */
export async function measureInstalled({ shell, root, system }: Plan): Promise<Measured> {
  const program = quoted(root === '/' ? '/usr/local/bin/sim2servo-robot' : `${root}/usr/local/bin/sim2servo-robot`);
  return parseJson(await shell.run(`${program} measure`, system), measured, 'answer of sim2servo-robot measure');
}
