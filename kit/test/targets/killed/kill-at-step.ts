/**
 * Loaded into a process before its program (`node --import`): at one of the operations with which that process changes the disk, whatever part
 * of it does them, it ends the agent, the deployer or both of them with SIGKILL. `KILL_AT` says when: [victim, number of the operation, 'before' or 'after'].
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export const victims = ['agent', 'deployer', 'both'] as const;
export type Victim = (typeof victims)[number];
export type KillAt = readonly [victim: Victim, operation: number, when: 'before' | 'after'];

const operations = [
  'appendFileSync',
  'copyFileSync',
  'fsyncSync',
  'mkdirSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'symlinkSync',
  'writeFileSync',
] as const;

/** @param pids of both */
export function kill(victim: Victim, pids: Readonly<Record<Exclude<Victim, 'both'>, number>>): void {
  const doomed = victim === 'both' ? [pids.agent, pids.deployer] : [pids[victim]];
  // Itself last: nothing is done after that.
  for (const pid of doomed.sort((a, b) => Number(a === process.pid) - Number(b === process.pid)))
    process.kill(pid, 'SIGKILL');
}

/** From here: a process that is not named is this one. */
function killFromHere(victim: Victim): void {
  const { AGENT_PID: agent = process.pid, DEPLOYER_PID: deployer = process.pid } = process.env;
  kill(victim, { agent: Number(agent), deployer: Number(deployer) });
}

if (process.env.KILL_AT !== undefined) {
  const [victim, operation, when] = JSON.parse(process.env.KILL_AT) as KillAt;
  let left = operation;
  for (const name of operations) {
    const real = fs[name] as (...of: unknown[]) => unknown;
    Object.assign(fs, {
      [name](...of: unknown[]) {
        left--;
        const now = left === 0;
        if (now && when === 'before') killFromHere(victim);
        try {
          return real(...of);
        } finally {
          // Also where it is refused: a folder that is not empty, for instance.
          if (now && when === 'after') killFromHere(victim);
        }
      },
    });
  }
  syncBuiltinESMExports();
}
