/** Programs of others, in Python, and what they say of an emulated bus. */
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';
import type { BusKind } from '../../src/rig/bus/create-bus.js';
import { kitPython } from './foreign-python.js';

const servos = 6;
const baudRate = 1_000_000;

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
  const child = spawn(kitPython!, [path, port, String(baudRate), ...args], {
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
