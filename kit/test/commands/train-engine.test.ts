import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

const folder = t.testdir();
const run = (name: string) => join(folder, name);

t.test('--engine takes a device or a name, and the run folder keeps which engine it was', async t => {
  const line = `train --steps 2064 --engine fused-cpu --updates-per-call 8 --out ${run('fused')} --json`;
  const said = await kit(line);
  t.equal(said.exit, 0, said.err);
  t.equal(JSON.parse(said.out).updates, 64);
  t.match(JSON.parse(readFileSync(join(run('fused'), 'config.json'), 'utf8')), {
    loop: { engine: 'fused-cpu', updatesPerCall: 8 },
  });
  t.equal(errorOf(await kit(`train --resume ${run('fused')} --engine cpu --json`)).code, 'E_RESUME_ENGINE');
});

t.test(
  'an engine that does not exist, is not to be had, or cannot do it, is one error, and no run folder is made for it',
  async t => {
    const fails = async (options: string) =>
      errorOf(await kit(`train --steps 2064 ${options} --out ${run('never')} --json`));
    const absent = process.platform === 'win32' ? 'coreml' : 'dml';
    t.match(await fails(`--engine ${absent}`), { code: 'E_ENGINE_MISSING', hint: /--engine split/ });
    t.match(await fails('--updates-per-call 8'), { code: 'E_UPDATES_PER_CALL', message: /split makes one update/ });
    t.match(await fails('--engine auto --updates-per-call 8'), { code: 'E_UPDATES_PER_CALL' });
  },
);

t.test('engine install names the extras, and says what a library lacks', async t => {
  t.match(errorOf(await kit('engine install toString --json')), {
    code: 'E_ENGINE_UNKNOWN',
    hint: /tfjs-node-gpu, cuda/,
  });
  t.match(errorOf(await kit(`engine install cuda --library ${folder} --json`)), { code: 'E_ENGINE_LIBRARY' });
  t.match(errorOf(await kit(`engine install tfjs-node-gpu --library ${run('absent')} --json`)), {
    code: 'E_ENGINE_LIBRARY',
  });
  t.notOk(existsSync(run('never')));
});
