import t from 'tap';
import { spreadOf, takeTurns } from '../src/turns.js';

/** A contestant that answers with what it was told. */
const echo = (name: string, figures: string) => ({
  name,
  command: [process.execPath, '-e', `console.log(JSON.stringify({ ${figures}, version: '1' }))`, '--'],
});
const options = { repeats: 3, cores: 1, folder: '.' };

t.test('ratios are of neighbours, with their spread', async t => {
  const turns: string[] = [];
  const row = await takeTurns(
    [echo('ours', 'a: 6, b: 1'), echo('peer', 'a: 2')],
    { size: 4 },
    {
      ...options,
      onTurn: what => turns.push(what),
    },
  );
  t.same(row.ratios, { peer: { a: { median: 3, lowest: 3, highest: 3 } } });
  t.same(row.measured.ours, Array(3).fill({ a: 6, b: 1 }));
  t.same(turns.slice(0, 3), ['size 4: turn 1 of 3, ours', 'size 4: turn 1 of 3, peer', 'size 4: turn 2 of 3, ours']);
  t.same(spreadOf([3, 1, 2]), { median: 2, lowest: 1, highest: 3 });
  t.same(spreadOf([1, 2, 4, 9]), { median: 3, lowest: 1, highest: 9 });
});

t.test('a program that fails is named, with what it said and how to try it alone', async t => {
  const broken = { name: 'peer', command: [process.execPath, '-e', 'throw new Error("no such library")', '--'] };
  await t.rejects(takeTurns([broken], { size: 4 }, options), {
    code: 'E_BENCH',
    message: /^peer failed at size 4: /,
    hint: /^try it alone: .*--size 4$/,
  });
});
