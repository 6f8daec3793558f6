/** Foreign clients on the rig, none of them ours: they must not notice that the servos are emulated. `npm run conformance`. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';

const { KIT_PYTHON } = process.env;
const script = (name: string): string => fileURLToPath(new URL(`../../../test/conformance/${name}`, import.meta.url));

/** Why a client can't run; false where it can. */
function lacks(module: string): string | false {
  if (KIT_PYTHON === undefined) return 'KIT_PYTHON names no Python that has the foreign clients';
  const { status, stderr } = spawnSync(KIT_PYTHON, ['-c', `import ${module}`], { encoding: 'utf8' });
  return status === 0 ? false : `${KIT_PYTHON} has no ${module}: ${stderr?.trim().split('\n').at(-1)}`;
}

/** A client waits 34 ms for a servo. Where this machine stopped the rig itself for long, the servo was not to blame: then once more. */
const attempts = 5;
const stallUs = 5_000;

async function run<Said>(name: string): Promise<Said> {
  for (let attempt = 1; ; attempt++) {
    const rig = await startBusRig({ kind: 'feetech', servos: 6, baudRate: 1_000_000 });
    try {
      await rig.tell({ kind: 'clear' });
      const { code, out, err } = await runClient(name, rig.path);
      if (code === 0) return JSON.parse(out) as Said;
      const { maxLagUs } = await rig.report();
      if (maxLagUs < stallUs || attempt === attempts)
        throw new Error(`${name} ended with ${code}, the rig up to ${maxLagUs.toFixed(0)} µs late:\n${err}`);
    } finally {
      await rig.stop();
    }
  }
}

async function runClient(name: string, port: string) {
  const child = spawn(KIT_PYTHON!, [script(name), port], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, out, err };
}

const sdk = lacks('scservo_sdk');
const lerobot = lacks('lerobot.motors.feetech');
/** Two counts of lag, and the encoder's last. */
const near = (counts: readonly number[], goals: readonly number[]): boolean =>
  counts.length === goals.length && counts.every((count, i) => Math.abs(count - goals[i]!) <= 4);

/** A client that is not there is left out, and that is said. */
function client(lacking: string | false, name: string, body: (t: Test) => Promise<void>): void {
  if (lacking === false) t.test(name, body);
  else t.pass(`left out: ${name}: ${lacking}`);
}

client(sdk, "Feetech's SDK pings, reads, writes, sync-writes, sync-reads, and keeps writes for an action", async t => {
  const { end, ...said } = await run<{ end: number[] }>('feetech_sdk.py');
  t.same(said, { models: Array(6).fill(777), start: Array(6).fill(2048), waiting: 1, done: 0 });
  t.ok(near(end, [2098, 2148, 2198, 2248, 2298, 2348]), `it ends at ${end}`);
});

client(lerobot, "LeRobot's driver connects, configures, homes, calibrates, moves", async t => {
  const { end, ...said } = await run<{ end: number[] }>('lerobot_feetech.py');
  t.same(said, { same: true, temperature: Array(6).fill(32) });
  t.ok(near(end, Array(6).fill(2200)), `it ends at ${end}`);
});
