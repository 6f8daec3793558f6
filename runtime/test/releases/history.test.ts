import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { realDisk } from '../../src/releases/disk.js';
import { appendHistory, historyEntrySchema, historyFile, readHistory } from '../../src/releases/history.js';
import { entry as noted } from '../support/deployment-courses.js';

const entry = (words: string) => noted('a'.repeat(64), words);
function newHistory(t: { testdir(): string }) {
  const folder = t.testdir();
  const path = join(folder, historyFile);
  writeFileSync(path, '');
  const words = (last = 1000) => readHistory(folder, last).map(each => each.words);
  return { folder, path, words, append: (text: string) => appendHistory(realDisk, folder, entry(text)) };
}

t.test('lines come out in their order, the last ones where only those are wanted', async t => {
  const { append, words, folder } = newHistory(t);
  for (const text of ['one', 'two', 'three\nlines']) append(text);
  t.same(words(), ['one', 'two', 'three\nlines']);
  t.same(words(2), ['two', 'three\nlines']);
  t.same(readHistory(folder, 1), [entry('three\nlines')]);
  t.same(readHistory(join(folder, 'nowhere'), 5), []);
});

t.test('a line that was torn counts as none, and goes with the next', async t => {
  for (const torn of ['{"at":"20', '\0'.repeat(40), `${'\0'.repeat(40)}"}\n`, '\n', 'null\n', '{}\n']) {
    const { append, words, path } = newHistory(t);
    append('one');
    appendFileSync(path, torn);
    t.same(words(), ['one'], JSON.stringify(torn));
    append('two');
    t.same(words(), ['one', 'two']);
    t.equal(readFileSync(path, 'utf8').split('\n').length, 3);
  }
});

t.test('a line in the middle that is no entry is named', async t => {
  const { append, words, path } = newHistory(t);
  append('one');
  appendFileSync(path, 'by hand\n');
  append('gone with it');
  t.same(words(), ['one', 'gone with it'], 'at the end it is torn');
  writeFileSync(path, `x\n${readFileSync(path, 'utf8')}`);
  t.throws(() => words(), { code: 'E_FILE_JSON', message: /line 1 of .*history\.jsonl/ });
});

t.test('it does not grow for ever: the newest half mebibyte stays', async t => {
  const { append, words, path } = newHistory(t);
  const long = `${JSON.stringify(entry('x'.repeat(1900)))}\n`;
  writeFileSync(path, long.repeat(Math.ceil(2 ** 20 / long.length)));
  const lines = words().length;
  append('the newest');
  t.equal(words().at(-1), 'the newest');
  t.equal(words().length, Math.ceil(lines / 2) + 1);
  t.ok(statSync(path).size > 2 ** 19 && statSync(path).size < 2 ** 20);
});

t.test('what is no entry is not written', async t => {
  const { append, words } = newHistory(t);
  t.throws(() => append(''));
  t.same(words(), []);
  t.notOk(historyEntrySchema.safeParse({ ...entry('x'), digest: 'short' }).success);
});
