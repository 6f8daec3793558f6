import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { cacheFolder, npmFile } from '../../src/provision/npm-cache.js';
import { writeTar } from '../../src/provision/tar.js';

const tarball = gzipSync(
  Buffer.concat([...writeTar([{ path: 'package/bin/node', content: Buffer.from('a node'), executable: true }])]),
);
const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
const wanted = { name: '@scope/some-node', version: '1.2.3', integrity };

/** A program `npm` that does what `script` says; `calls` counts it. */
function fakeNpm(folder: string, script: string) {
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\necho "$@" >> ${folder}/calls\n${script}\n`);
  chmodSync(join(folder, 'npm'), 0o755);
}

/** A folder with an npm that packs `content`, first on the path. */
function withNpm(t: Test, content: Buffer, script = '') {
  const folder = t.testdir({ programs: {}, cache: {} });
  const programs = join(folder, 'programs');
  writeFileSync(join(programs, 'made.tgz'), content);
  fakeNpm(
    programs,
    `${script}
for word in "$@"; do case $word in --pack-destination=*) cp ${programs}/made.tgz "\${word#*=}/scope-some-node.tgz" ;; esac; done`,
  );
  const path = process.env.PATH;
  process.env.PATH = `${programs}:${path}`;
  t.teardown(() => {
    process.env.PATH = path;
  });
  return { cache: join(folder, 'cache'), programs };
}

t.test('it is fetched once, checked, and kept', async t => {
  const { cache, programs } = withNpm(t, tarball);
  const fetched: string[] = [];
  const options = { folder: cache, onFetch: (what: string) => fetched.push(what) };
  t.equal((await npmFile(wanted, 'bin/node', options)).toString(), 'a node');
  t.same(fetched, ["@scope/some-node@1.2.3 from npm's registry"]);
  t.equal((await npmFile(wanted, 'bin/node', options)).toString(), 'a node');
  t.equal(fetched.length, 1, 'the second time it is there');
  t.same(readdirSync(cache), ['scope-some-node-1.2.3.tgz'], 'and nothing else is left');
  t.ok(existsSync(join(programs, 'calls')));
});

t.test('a kept package that was damaged is fetched anew', async t => {
  const { cache } = withNpm(t, tarball);
  writeFileSync(join(cache, 'scope-some-node-1.2.3.tgz'), tarball.subarray(0, 50));
  t.equal((await npmFile(wanted, 'bin/node', { folder: cache })).toString(), 'a node');
});

t.test('what the registry gives under this name is refused where it is another', async t => {
  const { cache } = withNpm(t, gzipSync(Buffer.from('something else')));
  await t.rejects(npmFile(wanted, 'bin/node', { folder: cache }), { code: 'E_NPM_INTEGRITY', message: /was pinned/ });
  t.same(readdirSync(cache), [], 'and not kept');
});

t.test('without the registry it is said what to do, and with Ctrl-C it ends', async t => {
  const { cache } = withNpm(t, tarball, 'echo "network unreachable" >&2; exit 1');
  await t.rejects(npmFile(wanted, 'bin/node', { folder: cache }), {
    code: 'E_NPM_FETCH',
    message: /network unreachable/,
    exit: 'noDevice',
  });
  fakeNpm(join(cache, '..', 'programs'), 'exec sleep 60');
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(), 100);
  await t.rejects(npmFile(wanted, 'bin/node', { folder: cache, signal: interrupt.signal }), { code: 'E_INTERRUPTED' });
  t.same(readdirSync(cache), []);
});

t.test('a file that a package does not have is a mistake of ours', async t => {
  const { cache } = withNpm(t, tarball);
  await t.rejects(npmFile(wanted, 'bin/other', { folder: cache }), { code: 'E_NPM_FILE', exit: 'bug' });
});

t.test('the cache lies where the system keeps caches', async t => {
  t.equal(cacheFolder({ XDG_CACHE_HOME: '/c' }), '/c/sim2servo');
  t.match(cacheFolder({}), /\/\.cache\/sim2servo$/);
});
