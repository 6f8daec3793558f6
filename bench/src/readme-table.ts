/**
 * The table of measurements in the README, made from bench/results: run it after a measurement, so that the two never differ.
 *
 * usage: node bench/dist/src/readme-table.js
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchmarkReport } from './benchmarks.js';
import { type Row, type Spread, spreadOf } from './turns.js';

// Three folders above dist/src.
const root = new URL('../../../', import.meta.url);
const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];

function report(name: string): BenchmarkReport {
  return JSON.parse(readFileSync(new URL(`bench/results/${name}.json`, root), 'utf8')) as BenchmarkReport;
}

const number = ({ median }: Spread, digits = 0) => median.toFixed(digits);
const times = ({ median, lowest, highest }: Spread) =>
  `${median.toFixed(2)} × (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;

/** `SAC updates/s …`, `240`, `2.85 × (2.81 to 2.98)`, … */
function cells(what: string, row: Row, figure: string, peers: readonly string[], digits = 0): string[] {
  const ours = spreadOf(row.measured.ours!.map(figures => figures[figure]!));
  const ratios = peers.map(peer => (row.ratios[peer]?.[figure] ? times(row.ratios[peer][figure]) : '–'));
  return [what, number(ours, digits), ...ratios];
}

/** Markdown, with the cells of a column as wide as the widest: as the formatter wants it. */
function table([head, ...rows]: readonly (readonly string[])[]): string {
  const widths = head!.map((_, i) => Math.max(...[head!, ...rows].map(row => row[i]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head!), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function measuredTable(): string {
  const learning = ['sb3', 'sbx'];
  const environments = report('env-1').rows.map(row =>
    cells(`steps/s of ${row.work.task}, one core`, row, 'stepsPerSecond', ['gymnasium']),
  );
  const actors = report('actor-1').rows.map(row =>
    cells(
      `policy inference, ${row.work.hz === 0 ? 'back to back' : `${row.work.hz} a second`}, p99 µs`,
      row,
      'p99Us',
      ['onnxruntime'],
      1,
    ),
  );
  return [
    table([
      ['learning, 2×256 networks, batch 256', 'sim2servo', 'to Stable-Baselines3', 'to SBX (JAX)'],
      cells('SAC updates/s, one core', report('learner-1').rows[0]!, 'updatesPerSecond', learning),
      cells('SAC updates/s, two cores', report('learner-2').rows[0]!, 'updatesPerSecond', learning),
      cells('training steps/s on Reacher-v5, two cores', report('loop-2').rows[0]!, 'stepsPerSecond', learning),
    ]),
    table([['environments', 'sim2servo', 'to Gymnasium'], ...environments]),
    table([['acting (less is better)', 'sim2servo', 'to Python’s onnxruntime'], ...actors]),
  ].join('\n\n');
}

/** The README with the table in its place. */
export function readmeWithTable(readme: string): string {
  const [before, rest] = readme.split(begin) as [string, string];
  const after = rest.split(end)[1]!;
  return `${before}${begin}\n\n${measuredTable()}\n\n${end}${after}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL('README.md', root);
  writeFileSync(path, readmeWithTable(readFileSync(path, 'utf8')));
}
