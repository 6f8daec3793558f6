/** Which received files nobody waits for any more. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { isOwnerAlive } from './owner.js';

/** Longer than anybody takes to send a bundle. */
const receivingMs = 3_600_000;
/** So many deployments that died before their end may be gone on with. */
export const unfinishedKept = 4;

/**
 * Removes what came long before the newest release: younger files may be another deployer's, who waits for the lock. And what those had
 * received who died, but for the newest few.
 *
 * @param newestMs when the newest release came
 */
export function pruneIncoming(disk: Disk, incoming: string, newestMs: number): void {
  // A deployer needs no lock to receive: what is there may be let in, and have another name, any moment.
  const cameMs = (name: string) => statSync(join(incoming, name), { throwIfNoEntry: false })?.mtimeMs ?? newestMs;
  const came = readdirSync(incoming).map(name => ({ name, atMs: cameMs(name), alive: isOwnerAlive(name) }));
  const dead = came.filter(({ alive }) => alive === false).sort((a, b) => b.atMs - a.atMs);
  const old = came.filter(({ atMs, alive }) => atMs < newestMs - receivingMs && alive !== true);
  for (const { name } of new Set([...dead.slice(unfinishedKept), ...old])) disk.remove(join(incoming, name));
}
