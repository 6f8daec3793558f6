/**
 * The rules of the house, held up by tests: format and lint, who may import whom, what is depended on and why, what must not stand in
 * the sources. CONTRIBUTING.md says them in words.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readJson = path => JSON.parse(readFileSync(join(root, path), 'utf8'));
const house = readJson('package.json');
const packages = house.workspaces;

/** Every file below `folder` that is written by hand, with the paths relative to the root. */
function filesIn(folder, extensions) {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!['node_modules', 'dist', 'results', '.tap'].includes(entry.name)) found.push(...filesIn(path, extensions));
    } else if (extensions.includes(extname(entry.name))) found.push(path);
  }
  return found;
}

const code = [...packages, 'scripts'].flatMap(folder => filesIn(folder, ['.ts', '.mjs', '.js', '.cjs']));
const textOf = new Map(code.map(path => [path, readFileSync(join(root, path), 'utf8')]));

function node(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return { status, stdout, stderr };
}

t.test('format and lint are clean', async t => {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const { status, stdout, stderr } = node(root, biome, 'check', '--diagnostic-level=warn', '--colors=off', '.');
  t.equal(status, 0, `npx biome check .\n${`${stdout}${stderr}`.slice(-3000)}`);
});

/** Runs dependency-cruiser with the house's rules over packages below `cwd`. */
function cruise(cwd, folders) {
  const program = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.mjs');
  const { stdout, stderr } = node(cwd, program, '--config', config, '--output-type', 'json', ...folders);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

const violationsOf = result => result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);

t.test('imports point down only', async t => {
  const folders = packages
    .flatMap(name => [`${name}/src`, `${name}/test`])
    .filter(path => existsSync(join(root, path)));
  const result = cruise(root, folders);
  t.same(violationsOf(result), []);
  const seen = new Set(
    result.modules.flatMap(module =>
      module.dependencies.map(({ resolved }) => `${module.source.split('/')[0]} → ${resolved.split('/')[0]}`),
    ),
  );
  t.ok(seen.has('sim → models') && seen.has('runtime → firmware-bridge'), 'imports between packages are followed');
});

t.test('each rule about imports fires', async t => {
  // A house of the same shape: in every package one file that imports one of every other package, by its name.
  const files = {};
  for (const name of packages)
    files[name] = {
      'package.json': JSON.stringify({
        name: `@sim2servo/${name}`,
        type: 'module',
        exports: { './*': './dist/src/*.js' },
      }),
      dist: { src: { 'thing.js': 'export const thing = 1;' } },
      src: Object.fromEntries(
        packages
          .filter(other => other !== name)
          .map(other => [
            `to-${other}.ts`,
            `import { thing } from '@sim2servo/${other}/thing';\nexport default thing;\n`,
          ]),
      ),
      test: { 'a.ts': 'export const a = 1;' },
    };
  files.sim.src['by-path.ts'] = "import type { b } from '../../models/src/b.js';\nexport type C = typeof b;\n";
  files.models.src['b.ts'] = "import { a } from '../test/a.js';\nexport const b = a;\n";
  files.models.src['c.ts'] = "import { d } from './d.js';\nexport const c = () => d;\n";
  files.models.src['d.ts'] = "import { c } from './c.js';\nexport const d = () => c;\n";
  files.models.src['e.ts'] = "export { nothing } from './nothing.js';\n";
  const folder = t.testdir(files);
  mkdirSync(join(folder, 'node_modules', '@sim2servo'), { recursive: true });
  for (const name of packages) symlinkSync(join(folder, name), join(folder, 'node_modules', '@sim2servo', name));
  const violations = violationsOf(
    cruise(
      folder,
      packages.flatMap(name => [`${name}/src`, `${name}/test`]),
    ),
  );
  const fired = (from, to) =>
    violations.some(text => text.startsWith(`floors-${from}: ${from}/src/to-${to}.ts → ${to}/dist/`));

  for (const [from, ...allowed] of [
    ['models'],
    ['sim', 'models'],
    ['firmware-bridge', 'models'],
    ['train', 'sim', 'models'],
    ['runtime', 'firmware-bridge', 'models'],
    ['deploy', 'runtime', 'firmware-bridge', 'models'],
    ['hil-tests', 'runtime', 'sim', 'firmware-bridge', 'models'],
  ])
    for (const to of packages.filter(other => other !== from))
      t.equal(
        fired(from, to),
        !allowed.includes(to),
        `${from} → ${to} is ${allowed.includes(to) ? 'allowed' : 'refused'}`,
      );
  for (const from of packages.filter(name => name !== 'kit' && name !== 'bench')) {
    t.ok(fired(from, 'kit'), `nobody imports kit, ${from} neither`);
    t.ok(fired(from, 'bench'), `nobody imports bench, ${from} neither`);
  }
  for (const rule of [
    'by-package-name: sim/',
    'sources-without-tests: models/src/b.ts',
    'no-cycles: models/src/',
    'resolvable: models/src/e.ts',
  ])
    t.ok(
      violations.some(text => text.startsWith(rule)),
      rule,
    );
});

