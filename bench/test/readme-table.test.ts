import { readFileSync } from 'node:fs';
import t from 'tap';
import { readmeWithTable } from '../src/readme-table.js';

t.test("the README's figures are those of bench/results", async t => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  // Type `node bench/dist/src/readme-table.js` after a measurement.
  t.equal(readmeWithTable(readme), readme);
});
