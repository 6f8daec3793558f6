import { join } from 'node:path';
import t from 'tap';
import { type Column, columnNames, ParquetTable, type TableRow, tableRows } from '../../src/lerobot/parquet-table.js';

const folder = t.testdir({});
const columns: readonly Column[] = [
  { name: 'a/name', dtype: 'float64', list: false },
  { name: 'list.of', dtype: 'float32', list: true },
  { name: 'whole', dtype: 'int64', list: false },
  { name: 'wholes', dtype: 'int64', list: true },
  { name: 'yes', dtype: 'bool', list: false },
  { name: 'words', dtype: 'string', list: true },
];

async function rowsOf(path: string, wanted = (_: string) => true): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const row of tableRows(path, wanted)) rows.push(row);
  return rows;
}

t.test('what was written is read, to the last bit, over several groups of rows', async t => {
  const path = join(folder, 'table.parquet');
  const table = new ParquetTable(path, columns);
  const rows = 20_000;
  // Often repeated values are what a dictionary would be made of, which takes -0 for 0.
  const number = (i: number) => [0, -0, Number.NaN, 5e-324, Number.NEGATIVE_INFINITY][i % 5]!;
  for (let i = 0; i < rows; i++)
    table.add([number(i), [Math.fround(i / 3), -0], 2 ** 40 + i, [i, -i], i % 3 === 0, ['é', String(i % 7)]]);
  table.finish();
  t.ok(table.bytes > 100_000);
  t.same(
    await columnNames(path),
    columns.map(({ name }) => name),
  );
  const read = await rowsOf(path);
  t.equal(read.length, rows);
  const wrong = read.findIndex(
    (row, i) =>
      !(
        Object.is(row['a/name'], number(i)) &&
        Object.is((row['list.of'] as number[])[0], Math.fround(i / 3)) &&
        Object.is((row['list.of'] as number[])[1], -0) &&
        row.whole === 2 ** 40 + i &&
        (row.wholes as number[]).join() === `${i},${-i}` &&
        row.yes === (i % 3 === 0) &&
        (row.words as string[]).join() === `é,${i % 7}`
      ),
  );
  t.equal(wrong, -1);
});

t.test('only the columns that are wanted are read', async t => {
  const [first] = await rowsOf(join(folder, 'table.parquet'), name => name.startsWith('who'));
  t.strictSame(first, { whole: 2 ** 40, wholes: [0, 0] });
});

t.test('a table without rows has its columns', async t => {
  const path = join(folder, 'empty.parquet');
  new ParquetTable(path, columns).finish();
  t.equal((await columnNames(path)).length, columns.length);
  t.same(await rowsOf(path), []);
});