const sectionsOf = manifest =>
  [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies].map(section => section ?? {});
const manifests = new Map([...packages, '.'].map(folder => [folder, readJson(join(folder, 'package.json'))]));
const isOwn = name => name.startsWith('@sim2servo/');

t.test('versions agree, and every one is pinned', async t => {
  const versions = new Map();
  for (const [folder, manifest] of manifests) {
    t.equal(manifest.version, house.version, `${folder} has the version of the house`);
    for (const [name, version] of sectionsOf(manifest).flatMap(Object.entries)) {
      t.match(version, /^\d+\.\d+\.\d+$/, `${folder} pins ${name}`);
      if (isOwn(name)) t.equal(version, house.version, `${folder} wants the ${name} of this house`);
      t.equal(versions.get(name) ?? version, version, `${folder} has the ${name} that the others have`);
      versions.set(name, version);
    }
  }
  const lock = readJson('package-lock.json');
  for (const [folder, manifest] of manifests) {
    const locked = lock.packages[folder === '.' ? '' : folder];
    t.equal(locked?.version, manifest.version, `${folder} stands in package-lock.json`);
    for (const [name, version] of sectionsOf(manifest).flatMap(Object.entries))
      t.equal(sectionsOf(locked ?? {}).find(section => section[name])?.[name], version, `${folder}: ${name} is locked`);
  }
});

/** Chosen for the house from the beginning; the part that uses it is not built yet (CHANGELOG.md says which is). */
const waiting = new Set(['mqtt']);

t.test('every dependency is used where it is listed', async t => {
  for (const [folder, manifest] of manifests) {
    const where = folder === '.' ? [...packages, 'scripts'] : [folder];
    const texts = [...textOf].filter(([path]) => where.includes(path.split('/')[0])).map(([, text]) => text);
    // The compiler and the type definitions of Node are used by name nowhere, and everywhere.
    for (const name of sectionsOf(manifest)
      .flatMap(Object.keys)
      .filter(name => name !== '@types/node' && !waiting.has(name))) {
      const parts = name
        .split('/')
        .map(part => `'${part}'`)
        .join(', ');
      const used = texts.some(text => text.includes(`'${name}'`) || text.includes(`'${name}/`) || text.includes(parts));
      t.ok(used, `${folder}: ${name}`);
    }
  }
});

t.test('every import of a package is listed by who imports it', async t => {
  const tools = Object.keys(house.devDependencies);
  const imports = /(?:\bfrom|\bimport|\bimport\()\s*'([^'.][^']*)'/g;
  const missing = [];
  for (const [path, text] of textOf) {
    const folder = path.split('/')[0];
    const own = manifests.get(folder);
    const listed = own === undefined ? [] : [own.name, ...sectionsOf(own).flatMap(Object.keys)];
    const allowed = /^[^/]+\/src\//.test(path) ? listed : [...listed, ...tools];
    for (const [, specifier] of text.matchAll(imports)) {
      if (specifier.startsWith('node:')) continue;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (builtinModules.includes(name)) missing.push(`${path}: write 'node:${name}'`);
      else if (/^[a-z@]/.test(name) && !allowed.includes(name)) missing.push(`${path}: ${name}`);
    }
  }
  // In code that a test writes into a fixture an import is text, not an import.
  t.same(
    missing.filter(text => !text.startsWith(relative(root, fileURLToPath(import.meta.url)))),
    [],
  );
});

t.test('docs/dependencies.md has a line for each dependency, and for no other', async t => {
  const documented = [
    ...readFileSync(join(root, 'docs', 'dependencies.md'), 'utf8').matchAll(/^\| `([^`]+)` +\|/gm),
  ].map(([, name]) => name);
  const listed = [...manifests.values()]
    .flatMap(manifest => sectionsOf(manifest).flatMap(Object.keys))
    .filter(name => !isOwn(name));
  t.same([...new Set(documented)].sort(), [...new Set(listed)].sort());
  t.equal(new Set(documented).size, documented.length, 'one line each');
  const rows = readFileSync(join(root, 'docs', 'dependencies.md'), 'utf8').match(/^\| `.*$/gm);
  for (const row of rows)
    t.equal(row.split('|').filter(cell => cell.trim() !== '').length, 5, `no empty cell: ${row.slice(0, 40)}`);
});

