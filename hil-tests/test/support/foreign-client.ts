/** Programs of others, in Python: whether they are to be had, and what they say of an emulated bus. */
import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';
import type { BusKind } from '../../src/rig/bus/create-bus.js';

const { KIT_PYTHON } = process.env;
const servos = 6;
const baudRate = 1_000_000;

/** Why a client can't run; false where it can. */
export function lacks(module: string): string | false {
  if (KIT_PYTHON === undefined) return 'KIT_PYTHON names no Python that has the foreign clients';
  const { status, stderr } = spawnSync(KIT_PYTHON, ['-c', `import ${module}`], { encoding: 'utf8', cwd: tmpdir() });
  return status === 0 ? false : `${KIT_PYTHON} has no ${module}: ${stderr?.trim().split('\n').at(-1)}`;
}

/** A client waits 34 ms for a servo. Where this machine stopped the rig itself for long, the servo was not to blame: then once more. */
const attempts = 5;
const stallUs = 5_000;

/**
 * Runs a program of test/conformance on a bus of six emulated servos.
 *
 * @param args after the port and the baud rate
 * @returns the JSON that it printed
 * @throws Error with what it complained of
 */
export async function foreignClient<Said>(kind: BusKind, program: string, ...args: string[]): Promise<Said> {
  for (let attempt = 1; ; attempt++) {
    const rig = await startBusRig({ kind, servos, baudRate });
    try {
      await rig.tell({ kind: 'clear' });
      const { code, said, complaint } = await runClient(program, rig.path, args);
      if (code === 0) return JSON.parse(said) as Said;
      const { maxLagUs } = await rig.report();
      if (maxLagUs < stallUs || attempt === attempts)
        throw new Error(`${program} ended with ${code}, the rig up to ${maxLagUs.toFixed(0)} µs late:\n${complaint}`);
    } finally {
      await rig.stop();
    }
  }
}

async function runClient(program: string, port: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(`../../../test/conformance/${program}`, import.meta.url));
  const child = spawn(KIT_PYTHON!, [path, port, String(baudRate), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: tmpdir(),
  });
  let said = '';
  let complaint = '';
  child.stdout.on('data', chunk => {
    said += chunk;
  });
  child.stderr.on('data', chunk => {
    complaint += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  return { code, said, complaint };
}
