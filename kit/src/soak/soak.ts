/**
 * Long runs of the control loop, for `npm run long`: an hour at 200 Hz on the emulated servos of an SO-101 in virtual time, then ten
 * minutes at 500 Hz on two of them in real time, through `kit run` on a serial port, another policy tried, and taking over, every forty seconds, V8's trace on. Memory must stay
 * flat, deadlines must not drift, every missed tick must have a reason, and no collection may take longer than a millisecond.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { writeDurably } from '@sim2servo/models/durable-file';
import { messageOf } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { logInfo } from '@sim2servo/runtime/logs';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import { emptyRecord } from '@sim2servo/runtime/releases/policy-record';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import { exportBundle } from '@sim2servo/train/export-bundle';
import { robotRecipe } from '@sim2servo/train/robot-recipe';
import { trainRun } from '@sim2servo/train/train-run';
import { readGcTrace } from './gc-trace.js';

const [, , out, virtualSeconds = '3600', realSeconds = '600'] = process.argv;
const virtualHz = 200;
const realHz = 500;
/** Longer than a trial of thirty seconds takes. */
const swapEveryMs = 40_000;
const sampleEveryMs = 5_000;
/** Until the process has loaded, the arm is armed, and the code is compiled. */
const warmUpS = 20;
const flatMiB = 8;
/** A tenth of a period: a read that also looks at a torque switch takes 0.2 ms more. What drifts comes to far more in an hour. */
const driftUs = 1e5 / virtualHz;
/** The first and the last tick may each be late by one. */
const realDriftPeriods = 2;
/** Of the collector's own time: what the system runs meanwhile is not its doing. */
const longestPauseUs = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'sim2servo-soak-'));
const at = (name: string) => join(folder, name);
const say = (text: string) => process.stderr.write(`${text}\n`);
const kitProgram = fileURLToPath(new URL('../../../bin/kit.mjs', import.meta.url));

/** desk2 with servos of the SO-101. A stop after 100 ms without a sample is 50 ticks at this rate. */
function deskOnBus(): string {
  const { spec, folder: desk } = loadRobot('desk2');
  const { site } = loadRobot('so101');
  const to = at('desk-on-bus');
  cpSync(desk, to, { recursive: true });
  const servos = spec.joints.map(({ name }, i) => ({ ...site.servos[i], joint: name, zeroCount: 2048, direction: 1 }));
  writeDurably(join(to, 'site.json'), JSON.stringify({ ...site, servos }));
  const safety = { ...spec.safety, staleTicks: realHz / 10, nonFiniteTicks: realHz / 10 };
  writeDurably(join(to, 'robot.json'), JSON.stringify({ ...spec, safety }));
  return to;
}

/**
 * Hardly trained: where the arm goes does not matter here, how it is driven does.
 *
 * @returns the policy so many times under other digests: none of them is worse than the one before, so each must pass its trial
 */
async function policy(robot: string, name: string, controlRateHz: number, times: number): Promise<string[]> {
  const recipe = robotRecipe(robot, loadRobot(robot).spec, 'reach', controlRateHz);
  const loop = {
    ...recipe.loop,
    seed: 0,
    steps: 4096,
    learningStarts: 2048,
    evaluateEvery: 4096,
    evaluationEpisodes: 1,
  };
  const run = await trainRun({ ...recipe, loop }, at(`train-${name}`));
  const bundles: string[] = [];
  for (let i = 0; i < times; i++)
    bundles.push((await exportBundle({ run: run.folder.path, out: at(`${name}-${i}`) })).folder);
  return bundles;
}

function virtualHour(robot: string, bundle: string) {
  const program = fileURLToPath(new URL('./virtual-hour.js', import.meta.url));
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--expose-gc', program, robot, bundle, at('hour.mcap'), virtualSeconds],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) throw new Error(`the virtual run left with ${status}`);
  return JSON.parse(stdout);
}

