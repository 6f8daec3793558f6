/** How a robot is, in a word, and what went wrong with it last: the same, however it is asked. */
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { z } from 'zod';
import type { Status } from './protocol.js';

export const healths = ['no policy', 'ready', 'untried', 'driving', 'on trial'] as const;
/** `untried`: the next run is to try it. */
export type Health = (typeof healths)[number];

export function healthOf({ current, running, state }: Pick<Status, 'current' | 'running' | 'state'>): Health {
  if (state.trial !== undefined) return running === undefined ? 'untried' : 'on trial';
  if (running !== undefined) return 'driving';
  return current === undefined ? 'no policy' : 'ready';
}

export const lastErrorSchema = z.strictObject({ code: z.string(), message: z.string() });
export type LastError = z.infer<typeof lastErrorSchema>;

/** Of the last deployment, if it did not end well. What an operator undid is no error. */
export function failedDeployment(history: readonly HistoryEntry[]): LastError | undefined {
  const end = history.findLast(({ event }) => ends.has(event));
  if (end?.event === 'refused') return { code: 'E_DEPLOY_REFUSED', message: end.words };
  if (end?.event === 'rolled-back' && end.by === undefined) return { code: 'E_DEPLOY_ROLLED_BACK', message: end.words };
  return undefined;
}

const ends: ReadonlySet<HistoryEntry['event']> = new Set([
  'refused',
  'rolled-back',
  'admitted',
  'proposed',
  'committed',
]);
