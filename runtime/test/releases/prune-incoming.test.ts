import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { realDisk } from '../../src/releases/disk.js';
import { ownedName } from '../../src/releases/owner.js';
import { pruneIncoming, unfinishedKept } from '../../src/releases/prune-incoming.js';

const nowS = 1_000_000;
const hourS = 3_600;

/** A folder with what came so many seconds after {@link nowS}; a name that ends with `/` is a folder with a file. */
function received(folder: string, came: Readonly<Record<string, number>>): string {
  for (const [name, afterS] of Object.entries(came)) {
    const path = join(folder, name);
    if (name.endsWith('/')) mkdirSync(path);
    writeFileSync(name.endsWith('/') ? join(path, 'a.part') : path, 'x');
    utimesSync(path, nowS + afterS, nowS + afterS);
  }
  return folder;
}
const deadName = (nonce: number) => `of-1-1-1-00000000-0000-4000-8000-000000000000.${nonce}`;

t.test('what came long before the newest release goes, unless its owner goes on', async t => {
  const living = ownedName();
  const came = { old: -hourS - 1, 'old.part': -hourS - 1, just: 60 - hourS, [`${living}/`]: -9 * hourS };
  const folder = received(t.testdir(), { ...came, [`${deadName(0)}/`]: -hourS - 1 });
  pruneIncoming(realDisk, folder, 1000 * nowS);
  t.same(readdirSync(folder), ['just', living]);
});

t.test('of those who died just now the last few may be gone on with, and the others go', async t => {
  const names = Array.from({ length: unfinishedKept + 2 }, (_, i) => deadName(i));
  const folder = received(t.testdir(), Object.fromEntries(names.map((name, i) => [`${name}/`, i])));
  pruneIncoming(realDisk, folder, 1000 * nowS);
  t.same(readdirSync(folder), names.slice(2));
});
