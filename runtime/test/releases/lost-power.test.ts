/** The model of what a loss of power leaves, against what can be said by hand. */
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Found, LostPower, materialise } from '../support/lost-power.js';
import type { Operation } from '../support/recording-disk.js';

const bytes = (text: string) => Buffer.from(text);
const write = (path: string, text: string): Operation => ({ kind: 'write', path, bytes: bytes(text) });
const sync = (path: string): Operation => ({ kind: 'sync', path });

/** `a=text b→target c/d=text`, in the order of the names. */
function words(found: Found, path = ''): string {
  if (found instanceof Uint8Array) return `${path}=${Buffer.from(found).toString().replaceAll('\0', '0')}`;
  if ('target' in found) return `${path}→${found.target}`;
  const inner = [...found.entries].map(([name, each]) => words(each, path === '' ? name : `${path}/${name}`));
  return path === '' || inner.length > 0 ? inner.join(' ') : `${path}/`;
}

function after(t: { testdir(): string }, ...operations: readonly Operation[]): string[] {
  const disk = LostPower.after(t.testdir());
  for (const operation of operations) disk.do(operation);
  return disk
    .found()
    .map(each => words(each))
    .sort();
}

t.test('a file that was written may be there whole, in part, empty, of zeros, or not at all', async t => {
  t.same(after(t, write('f', 'abcd')), ['', 'f=', 'f=0000', 'f=a', 'f=ab', 'f=ab00', 'f=abc', 'f=abcd']);
});

t.test('its sync makes its bytes last, not its name; the folder’s sync the name, not the bytes', async t => {
  t.same(after(t, write('f', 'ab'), sync('f')), ['', 'f=ab']);
  t.same(after(t, write('f', 'ab'), sync('')), ['f=', 'f=00', 'f=a', 'f=a0', 'f=ab']);
  t.same(after(t, write('f', 'ab'), sync('f'), sync('')), ['f=ab']);
});

t.test('what is appended may be torn, what was there is not', async t => {
  const append: Operation = { kind: 'append', path: 'f', bytes: bytes('cd') };
  t.same(after(t, write('f', 'ab'), sync('f'), sync(''), append), ['f=ab', 'f=ab00', 'f=abc', 'f=abc0', 'f=abcd']);
});

t.test('a rename is the old or the new one; without the sync of its file it may be a new empty one', async t => {
  const before = [write('f', 'old'), sync('f'), sync(''), write('d', 'n')];
  const rename: Operation = { kind: 'rename', from: 'd', to: 'f' };
  t.same(after(t, ...before, sync('d'), rename), ['d=n f=old', 'f=n', 'f=old']);
  t.ok(after(t, ...before, rename).includes('f='));
});

t.test('changes of a folder come each for itself, later ones without earlier ones', async t => {
  const link = (path: string): Operation => ({ kind: 'link', target: 'x', path });
  t.same(after(t, link('a'), link('b')), ['', 'a→x', 'a→x b→x', 'b→x']);
  t.same(after(t, link('a'), sync(''), { kind: 'remove', path: 'a' }, link('b')), ['', 'a→x', 'a→x b→x', 'b→x']);
});

t.test('a folder that is removed may be half gone', async t => {
  const made = [
    { kind: 'makeFolder', path: 'd' } as Operation,
    ...['d/a', 'd/b'].flatMap(path => [write(path, '1'), sync(path)]),
    ...['d', ''].map(sync),
  ];
  t.same(after(t, ...made, { kind: 'remove', path: 'd' }), ['', 'd/', 'd/a=1', 'd/a=1 d/b=1', 'd/b=1']);
});

t.test('what lies in a folder is there with the folder only', async t => {
  const made: Operation[] = [{ kind: 'makeFolder', path: 'd' }, write('d/a', '1'), sync('d/a'), sync('d')];
  t.same(after(t, ...made), ['', 'd/a=1']);
});

t.test('a sync is said to be of use where it makes something last', async t => {
  const disk = LostPower.after(t.testdir());
  t.same(
    [write('f', 'a'), sync('f'), sync('f'), sync(''), sync('')].map(each => disk.do(each)),
    [false, true, false, true, false],
  );
});

t.test('what was found is written as it was, after another boot', async t => {
  const folder = t.testdir();
  const from = join(folder, 'from');
  mkdirSync(join(from, 'deep'), { recursive: true });
  writeFileSync(join(from, 'deep', 'file'), 'boot-1');
  writeFileSync(join(from, 'running.json'), '{"boot":"boot-1"}');
  symlinkSync('{"boot":"boot-1"}', join(from, 'lock'));
  materialise(LostPower.after(from).now(), join(folder, 'to'), 'boot-1');
  const to = (...names: string[]) => join(folder, 'to', ...names);
  t.equal(readFileSync(to('deep', 'file'), 'utf8'), 'boot-1');
  t.notMatch(readFileSync(to('running.json'), 'utf8'), /boot-1/);
  t.notMatch(readlinkSync(to('lock')), /boot-1/);
});