async function realMinutes(robot: string, bundles: readonly string[]) {
  const store = at('store');
  const traces = at('traces');
  mkdirSync(traces);
  await deployToFolder(bundles[0]!, store);
  // Hardly trained, so it would fail where it is the first; those after it are judged by what it does.
  openStore(store).commit(emptyRecord);
  const rig = await startBusRig({ robot: loadRobot(robot).folder });
  const traced = `--trace-event-categories=v8 --trace-event-file-pattern=${join(traces, `trace-\${rotation}.json`)}`;
  const kit = spawn(
    kitProgram,
    [
      ...['run', '--robot', robot, '--policy', store, '--port', rig.path, '--seconds', realSeconds],
      ...['--fifo', '--yes', '--json', '--log', at('real.mcap')],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: traced } },
  );
  let said = '';
  kit.stdout.setEncoding('utf8').on('data', text => {
    said += text;
  });
  const rssMiB: number[] = [];
  const sampling = setInterval(() => rssMiB.push(residentMiB(kit.pid!)), sampleEveryMs);
  let swaps = 0;
  const notDeployed: string[] = [];
  let deploying = Promise.resolve();
  const swapping = setInterval(() => {
    const next = bundles[++swaps % bundles.length]!;
    deploying = deploying.then(async () => {
      await deployToFolder(next, store).catch((error: unknown) => notDeployed.push(messageOf(error)));
    });
  }, swapEveryMs);
  const status = await new Promise<number | null>(resolve => kit.on('exit', resolve));
  clearInterval(sampling);
  clearInterval(swapping);
  await deploying;
  const { maxLagUs, slippedUs } = await rig.report();
  await rig.stop();
  if (status !== 0) throw new Error(`kit run left with ${status}: ${said}`);
  const { timing, end, followedBy, ticks, missed, missedBy, stale, linkErrors, relocks } = JSON.parse(
    said,
  ) as RunReport;
  const { periodErrorUs, tickUs, inferUs, readUs, gcPauseUs } = timing;
  const lasted = logInfo(at('real.mcap')).seconds;
  const settled = rssMiB.slice(Math.ceil((warmUpS * 1000) / sampleEveryMs), -1);
  const half = settled.length >> 1;
  return {
    servos: loadRobot(robot).spec.joints.length,
    controlRateHz: realHz,
    end: `${end.kind}: ${end.reason}`,
    seconds: Number(realSeconds),
    ticks,
    missed,
    missedBy,
    /** From the first tick to the last: what the clock says, less a period for each tick and each missed one. Periods that nobody counted show here too. */
    driftUs: 1e6 * (lasted - (ticks + missed - 1) / realHz),
    stale,
    linkErrors,
    relocks,
    policiesTaken: followedBy.filter(({ refused }) => refused === undefined).length,
    notDeployed,
    policiesRefused: followedBy.filter(({ refused }) => refused !== undefined),
    us: { periodErrorUs, readUs, inferUs, tickUs, gcPauseUs },
    gcTrace: readGcTrace(traces, kit.pid!, warmUpS),
    rssMiB,
    // It goes up and down with the collections.
    rssGrownMiB: Math.max(...settled.slice(half)) - Math.max(...settled.slice(0, half)),
    rig: { maxLagUs, slippedUs },
  };
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

say(`training two policies a little, for ${virtualHz} and ${realHz} Hz`);
const fastRobot = deskOnBus();
const [slow] = (await policy('so101', 'slow', virtualHz, 1)) as [string];
const fast = await policy(fastRobot, 'fast', realHz, 2);
say(`${virtualSeconds} s at ${virtualHz} Hz in virtual time`);
const virtual = virtualHour('so101', slow);
say(`${realSeconds} s at ${realHz} Hz in real time`);
const real = await realMinutes(fastRobot, fast);

const held = {
  'virtual: every tick on time, none missed': virtual.missed === 0 && Math.abs(virtual.driftUs) < driftUs,
  'virtual: the log has every tick': virtual.logged === virtual.ticks,
  'virtual: memory is flat': virtual.heapGrownMiB < flatMiB && virtual.rssGrownMiB < flatMiB,
  'real: ran to its end': real.end.startsWith('done'),
  'real: no drift, and every period is a tick or missed for a reason':
    Math.abs(real.driftUs) < (realDriftPeriods * 1e6) / realHz,
  'real: every policy took over': real.notDeployed.length + real.policiesRefused.length === 0 && real.policiesTaken > 0,
  'real: memory is flat': real.rssGrownMiB < flatMiB,
  'real: no collection took longer than 1 ms': real.gcTrace.longestCpuUs < longestPauseUs,
};
const result = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model, held, virtual, real };
if (out !== undefined) writeDurably(out, `${JSON.stringify(result, null, 2)}\n`);
for (const [what, ok] of Object.entries(held)) say(`${ok ? 'ok  ' : 'FAIL'}  ${what}`);
rmSync(folder, { recursive: true });
process.exit(Object.values(held).every(Boolean) ? 0 : 1);
