import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { parseJson, readJsonFile } from '../src/json-file.js';

const schema = z.strictObject({
  name: z.string(),
  joints: z.array(z.strictObject({ range: z.tuple([z.number(), z.number()]), id: z.int().default(4) })),
});

t.test('a file that fits is read, with its defaults', async t => {
  const folder = t.testdir({ 'arm.json': '{"name":"a","joints":[{"range":[0,1]}]}' });
  t.same(readJsonFile(join(folder, 'arm.json'), schema, 'arm'), { name: 'a', joints: [{ range: [0, 1], id: 4 }] });
});

t.test('a file that is not there is an error that names it', async t => {
  const path = join(t.testdir({}), 'none.json');
  t.throws(() => readJsonFile(path, schema, 'arm'), {
    code: 'E_FILE_READ',
    exit: 'usage',
    message: `can't read arm ${path}`,
  });
});

t.test('a folder in the place of a file is an error, too', async t => {
  t.throws(() => readJsonFile(t.testdir({}), schema, 'arm'), { code: 'E_FILE_READ' });
});

t.test('what is no JSON is an error that says where the reader stumbled', async t => {
  t.throws(() => parseJson('{"name": }', schema, 'arm x.json'), {
    code: 'E_FILE_JSON',
    message: /arm x\.json is not JSON: .*}/,
  });
  t.throws(() => parseJson('', schema, 'arm'), { code: 'E_FILE_JSON' });
});

t.test('each complaint stands on its own line and names its path', async t => {
  const text = '{"name":3,"joints":[{"range":[0,1]},{"range":[0,"x"],"extra":1}]}';
  t.throws(() => parseJson(text, schema, 'arm x.json'), {
    code: 'E_FILE_SCHEMA',
    exit: 'usage',
    message:
      /^arm x\.json does not fit its schema:\n {2}name: .*\n {2}joints\[1\]\.range\[1\]: .*\n {2}joints\[1\]: .*"extra"/,
  });
});

t.test('a complaint about the whole file says so', async t => {
  t.throws(() => parseJson('3', schema, 'arm'), { code: 'E_FILE_SCHEMA', message: /\(top level\): / });
  t.throws(() => parseJson('{"name":"a","joints":[],"colour":1}', schema, 'arm'), {
    message: /\(top level\): .*"colour"/,
  });
});
