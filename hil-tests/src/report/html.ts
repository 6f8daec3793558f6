/** A report as one page that needs nothing else: light and dark, figures inside. */
import { colours, escapeXml } from '@sim2servo/models/chart';
import { type FaultRow, faultRows } from '../faults/fault.js';
import { absentFaults, type BusColumn } from '../faults/fault-matrix.js';
import { type FaultOutcome, stopLimitMs } from '../faults/judge-fault.js';
import { faultCells, faultHeads } from './fault-cells.js';
import { histogramFigure } from './histogram-figure.js';
import {
  checkWords,
  countPassed,
  type HilReport,
  killedWords,
  latenciesOf,
  type RealTimeReport,
  type SwapResult,
  swapGaps,
  swapWords,
} from './report.js';

const style = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: ${colours.ink}; --grey: ${colours.grey}; --faint: ${colours.faint}; --good: #057a55; --bad: #c81e1e; --panel: #f9fafb; }
@media (prefers-color-scheme: dark) { :root { --paper: #111827; --ink: #e5e7eb; --grey: #9ca3af; --faint: #374151; --good: #31c48d; --bad: #f98080; --panel: #1f2937; } }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, 'Helvetica Neue', Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p, .made { color: var(--grey); margin: .4rem 0; } .verdict { font-size: 1.1rem; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .none { color: var(--grey); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--faint); }
th { color: var(--grey); font-weight: 500; white-space: nowrap; } td { font-variant-numeric: tabular-nums; }
.overview td, .overview th { padding: .2rem .7rem .2rem 0; white-space: nowrap; } .figures { display: flex; flex-wrap: wrap; gap: 1rem; margin: .6rem 0 1.4rem; }
.figures svg { border: 1px solid var(--faint); border-radius: 6px; max-width: 100%; height: auto; }
svg [fill="#ffffff"] { fill: var(--paper); } svg [fill="${colours.ink}"] { fill: var(--ink); } svg [fill="${colours.grey}"] { fill: var(--grey); }
svg [stroke="${colours.faint}"] { stroke: var(--faint); } svg [stroke="${colours.grey}"] { stroke: var(--grey); }
`;

const mark = (passed: boolean) => (passed ? '<span class="good">ok</span>' : '<span class="bad">failed</span>');

/** HTML that was made here; everything else is text. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Cell = string | Html;
const html = (cell: Cell) => (typeof cell === 'string' ? escapeXml(cell) : cell.text);

export function htmlOf(report: HilReport): string {
  const { rig, passed, madeOn, arms, faults, safety, swaps, realTime, unmeasured } = report;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hardware in the loop: ${escapeXml(rig)}</title>
<style>${style}</style>
<h1>Hardware in the loop: ${escapeXml(rig)}</h1>
<p class="verdict ${passed ? 'good' : 'bad'}">${passed ? 'Everything held.' : 'Something did not hold.'}</p>
<p class="made">${escapeXml(`${madeOn.date} · kit ${madeOn.kit} · firmware ${madeOn.firmware} · Node ${madeOn.node} · ${madeOn.cores} × ${madeOn.cpu} · ${madeOn.system}`)}</p>
${faults.length === 0 ? '' : `<h2>Fault matrix: ${countPassed(faults)}</h2>\n${overview(faults)}`}
${realTime === undefined ? '' : realTimePart(realTime)}
${swaps.length === 0 ? '' : swapsPart(swaps)}
${unmeasured === '' ? '' : `<h2>In real time</h2>\n<p class="bad">${escapeXml(`Not measured: ${unmeasured}`)}</p>`}
${arms
  .map(
    ({ robot, bus, rig: name, checks }) =>
      `<h2>${escapeXml(`What every arm must do: ${robot}, ${bus}, on ${name}: ${countPassed(checks)}`)}</h2>\n${table(
        ['', 'check', 'seen instead'],
        checks.map(check => [new Html(mark(check.passed)), check.name, check.detail]),
      )}`,
  )
  .join('\n')}
${faults.length === 0 ? '' : `<h2>Each fault</h2>\n${faultTable(faults)}`}
${
  safety.length === 0
    ? ''
    : `<h2>What the board does by itself: ${countPassed(safety)}</h2>\n${table(
        ['', 'fault', 'what was done', 'the arm', 'pulses changed for, ms', 'the board’s own word'],
        safety.map(({ passed: held, name, detail, arm, settledMs, device, reason }) => [
          new Html(mark(held)),
          name,
          detail,
          arm,
          settledMs.toFixed(1),
          reason === '' ? device : `${device}: ${reason}`,
        ]),
      )}`
}
</html>
`;
}

/** One cell a bus: whether all faults of the row came out as they must, and the longest time to an arm that stands. */
function overview(faults: readonly FaultOutcome[]): string {
  const buses = [...new Set(faults.map(({ bus }) => bus))];
  const cellOf = (row: FaultRow, bus: BusColumn): Html => {
    const seen = faults.filter(fault => fault.row === row && fault.bus === bus);
    if (seen.length === 0)
      return new Html(`<span class="none" title="${escapeXml(absentFaults[row]?.[bus] ?? '')}">–</span>`);
    const times = seen.flatMap(({ stoppedMs }) => (stoppedMs === undefined ? [] : [stoppedMs]));
    const rides = seen.some(({ expected }) => expected === 'rides out') ? 'rides out' : '';
    const stops = times.length === 0 ? '' : `stands in ${Math.max(...times).toFixed(0)} ms`;
    return new Html(
      `${mark(seen.every(({ passed }) => passed))} ${[rides, stops].filter(part => part !== '').join(', ')}`,
    );
  };
  return `<p>Each fault is done to an arm in mid-motion. “stands in”: from when the fault could be noticed to the last motion of any joint with torque, the longest of the row; at most ${stopLimitMs} ms. The log was read after each, and nothing moved when the fault was cleared.</p>
${table(
  ['fault', ...buses],
  faultRows.map(row => [row, ...buses.map(bus => cellOf(row, bus))]),
  'overview',
)}`;
}

function faultTable(faults: readonly FaultOutcome[]): string {
  return table(
    ['', ...faultHeads],
    faultRows.flatMap(row =>
      faults.filter(fault => fault.row === row).map(fault => [new Html(mark(fault.passed)), ...faultCells(fault)]),
    ),
  );
}

function realTimePart(report: RealTimeReport): string {
  const { robot, bus, rateHz, ticks, missed, stale, rig, punctual, killed } = report;
  const latencies = latenciesOf(report).filter(([, { whole }]) => whole.count > 0);
  const load =
    rig === undefined
      ? ''
      : ` The rig could have run ${rig.realTimeFactor.toFixed(1)} times as fast as real time${rig.keptUp ? '' : `, and let ${(rig.slippedUs / 1000).toFixed(0)} ms go: what is measured here is this machine’s load as well`}.`;
  const died =
    killed === undefined
      ? ''
      : `<p>${mark(killed.passed)} <code>kill -9</code> in mid-motion: ${escapeXml(killedWords(killed))}.</p>`;
  const kept = punctual === undefined ? '' : `<p>${mark(punctual.passed)} ${escapeXml(checkWords(punctual))}</p>`;
  return `<h2>${escapeXml(`A real host program: ${robot} on ${bus} at ${rateHz} Hz`)}</h2>
<p>${missed} of ${ticks} ticks missed, ${stale} without a fresh sample.${load}</p>
${kept}
${died}
${table(
  ['µs', 'count', 'p50', 'p99', 'p99.9', 'max'],
  latencies.map(([name, { whole }]) => [
    name,
    String(whole.count),
    ...[whole.p50, whole.p99, whole.p999, whole.max].map(us => us.toFixed(0)),
  ]),
)}
<div class="figures">
${latencies.map(([name, { whole }]) => histogramFigure(name, `${whole.count} times`, whole)).join('\n')}
</div>`;
}

/** Below it there is nothing to see but how exactly a log tells the time. */
const leastShownUs = 1;

function swapsPart(swaps: readonly SwapResult[]): string {
  const parts = swaps.map(swap => {
    const { robot, rig, passed } = swap;
    const gaps = swapGaps(swap).filter(([, { count }]) => count > 0);
    const span = {
      min: Math.min(...gaps.map(([, { min }]) => min)),
      max: Math.max(...gaps.map(([, { max }]) => max)),
    };
    return `<p>${mark(passed)} ${escapeXml(`${robot} on ${rig}: ${swapWords(swap)}.`)}</p>
${table(
  ['µs', 'count', 'p50', 'p99', 'max'],
  gaps.map(([name, { count, p50, p99, max }]) => [name, String(count), ...[p50, p99, max].map(us => us.toFixed(0))]),
)}
<div class="figures">
${(span.max < leastShownUs ? [] : gaps).map(([name, gap]) => histogramFigure(name, `${robot} on ${rig}, ${gap.count} times`, gap, span)).join('\n')}
</div>`;
  });
  return `<h2>Policies that take over from each other: ${countPassed(swaps)}</h2>\n${parts.join('\n')}`;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[], kind = ''): string {
  const line = (tag: string, cells: readonly Cell[]) =>
    `<tr>${cells.map(cell => `<${tag}>${html(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table class="${kind}">${line('th', head)}\n${rows.map(row => line('td', row)).join('\n')}</table></div>`;
}
