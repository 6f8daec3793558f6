import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createRunFolder, openRunFolder } from '../src/run-folder.js';
import { defaultTrainingConfig } from '../src/training-config.js';

t.test('a run folder keeps its configuration', t => {
  const path = join(t.testdir({}), 'deep', 'run');
  const made = createRunFolder(path, defaultTrainingConfig);
  const opened = openRunFolder(path);
  t.strictSame(opened, { folder: made, config: defaultTrainingConfig });
  t.end();
});

t.test('a folder with a run in it is not taken for another', t => {
  const path = join(t.testdir({}), 'run');
  createRunFolder(path, defaultTrainingConfig);
  t.throws(() => createRunFolder(path, defaultTrainingConfig), { code: 'E_RUN_EXISTS', hint: /--resume/ });
  t.end();
});

t.test('what is no run, or a broken one, says so', t => {
  const folder = t.testdir({ file: 'x', broken: { 'config.json': '{' } });
  t.throws(() => openRunFolder(join(folder, 'absent')), { code: 'E_NO_RUN' });
  t.throws(() => openRunFolder(join(folder, 'broken')), { code: 'E_TRAINING_CONFIG' });
  t.throws(() => createRunFolder(join(folder, 'file', 'run'), defaultTrainingConfig), { code: 'E_RUN_FOLDER' });
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'empty', 'config.json'), '{}');
  t.throws(() => openRunFolder(join(folder, 'empty')), { code: 'E_TRAINING_CONFIG' });
  t.end();
});
