import { readFileSync } from 'node:fs';
import t from 'tap';
import { runtimeVersion } from '../../src/agent/runtime-version.js';

t.test("it is the package's", async t => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  t.equal(runtimeVersion, version);
});
