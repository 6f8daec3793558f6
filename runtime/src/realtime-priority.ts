/**
 * Real-time priority for the control loop's thread. Node has no call for it; the system's own program `chrt` (util-linux) has.
 *
 * Only the main thread gets it: that is the one whose number is the process's, and the loop owns it. A thread that it starts later would
 * inherit it, and then the recorder could keep the loop waiting: `--reset-on-fork` gives those the ordinary priority.
 */
import { spawnSync } from 'node:child_process';

/** In the middle of 1 … 99: above everything ordinary, below the kernel's own threads that serve interrupts. */
const priority = 50;

export type Priority =
  | { readonly granted: true; readonly words: string }
  | { readonly granted: false; readonly words: string };

/** Asks for it. Where it is refused the loop runs as well, only later under load: the caller says so. */
export function requestRealtimePriority(): Priority {
  if (process.platform !== 'linux') return refused(`${process.platform} has no chrt`, 'run on Linux for it');
  const { status, error, stderr } = spawnSync(
    'chrt',
    ['--fifo', '--reset-on-fork', '--pid', String(priority), String(process.pid)],
    {
      encoding: 'utf8',
    },
  );
  if (status === 0) return { granted: true, words: `real-time priority: FIFO ${priority}` };
  if (error !== undefined) return refused('there is no program chrt', 'install util-linux');
  return refused(
    stderr.trim().replace(/^chrt: /, ''),
    'allow it: a line `@dialout - rtprio 60` in /etc/security/limits.d/sim2servo.conf, then log in again',
  );
}

function refused(why: string, fix: string): Priority {
  return { granted: false, words: `no real-time priority (${why}): under load ticks come late. To have it, ${fix}` };
}
