import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { bundleProgram, noFolder, programName } from '../../src/provision/bundle-program.js';

const files = await bundleProgram();
const texts = new Map(files.map(({ name, content }) => [name, content.toString()]));

t.test('the program and every thread of the runtime, in one folder', async t => {
  t.ok(texts.has(programName));
  const runtime = dirname(createRequire(import.meta.url).resolve('@sim2servo/runtime/control-loop'));
  const workers = readdirSync(runtime, { recursive: true })
    .map(String)
    .filter(path => path.endsWith('-worker.js'))
    .map(path => path.split('/').at(-1)!);
  t.ok(workers.length >= 2, workers.join());
  for (const worker of workers) t.ok(texts.has(worker), worker);
});

t.test('whatever starts a thread finds its program beside itself', async t => {
  let found = 0;
  for (const [name, text] of texts)
    for (const [, wanted] of text.matchAll(/new URL\("\.\/([\w-]+\.js)",\s*import\.meta\.url\)/g)) {
      found++;
      t.ok(texts.has(wanted!), `${name} starts ${wanted}`);
    }
  t.ok(found >= 2);
});

t.test('nothing else is asked for but Node, inference, and the bindings beside', async t => {
  const allowed = /^(?:node:[\w/]+|onnxruntime-(?:node|web)|\.\/[\w-]+\.js)$/;
  const statement = /(?:^|[;\n])import(?:[^"';]*from)?"([^"\n]+)"/g;
  const call = /[^."\w]import\("([^"\n]+)"\)/g;
  for (const [name, text] of texts)
    for (const [, wanted] of [...text.matchAll(statement), ...text.matchAll(call)])
      t.ok(allowed.test(wanted!) || builtinModules.includes(wanted!), `${name}: ${wanted}`);
  const all = [...texts.values()].join('\n');
  for (const binding of ['./serialport.node', './koffi.node']) t.ok(all.includes(`require("${binding}")`), binding);
});

t.test('no path of this machine is in it', async t => {
  for (const [name, text] of texts) t.notOk(text.includes(process.cwd()), name);
});

t.test('only one package looks for files by where it lies, and that one was redirected', async t => {
  const uses = [...texts.values()].join('\n').split(noFolder).slice(1);
  t.equal(uses.length, 1, uses.map(use => use.slice(0, 60)).join(' … '));
  const bridge = createRequire(createRequire(import.meta.url).resolve('@sim2servo/firmware-bridge/serial-stream'));
  const binding = join(dirname(bridge.resolve('@serialport/bindings-cpp')), 'serialport-bindings.js');
  t.match(readFileSync(binding, 'utf8'), /node_gyp_build_1\.default\)\(\(0, path_1\.join\)\(__dirname/);
});

t.test('the same sources make the same bytes, wherever one stands', async t => {
  const module = JSON.stringify(import.meta.resolve('../../src/provision/bundle-program.js'));
  const program = `import { bundleProgram } from ${module};
    console.log(JSON.stringify((await bundleProgram()).map(({ name, content }) => [name, content.toString()])));`;
  const elsewhere = { cwd: t.testdir({}), encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], elsewhere);
  t.equal(stderr, '');
  const made = new Map<string, string>(JSON.parse(stdout));
  t.same([...made.keys()], [...texts.keys()]);
  for (const [name, text] of made) t.ok(text === texts.get(name), name);
});
