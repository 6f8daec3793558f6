/**
 * Kills deployers, their agents, or both, at each of their steps and at any moment, and looks at the store that they leave: as a robot that starts,
 * and as the next who deploys.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deployBundle } from '@sim2servo/deploy/targets/deploy-bundle';
import { connectFolder } from '@sim2servo/deploy/targets/folder-target';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { Random } from '@sim2servo/models/random';
import { openPolicySession } from '@sim2servo/runtime/policy-session';
import { isOwnerAlive } from '@sim2servo/runtime/releases/owner';
import { unfinishedKept } from '@sim2servo/runtime/releases/prune-incoming';
import { openStore, type ReleaseStore } from '@sim2servo/runtime/releases/release-store';
import { StoreLock } from '@sim2servo/runtime/releases/store-lock';
import { writeVariant } from '../bundles.js';
import { tried } from '../tried.js';
import { type KillAt, kill, type Victim, victims } from './kill-at-step.js';

/** Operations on the disk that an agent does for two deployments and a rollback, and a deployer, who brings files. */
const operationsOf = { agent: 150, deployer: 15 } as const;
const longestMs = 800;
/** By then a killed process is gone, however busy the machine. */
const goneMs = 10_000;
/** `current`, `previous`, and what the last trial replaced. */
const mostReleases = 3;
const deployer = fileURLToPath(new URL('deploy-until-killed.js', import.meta.url));
const killAtStep = new URL('kill-at-step.js', import.meta.url).href;

export interface Kills {
  readonly kills: number;
  readonly ofVictims: Readonly<Record<Victim, number>>;
  readonly atSteps: number;
  readonly atMoments: number;
  /** How many of the lives had got a policy in, to be tried. */
  readonly proposed: number;
}

export interface KillOptions {
  readonly seed?: number;
  /** Ends it: the life under way does not count. */
  readonly signal?: AbortSignal;
  /** After each kill whose store was looked at. */
  readonly onKill?: (counted: Kills) => void;
}

/** @returns what was counted, of fewer kills where `signal` came. @throws Error what is wrong with a store */
export async function killDeployments(
  folder: string,
  kills: number,
  { seed = 1, signal, onKill }: KillOptions = {},
): Promise<Kills> {
  const random = new Random(seed);
  const store = join(folder, 'store');
  const bundles = ['one', 'two', 'next'].map(name => join(folder, name));
  let counted: Kills = {
    kills: 0,
    ofVictims: { agent: 0, deployer: 0, both: 0 },
    atSteps: 0,
    atMoments: 0,
    proposed: 0,
  };
  let written = 10_000 * seed;
  // Slow enough for any machine's self-test; a file of its own beside the policy, so that there is always something to send.
  const write = (bundle: string) => {
    rmSync(bundle, { recursive: true, force: true });
    return writeVariant(bundle, written % 2 === 0 ? 0 : 1, ++written, { controlRateHz: 5 });
  };
  write(bundles[2]!);
  await deployNext(store, bundles[2]!);
  for (let life = 0; life < kills; life++) {
    const before = openStore(store).current();
    const digests = bundles.map(write);
    const plan = planOf(life, random);
    try {
      await liveUntilKilled(store, bundles.slice(0, 2), plan, signal);
      if (signal?.aborted === true) break;
      const opened = openStore(store);
      const { trial } = opened.state();
      assert(opened.current() === before, `${opened.current()} is current, untried`);
      assert(trial === undefined || digests.slice(0, 2).includes(trial.digest), `${trial?.digest} is none of its own`);
      await checkStart(opened);
      await deployNext(store, bundles[2]!);
      assert(openStore(store).current() === digests[2], 'the next deployment did not make its policy current');
      await checkStart(openStore(store));
      checkTidy(store);
      const { victim, at } = plan;
      counted = {
        kills: life + 1,
        ofVictims: { ...counted.ofVictims, [victim]: counted.ofVictims[victim] + 1 },
        atSteps: counted.atSteps + Number(at !== undefined),
        atMoments: counted.atMoments + Number(at === undefined),
        proposed: counted.proposed + Number(trial !== undefined),
      };
    } catch (error) {
      throw new Error(`after life ${life} (${JSON.stringify(plan)})`, { cause: error });
    }
    onKill?.(counted);
  }
  return counted;
}

