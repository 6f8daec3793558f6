/** A fleet in words: its inventory, how its robots are, what became of a deployment. */
import type { Status } from '@sim2servo/deploy/agent/protocol';
import type { FleetReport, RobotOutcome } from '@sim2servo/deploy/fleet/deploy-fleet';
import type { RobotReport } from '@sim2servo/deploy/fleet/fleet-status';
import type { FleetRobot } from '@sim2servo/deploy/fleet/inventory';
import { shortDigest } from '@sim2servo/models/digest';
import { printable } from '@sim2servo/models/printable';
import { tableLines } from './live-table.js';

const table = (...rows: readonly (readonly string[])[]) =>
  tableLines(
    rows.map(row => row.map(printable)),
    'words',
  ).join('\n');
const firstLine = (words: string) => words.split('\n')[0]!;
const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

export function listWords(robots: readonly FleetRobot[]): string {
  return table(
    ['robot', 'at', 'groups'],
    ...robots.map(({ name, to, groups }) => [name, to, groups.join(', ') || '–']),
  );
}

/** What is current, and what it is to be exchanged for where that proves good. */
function policyWords({ current, state: { trial } }: Status): string {
  const has = current === undefined ? '–' : shortDigest(current);
  return trial === undefined || trial.digest === current ? has : `${has}, tries ${shortDigest(trial.digest)}`;
}

export function fleetStatusWords(reports: readonly RobotReport[]): string {
  const rows = reports.map(({ name, health, status, lastError }) => [
    name,
    health,
    status?.robot ?? '–',
    status?.runtimeVersion ?? '–',
    status === undefined ? '–' : policyWords(status),
    lastError === undefined ? '–' : firstLine(lastError.message),
  ]);
  const answered = reports.filter(({ health }) => health !== 'absent').length;
  const policies = new Map<string, number>();
  for (const { status } of reports)
    if (status?.current !== undefined) policies.set(status.current, (policies.get(status.current) ?? 0) + 1);
  const current = [...policies].map(([digest, n]) => `${shortDigest(digest)} on ${n}`).join(', ');
  return [
    table(['robot', 'is', 'kind', 'runtime', 'policy', 'last error'], ...rows),
    `${answered} of ${count(reports.length, 'robot')} answer${current === '' ? '' : `; ${current}`}`,
  ].join('\n');
}

/** One line for a robot that is done. */
export function outcomeLine({ name, outcome, words, seconds }: RobotOutcome): string {
  return `${name}: ${outcome}: ${printable(words)}  (${seconds.toFixed(seconds < 10 ? 2 : 0)} s)`;
}

/** @param digest of the policy */
export function fleetReportWords(
  { robots, stoppedAt }: FleetReport,
  fleet: readonly FleetRobot[],
  digest: string,
): string {
  const of = (...outcomes: readonly RobotOutcome['outcome'][]) =>
    robots.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const counts = [
    [of('committed'), 'tried it and keep it'],
    [of('current'), 'had it already'],
    [of('waiting'), 'will try it when they next drive'],
    [of('replaced'), 'took it, and have another now: somebody else deployed meanwhile'],
    [of('rolled-back'), 'undid it'],
    [of('undecided'), 'undecided'],
    [of('failed'), 'failed, or lost on the way'],
    [of('interrupted'), 'interrupted'],
    [of('left'), 'left as they were'],
  ].filter(([n]) => n !== 0);
  const lines = [
    table(
      ['robot', '', 'outcome', ''],
      ...robots.map(({ name, canary, outcome, words }) => [name, canary ? 'canary' : '', outcome, words]),
    ),
    `${shortDigest(digest)}: ${counts.map(([n, what]) => `${n} ${what}`).join('; ')}`,
  ];
  const flagsOf = (found: string) => fleet.find(({ name }) => name === found)!.flags;
  for (const { name, outcome, error } of robots)
    if (error !== undefined && outcome !== 'interrupted') lines.push(`${name}: ${printable(error.hint)}`);
  const [worst] = stoppedAt;
  if (worst !== undefined) {
    lines.push(`stopped at ${stoppedAt.join(', ')}: see kit deploy history ${flagsOf(worst)}`);
    const has = robots.find(({ outcome }) => outcome === 'committed' || outcome === 'waiting');
    if (has !== undefined)
      lines.push(
        `those that have the new policy keep it; back from it, one by one: kit deploy rollback ${flagsOf(has.name)}`,
      );
  }
  if (of('left', 'interrupted') > 0)
    lines.push(
      worst === undefined
        ? 'the same command again goes on'
        : 'the same command again goes on, once that robot is mended, or left out by --without',
    );
  return lines.join('\n');
}
