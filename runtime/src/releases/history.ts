/**
 * `history.jsonl` of a release store: what happened, in order; only added to. A line that a loss of power tore is cut off by the next one.
 * The newest half mebibyte at least is kept.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '@sim2servo/models/json-file';
import { z } from 'zod';
import type { Disk } from './disk.js';
import { replaceFile } from './store-files.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const words = z.string().min(1).max(2000);

/** One thing that happened in a store, as its history has it. */
export const historyEntrySchema = z.strictObject({
  at: z.iso.datetime().describe('by the robot’s clock, which may be wrong: the order of the lines counts'),
  id: z.string().describe('of the deployment'),
  digest,
  event: z.enum([
    'verified',
    'admitted',
    'tested',
    'proposed',
    'shadow',
    'limited',
    'full',
    'committed',
    'rolled-back',
    'refused',
  ]),
  words,
  seconds: z.number().min(0).describe('that the step took'),
  by: words.optional(),
  figures: z.record(z.string(), z.number()).optional(),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

export const historyFile = 'history.jsonl';
const maxBytes = 2 ** 20;

/** The lines before whatever is torn: no newline ends it, or it is no entry (blocks that never came are zeros). */
function wholeLines(text: string): string[] {
  const lines = text.split('\n').slice(0, -1);
  while (lines.length > 0 && !isEntry(lines.at(-1)!)) lines.pop();
  return lines;
}

function isEntry(line: string): boolean {
  try {
    return historyEntrySchema.safeParse(JSON.parse(line)).success;
  } catch {
    return false;
  }
}

const textOf = (folder: string) => {
  const path = join(folder, historyFile);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

/**
 * The last entries, oldest first.
 *
 * @throws KitError E_FILE_* where a line before the last was changed by hand
 */
export function readHistory(folder: string, last: number): HistoryEntry[] {
  const lines = wholeLines(textOf(folder));
  const from = Math.max(0, lines.length - last);
  return lines
    .slice(from)
    .map((line, i) => parseJson(line, historyEntrySchema, `line ${from + i + 1} of ${join(folder, historyFile)}`));
}

/** @returns once the entry is durable; the file must exist */
export function appendHistory(disk: Disk, folder: string, entry: HistoryEntry): void {
  const line = JSON.stringify(historyEntrySchema.parse(entry));
  const text = textOf(folder);
  const lines = wholeLines(text);
  const whole = lines.map(each => `${each}\n`).join('');
  if (whole.length === text.length && text.length + line.length < maxBytes) {
    const path = join(folder, historyFile);
    disk.append(path, Buffer.from(`${line}\n`));
    disk.sync(path);
    return;
  }
  const kept = text.length + line.length < maxBytes ? lines : lines.slice(lines.length >> 1);
  replaceFile(disk, folder, historyFile, [...kept, line, ''].join('\n'));
}
