/**
 * A table in a Parquet file, written and read a group of rows at a time, so that a long log needs no more memory than a short one. Laid
 * out as Arrow does it: every value may be absent, a list has the three levels `NAME.list.element`.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';

/** Types of values, by numpy's names. */
export type Dtype = 'float32' | 'float64' | 'int64' | 'bool' | 'string';

export interface Column {
  readonly name: string;
  readonly dtype: Dtype;
  /** A row holds a list of values. */
  readonly list: boolean;
}

export type Cell = number | boolean | string | ArrayLike<number> | readonly string[];

const rowsPerGroup = 8192;

const physical: Readonly<Record<Dtype, Omit<SchemaElement, 'name'>>> = {
  float32: { type: 'FLOAT' },
  float64: { type: 'DOUBLE' },
  int64: { type: 'INT64' },
  bool: { type: 'BOOLEAN' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap(({ name, dtype, list }): SchemaElement[] =>
      list
        ? [
            { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
            { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
            { name: 'element', repetition_type: 'OPTIONAL', ...physical[dtype] },
          ]
        : [{ name, repetition_type: 'OPTIONAL', ...physical[dtype] }],
    ),
  ];
}

function stored({ dtype, list }: Column, cell: Cell): unknown {
  if (list) return dtype === 'int64' ? Array.from(cell as ArrayLike<number>, BigInt) : Array.from(cell as number[]);
  return dtype === 'int64' ? BigInt(cell as number) : cell;
}

export class ParquetTable {
  readonly #columns: readonly Column[];
  readonly #writer: ParquetWriter;
  #cells: unknown[][];
  #rows = 0;

  /** @param metadata what stands in the file's footer beside the schema */
  constructor(path: string, columns: readonly Column[], metadata: Readonly<Record<string, string>> = {}) {
    this.#columns = columns;
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: schemaOf(columns),
      kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      createdBy: 'sim2servo',
    });
    this.#cells = columns.map(() => []);
  }

  /** Bytes that were written; rows that wait for their group are not among them. */
  get bytes(): number {
    return this.#writer.writer.offset;
  }

  /** @param row a cell for each column, in their order */
  add(row: readonly Cell[]): void {
    for (const [i, column] of this.#columns.entries()) this.#cells[i]!.push(stored(column, row[i]!));
    if (++this.#rows === rowsPerGroup) this.#writeGroup();
  }

  finish(): void {
    this.#writeGroup();
    this.#writer.finish();
  }

  #writeGroup(): void {
    if (this.#rows === 0) return;
    this.#writer.write({
      columnData: this.#columns.map(({ name, dtype }, i) => ({
        name,
        data: this.#cells[i]!,
        // A dictionary takes −0 for 0.
        ...(dtype.startsWith('float') && { encoding: 'PLAIN' as const }),
      })),
      rowGroupSize: rowsPerGroup,
    });
    this.#cells = this.#columns.map(() => []);
    this.#rows = 0;
  }
}

export type TableRow = Readonly<Record<string, unknown>>;

/** Names of a file's columns. */
export async function columnNames(path: string): Promise<string[]> {
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  const names: string[] = [];
  for (let at = 1; at < schema.length; at = afterElement(schema, at)) names.push(schema[at]!.name);
  return names;
}

function afterElement(schema: readonly SchemaElement[], at: number): number {
  let next = at + 1;
  for (let child = 0; child < (schema[at]!.num_children ?? 0); child++) next = afterElement(schema, next);
  return next;
}

/** The rows of a file in order, 64-bit integers as numbers. Columns that the file lacks are absent from them. */
export async function* tableRows(path: string, wanted: (column: string) => boolean): AsyncGenerator<TableRow> {
  const columns = (await columnNames(path)).filter(wanted);
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    for (const row of await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd }))
      yield Object.fromEntries(columns.map(name => [name, asNumbers(row[name])]));
    rowStart = rowEnd;
  }
}

function asNumbers(cell: unknown): unknown {
  if (typeof cell === 'bigint') return Number(cell);
  return Array.isArray(cell) && typeof cell[0] === 'bigint' ? cell.map(Number) : cell;
}
