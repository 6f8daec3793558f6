/** `kit bench`: how fast this machine learns, steps, and acts, beside what one would use instead. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { type BenchmarkName, type BenchmarkReport, benchmarkNames, runBenchmark } from '@sim2servo/bench/benchmarks';

import { type Figures, inWords, type Spread, spreadOf } from '@sim2servo/bench/turns';
import { type BusKind, busKinds } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { KitError } from '@sim2servo/models/error';
import { Argument, Option } from 'commander';
import type { AddCommand } from '../command-context.js';
import { wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';

interface BenchFlags {
  readonly threads: number;
  readonly repeats: number;
  readonly peers?: string;
  readonly allSizes?: boolean;
  readonly kind?: BusKind;
  readonly out?: string;
}

export const addBench: AddCommand = (program, context) => {
  program
    .command('bench')
    .description('measure this machine, beside the Python libraries where they are installed')
    .addArgument(
      new Argument(
        '<what>',
        'learner: updates/s, env: steps/s, actor: latency, loop: training steps/s, jitter: period error, bus: one control cycle of six servos',
      ).choices(benchmarkNames),
    )
    .option('--threads <n>', 'cores that each program is held to', wholeNumber, 1)
    .option('--repeats <n>', 'turns of each program', wholeNumber, 3)
    .option('--peers <folder>', 'folder with the Python environments sb3, sbx, lerobot (bench/peers/README.md)')
    .option('--all-sizes', 'learner: batches 64 to 4096, widths 64 to 512')
    .addOption(new Option('--kind <kind>', 'bus: servos of this kind alone').choices(busKinds))
    .option('--out <file>', 'write the raw results there, as JSON')
    .action(async (what: BenchmarkName, flags: BenchFlags) => {
      if (flags.threads < 1 || flags.threads > availableParallelism())
        throw new KitError(
          'E_BENCH_THREADS',
          `this machine has ${availableParallelism()} cores, not ${flags.threads}`,
          'give --threads between 1 and that',
          'usage',
        );
      const line = new ProgressLine(context.io);
      let report: BenchmarkReport;
      try {
        report = await runBenchmark(what, {
          ...flags,
          onTurn: turn => line.show(() => turn),
          signal: context.signal,
        });
      } finally {
        line.done();
      }
      if (flags.out !== undefined) {
        mkdirSync(dirname(flags.out), { recursive: true });
        writeFileSync(flags.out, `${JSON.stringify(report, undefined, 2)}\n`);
      }
      context.result(report, () => words(report));
    });
};

/** A row for each work and figure: ours as median and spread, then how many times a peer's. */
function words({ benchmark, machine, cores, rows }: BenchmarkReport): string {
  const lines = [`${benchmark} on ${cores} of ${machine.cores} cores (${machine.cpu}), median [lowest to highest]`];
  for (const { work, measured, ratios } of rows) {
    lines.push(`${inWords(work)}:`);
    for (const figure of Object.keys(measured.ours![0]!)) {
      const ours = spreadOf(measured.ours!.map((figures: Figures) => figures[figure]!));
      const peers = Object.entries(ratios).flatMap(([peer, ofPeer]) =>
        ofPeer[figure] === undefined ? [] : [`${inNumbers(ofPeer[figure], 2)} × ${peer}`],
      );
      lines.push(
        `  ${figure.padEnd(18)} ${[inNumbers(ours, ours.median < 10 ? 2 : ours.median < 100 ? 1 : 0), ...peers].join('   ')}`,
      );
    }
  }
  return lines.join('\n');
}

function inNumbers({ median, lowest, highest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${lowest.toFixed(digits)} to ${highest.toFixed(digits)}]`;
}