t.test('every test that docs/safety.md names is there', async t => {
  const text = readFileSync(join(root, 'docs', 'safety.md'), 'utf8');
  const named = [...text.matchAll(/`([^`\s]+\.test\.ts)`: “([^”]+)”/g)];
  t.ok(named.length > 10, `${named.length} tests are named`);
  for (const [, path, title] of named) t.ok(textOf.get(path)?.includes(title), `${path}: ${title}`);
});

t.test('links between documents lead somewhere', async t => {
  const documents = [...readdirSync(join(root, 'docs')).map(name => join('docs', name)), ...readdirSync(root)].filter(
    name => name.endsWith('.md'),
  );
  for (const path of documents)
    for (const [, target] of readFileSync(join(root, path), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g))
      t.ok(existsSync(join(root, dirname(path), target)), `${path} → ${target}`);
});

t.test('nothing is excused, postponed or left out', async t => {
  // A test may leave out a platform that lacks what it needs, and nothing else. Written in two halves, so that this file is not its own finding.
  const forbidden = {
    'an excused type error': new RegExp(`@ts-${'(?:ignore|expect-error|nocheck)'}`),
    'an excused lint': new RegExp(`biome${'-ignore'}`),
    'a thing to do': new RegExp(`\\b(?:TO${'DO'}|FIX${'ME'}|X${'XX'})\\b`),
    'a test that does not run': new RegExp(
      `\\bt\\.(?:skip|todo|only)\\(|\\{\\s*(?:sk${'ip'}: (?!process\\.platform)|to${'do'}:|on${'ly'}:)`,
    ),
    'the type any': /[:<]\s*any\b(?!\s+[a-z])|\bas any\b/,
  };
  const found = [];
  for (const [path, text] of textOf)
    for (const [i, line] of text.split('\n').entries())
      for (const [what, pattern] of Object.entries(forbidden))
        if (pattern.test(line) && !path.endsWith('house-rules.test.mjs'))
          found.push(`${path}:${i + 1}: ${what}: ${line.trim()}`);
  t.same(found, []);
  t.equal(readJson('biome.json').linter.rules.suspicious.noExplicitAny, 'error');
});

t.test('a source file is one idea: at most 350 lines', async t => {
  const long = [...textOf].filter(([path, text]) => /\/src\/.*\.ts$/.test(path) && text.split('\n').length > 351);
  t.same(
    long.map(([path]) => path),
    [],
  );
});

t.test('every source file opens with what it is', async t => {
  // Before or after its imports, but before anything else.
  const rest = text => text.replace(/^(?:#!.*\n|import\b[\s\S]*?;\n|\n)*/, '');
  const silent = [...textOf].filter(([path, text]) => /\/src\/.*\.ts$/.test(path) && !/^\/[*/]/.test(rest(text)));
  t.same(
    silent.map(([path]) => path),
    [],
  );
});

t.test('every folder and file is named after what it holds', async t => {
  const vague = /^(?:utils?|helpers?|common|managers?|misc|index|types?)(?:\.|$)/;
  t.same(
    code.filter(path => path.split('/').some(part => vague.test(part))),
    [],
  );
});

t.test('every package has the same small set of files around its sources', async t => {
  for (const name of packages) {
    const manifest = manifests.get(name);
    t.equal(manifest.name, `@sim2servo/${name}`);
    t.equal(manifest.type, 'module');
    t.equal(manifest.license, house.license);
    t.ok(existsSync(join(root, name, 'tsconfig.json')));
    t.ok(
      readJson('tsconfig.json').references.some(({ path }) => path === name),
      `${name} is built with the house`,
    );
  }
  t.match(readFileSync(join(root, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0/);
  t.equal(dirname(join(root, 'LICENSE')), root.replace(/\/$/, ''));
});
