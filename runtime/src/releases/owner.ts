/**
 * Who holds a lock or drives: a thread of a process, known again by its number, the time it started and the boot it lives in. A number alone
 * comes again: after a restart of the machine, often to the same program. No clock is asked: a robot's may be wrong by years.
 *
 * Where there is no `/proc` the number of the process is all that is compared. A process of another container has its number from another
 * namespace: it can't be looked at, and is believed for a while after something was heard of it (heartbeat.ts).
 *
 * @see proc(5): `/proc/pid/stat`, `/proc/thread-self`, `/proc/sys/kernel/random/boot_id`; pid_namespaces(7)
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { uptime } from 'node:os';
import { basename } from 'node:path';
import { z } from 'zod';
import { believedMs } from './heartbeat.js';

export const ownerSchema = z.strictObject({
  pid: z.int().positive(),
  thread: z.int().positive().optional(),
  startTicks: z.int().min(0).optional().describe('clock ticks after the boot at which the thread began'),
  boot: z.string().optional(),
  namespace: z.string().optional().describe('in which its number counts'),
  sinceUptimeS: z.number().describe('how long the machine had been up when it became the owner'),
});
export type Owner = z.infer<typeof ownerSchema>;

const gone = new Set(['Z', 'X', 'x']);
const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No `/proc`, nobody of that number, or nobody that this user may look at.
    return undefined;
  }
};
const bootId = () => read('/proc/sys/kernel/random/boot_id')?.trim();

function ownNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

/** State and start of a thread, the third and the 22nd field of its `stat`; the second, its name, may hold anything. */
function statOf(pid: number, thread: number): { state: string; startTicks: number } | undefined {
  const text = read(`/proc/${pid}/task/${thread}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, startTicks: Number(fields[19]) };
}

/** The thread that calls. */
export function thisOwner(): Owner {
  const { pid } = process;
  const boot = bootId();
  const sinceUptimeS = uptime();
  if (boot === undefined) return { pid, sinceUptimeS };
  const thread = Number(basename(readlinkSync('/proc/thread-self')));
  const namespace = ownNamespace();
  return {
    pid,
    thread,
    startTicks: statOf(pid, thread)!.startTicks,
    boot,
    ...(namespace && { namespace }),
    sinceUptimeS,
  };
}

const isElsewhere = ({ namespace }: Partial<Owner>): boolean => namespace !== undefined && namespace !== ownNamespace();

export const isThisProcess = (owner: Owner): boolean => owner.pid === process.pid && !isElsewhere(owner);

export const processWords = (owner: Owner): string =>
  `process ${owner.pid}${isElsewhere(owner) ? ' of another container' : ''}`;

/** What to do about one that is in the way. @param then what helps where it can be looked at */
export const waitWords = (owner: Owner, then: string): string =>
  isElsewhere(owner) ? `${then}; one that was killed is believed for up to ${believedMs / 1000} s` : then;

/**
 * Whether it goes on. In doubt (another user's process that can't be looked at) it does.
 *
 * @param isHeard asked where it is of another container
 */
export function isAlive(owner: Pick<Owner, 'pid'> & Partial<Owner>, isHeard = () => false): boolean {
  const { pid, thread, startTicks, boot } = owner;
  if (boot !== bootId()) return false;
  if (isElsewhere(owner)) return isHeard();
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (thread === undefined) return true;
  const stat = statOf(pid, thread);
  if (stat !== undefined) return !gone.has(stat.state) && stat.startTicks === startTicks;
  // The process can be seen, and that thread is not in it.
  return statOf(pid, pid) === undefined;
}

const namePattern = /^of-(\d+)(?:-(\d+)-(\d+)-([0-9a-f-]{36}))?\.[0-9a-f]+$/;

/** Name for a folder that the calling thread makes: from its first moment it says whose it is. Another one at each call. */
export function ownedName(): string {
  const { pid, thread, startTicks, boot } = thisOwner();
  const owner = boot === undefined ? `${pid}` : `${pid}-${thread}-${startTicks}-${boot}`;
  return `of-${owner}.${randomBytes(4).toString('hex')}`;
}

/** Whether the owner of what has such a name goes on; undefined where the name is none of {@link ownedName}. */
export function isOwnerAlive(name: string): boolean | undefined {
  const [, pid, thread, startTicks, boot] = namePattern.exec(name) ?? [];
  if (pid === undefined) return undefined;
  if (boot === undefined) return isAlive({ pid: Number(pid) });
  return isAlive({ pid: Number(pid), thread: Number(thread), startTicks: Number(startTicks), boot });
}

/** How long it has been the owner, in seconds; of a living one only. */
export const ownedS = ({ sinceUptimeS }: Owner): number => Math.max(0, uptime() - sinceUptimeS);