interface Plan {
  readonly victim: Victim;
  /** A step of one of the two; without it the moment counts. */
  readonly at?: readonly [of: keyof typeof operationsOf, operation: number, when: 'before' | 'after'];
  readonly afterMs: number;
}

/** Each victim in turn; of five three die at a step of the agent, one at one of the deployer, one at any moment. */
function planOf(life: number, random: Random): Plan {
  const victim = victims[life % victims.length]!;
  const afterMs = random.uniform(0, longestMs);
  const kind = Math.floor(life / victims.length) % 5;
  if (kind === 4) return { victim, afterMs };
  const of = kind === 3 ? 'deployer' : 'agent';
  // Spread over the steps, each time beside those before.
  const operation = 1 + Math.floor(((life * 0.618034) % 1) * operationsOf[of]);
  return { victim, afterMs, at: [of, operation, life % 2 === 0 ? 'before' : 'after'] };
}

/** @returns once both are gone: an agent whose deployer was killed ends by itself */
async function liveUntilKilled(
  store: string,
  bundles: readonly string[],
  { victim, at, afterMs }: Plan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const killAt = (of: string) => (at?.[0] === of ? JSON.stringify([victim, at[1], at[2]] satisfies KillAt) : '');
  const own = killAt('deployer');
  const child = spawn(process.execPath, ['--import', killAtStep, deployer, store, killAt('agent'), ...bundles], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(own && { KILL_AT: own }) },
  });
  let said = '';
  child.stderr.on('data', chunk => {
    said += chunk;
  });
  // Its agent writes there, too: that is over when both are gone.
  const over = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  if (at === undefined) {
    const [agentPid] = await Promise.race([once(child.stdout, 'data'), over]);
    await sleep(afterMs);
    kill(victim, { agent: Number(agentPid), deployer: child.pid! });
  }
  const [code, by] = await over;
  signal?.removeEventListener('abort', stop);
  // What a killed process wrote to is closed before the process is gone, and its lock with it.
  for (const since = performance.now(); StoreLock.isTaken(store) && performance.now() - since < goneMs; )
    await sleep(5);
  if (signal?.aborted === true) return;
  const wanted = victim === 'agent' ? code === 3 : by === 'SIGKILL';
  assert(wanted && said === '', `the deployer ended by itself, with ${code ?? by}: ${said}`);
}

async function deployNext(store: string, bundle: string): Promise<void> {
  const connection = connectFolder({ store, robot: 'so101' });
  try {
    await deployBundle(connection, bundle, { by: 'the next' });
  } finally {
    await connection.close();
  }
  tried(store);
}

function assert(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}

/** @throws Error what no robot may start with */
async function checkStart(store: ReleaseStore): Promise<void> {
  for (const name of readdirSync(join(store.folder, 'releases')))
    assert(loadBundle(store.releaseFolder(name)).digest === name, `half a release: ${name}`);
  const current = store.current();
  if (current === undefined) return;
  const session = await openPolicySession(loadBundle(store.releaseFolder(current)));
  assert(session.goldenMaxError < 1e-5, 'its golden vectors fail');
  await session.dispose();
}

/** What is on the disk after a deployment is bounded, however many were killed before. */
function checkTidy(store: string): void {
  for (const inner of ['releases', 'records'])
    for (const name of readdirSync(join(store, inner))) assert(!name.startsWith('.'), `left behind: ${inner}/${name}`);
  assert(readdirSync(join(store, 'releases')).length <= mostReleases, 'releases/ grows');
  const incoming = readdirSync(join(store, 'incoming'));
  const odd = incoming.filter(name => isOwnerAlive(name) !== false);
  assert(odd.length === 0, `left behind: incoming/${odd}`);
  assert(incoming.length <= unfinishedKept, `incoming/ grows: ${incoming.length} places of the dead`);
  assert(!['lock', 'state.lock'].some(name => existsSync(join(store, name))), 'a lock is left');
}
