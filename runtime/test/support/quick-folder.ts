/** A folder that many small files come to and go from: in memory where the machine has a place for that, for it need not survive anything. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** It goes when `t` ends. */
export function quickFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sim2servo-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
