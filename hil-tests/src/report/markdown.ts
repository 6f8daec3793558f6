/** A report as Markdown. */

import { faultRows } from '../faults/fault.js';
import { absentFaults } from '../faults/fault-matrix.js';
import type { FaultOutcome } from '../faults/judge-fault.js';
import { faultCells, faultHeads } from './fault-cells.js';
import {
  checkWords,
  countPassed,
  type HilReport,
  killedWords,
  latenciesOf,
  type RealTimeReport,
  swapGaps,
  swapWords,
} from './report.js';

const mark = (passed: boolean) => (passed ? 'ok' : '**failed**');
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function markdownOf(report: HilReport): string {
  const { rig, passed, madeOn, arms, faults, safety, swaps, realTime, unmeasured } = report;
  const parts = [
    `# Hardware in the loop: ${rig}`,
    passed ? 'Everything held.' : '**Something did not hold: see below.**',
    `${madeOn.date}, kit ${madeOn.kit}, firmware ${madeOn.firmware}, Node ${madeOn.node}, ${madeOn.cores} × ${madeOn.cpu}, ${madeOn.system}.`,
    ...(unmeasured === '' ? [] : [`**Not measured in real time**: ${unmeasured}`]),
    ...arms.flatMap(({ robot, bus, rig: name, checks }) => [
      `## What every arm must do: ${robot}, ${bus}, on ${name} (${countPassed(checks)})`,
      table(
        ['', 'check', 'seen instead'],
        checks.map(check => [mark(check.passed), check.name, check.detail]),
      ),
    ]),
    ...(faults.length === 0 ? [] : [`## Faults (${countPassed(faults)})`, faultTable(faults)]),
    ...(safety.length === 0
      ? []
      : [
          `## What the board does by itself (${countPassed(safety)})`,
          table(
            ['', 'fault', 'what was done', 'the arm', 'pulses changed for, ms', "the board's own word"],
            safety.map(({ passed, name, detail, arm, expected, settledMs, device, reason }) => [
              mark(passed),
              name,
              detail,
              arm === expected ? arm : `${arm} (should be ${expected})`,
              settledMs.toFixed(1),
              reason === '' ? device : `${device}: ${reason}`,
            ]),
          ),
        ]),
    ...(swaps.length === 0
      ? []
      : [
          `## Policies that take over from each other (${countPassed(swaps)})`,
          ...swaps.flatMap(swap => [
            `${mark(swap.passed)}, ${swap.robot} on ${swap.rig}: ${swapWords(swap)}.`,
            table(
              ['µs', 'count', 'p50', 'p99', 'max'],
              swapGaps(swap).map(([name, { count, p50, p99, max }]) => [
                name,
                String(count),
                ...[p50, p99, max].map(us => us.toFixed(0)),
              ]),
            ),
          ]),
        ]),
    ...(realTime === undefined ? [] : realTimeParts(realTime)),
  ];
  return `${parts.join('\n\n')}\n`;
}

export function faultTable(faults: readonly FaultOutcome[]): string {
  const rows = faultRows.flatMap(row => {
    const seen = faults.filter(fault => fault.row === row);
    const absent = Object.entries(absentFaults[row] ?? {}).filter(([bus]) => faults.some(fault => fault.bus === bus));
    return [
      ...seen.map(fault => [mark(fault.passed), ...faultCells(fault)]),
      ...absent.map(([bus, why]) => ['–', row, bus, why!, '', '', '', '']),
    ];
  });
  return table(['', ...faultHeads], rows);
}

function realTimeParts(report: RealTimeReport): string[] {
  const { robot, bus, rateHz, ticks, missed, stale, rig, punctual, killed } = report;
  return [
    `## A real host program: ${robot} on ${bus} at ${rateHz} Hz`,
    `${missed} of ${ticks} ticks missed, ${stale} without a fresh sample.${rig === undefined ? '' : ` The rig could have run ${rig.realTimeFactor.toFixed(1)} times as fast as real time${rig.keptUp ? '' : `, and let ${(rig.slippedUs / 1000).toFixed(0)} ms go: what is measured here is this machine's load as well`}.`}`,
    ...(punctual === undefined ? [] : [`${mark(punctual.passed)}, ${checkWords(punctual)}.`]),
    table(
      ['µs', 'count', 'p50', 'p99', 'p99.9', 'max'],
      latenciesOf(report).map(([name, { whole }]) => [
        name,
        String(whole.count),
        ...[whole.p50, whole.p99, whole.p999, whole.max].map(us => us.toFixed(0)),
      ]),
    ),
    ...(killed === undefined ? [] : [`\`kill -9\` in mid-motion: ${mark(killed.passed)}, ${killedWords(killed)}.`]),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
