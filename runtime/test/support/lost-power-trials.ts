/**
 * Takes the power away after every operation of a course of deployments, starts the robot with every state that may then be found, and says what
 * is wrong: with what a start finds, or because it is neither what was before the step nor what is after it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '@sim2servo/models/digest';
import { openStore, type ReleaseStore } from '../../src/releases/release-store.js';
import { type FoundFolder, LostPower } from './lost-power.js';
import { type Operation, RecordingDisk, unsyncedDisk } from './recording-disk.js';
import type { Starts, View } from './store-after-restart.js';

type Policies = Record<string, unknown>;

export interface Step {
  readonly name: string;
  run(store: ReleaseStore): unknown;
  /** What else may be found than what was before and what is after, where it takes two steps that nobody has to finish. */
  readonly halfway?: readonly ((before: Policies, after: Policies) => Policies)[];
}

export interface Course {
  readonly name: string;
  /** Makes what is there before, all of it synced. */
  prepare(folder: string): unknown;
  readonly steps: readonly Step[];
}

/** A course that was run once, with what it did to the disk. */
export interface Recording {
  readonly name: string;
  readonly start: LostPowerStart;
  readonly operations: readonly Operation[];
  /** After how many operations each step was done; the first is the opening. */
  readonly steps: readonly { readonly name: string; readonly end: number; readonly halfway: Step['halfway'] }[];
}

type LostPowerStart = () => LostPower;

export interface Findings {
  readonly states: number;
  readonly problems: readonly string[];
}

/** @param folder an empty one; the store lies below it */
export async function record(course: Course, folder: string): Promise<Recording> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'store');
  await course.prepare(path);
  const before = LostPower.after(folder).now();
  const disk = new RecordingDisk(folder, unsyncedDisk);
  const store = openStore(path, disk);
  const steps: { name: string; end: number; halfway: Step['halfway'] }[] = [];
  steps.push({ name: 'open', end: disk.operations.length, halfway: [] });
  for (const { name, run, halfway = [] } of course.steps) {
    await run(store);
    steps.push({ name, end: disk.operations.length, halfway });
  }
  return { name: course.name, start: () => LostPower.afterFound(before), operations: disk.operations, steps };
}

export class LostPowerTrials {
  readonly #starts: Starts;

  constructor(starts: Starts) {
    this.#starts = starts;
  }

  /** @returns what is wrong, the first ten */
  async run(recording: Recording): Promise<Findings> {
    const views = await this.#viewsAtEnds(recording);
    return this.#lose(recording, views, { enough: 10, again: true });
  }

  /** Numbers of the syncs that may be left out, and no start would show it. */
  async needless(recording: Recording): Promise<{ syncs: number; needless: readonly string[] }> {
    const views = await this.#viewsAtEnds(recording);
    const disk = recording.start();
    const needless: string[] = [];
    let syncs = 0;
    for (const [i, operation] of recording.operations.entries()) {
      // One that has nothing to do is there for what a killed process left.
      if (!disk.do(operation)) continue;
      syncs++;
      const { problems } = await this.#lose(recording, views, { dropped: i, enough: 1, again: false });
      if (problems.length === 0)
        needless.push(`${recording.name}: ${stepAt(recording, i + 1).name}, operation ${i + 1}: ${words(operation)}`);
    }
    return { syncs, needless };
  }

  async #lose(
    recording: Recording,
    views: readonly View[],
    { dropped, enough, again }: { dropped?: number; enough: number; again: boolean },
  ): Promise<Findings> {
    const { operations, steps, start, name } = recording;
    const disk = start();
    const problems: string[] = [];
    let states = 0;
    for (let done = 0; done <= operations.length && problems.length < enough; done++) {
      if (done > 0 && done - 1 !== dropped) disk.do(operations[done - 1]!);
      if (dropped !== undefined && done <= dropped) continue;
      const step = stepAt(recording, done);
      const after = views[steps.indexOf(step) + 1]!;
      const before = step.end > done ? views[steps.indexOf(step)]! : after;
      const halfway = step.end > done ? step.halfway! : [];
      const policies = [before, after].map(view => JSON.parse(view.policies)) as [Policies, Policies];
      const permitted = {
        before,
        after,
        policies: [before.policies, after.policies, ...halfway.map(half => canonicalJson(half(...policies)))],
      };
      for (const found of disk.found()) {
        states++;
        const wrong = await this.#wrong(found, permitted, again);
        if (wrong !== undefined)
          problems.push(`${name}: ${step.name}, after operation ${done} (${words(operations[done - 1])}): ${wrong}`);
        if (problems.length >= enough) break;
      }
    }
    return { states, problems };
  }

  /** What a start finds that is not permitted, or worse; also where the power fails again during that start. */
  async #wrong(found: FoundFolder, permitted: Permitted, again: boolean): Promise<string | undefined> {
    const started = await this.#starts.with(found);
    if ('problem' in started) return started.problem;
    const wrong = difference(started.view, permitted);
    // A start that only removes drafts comes to nothing that was not found without it.
    if (wrong !== undefined || !again || !started.mended.some(({ kind }) => kind === 'sync')) return wrong;
    const disk = LostPower.afterFound(found);
    for (const operation of started.mended) {
      disk.do(operation);
      for (const later of disk.found()) {
        const worse = await this.#wrong(later, permitted, false);
        if (worse !== undefined) return `and lost again during the start, after ${words(operation)}: ${worse}`;
      }
    }
    return undefined;
  }

  async #viewsAtEnds({ operations, steps, start }: Recording): Promise<View[]> {
    const disk = start();
    const views: View[] = [];
    for (const [i, { end }] of [{ end: 0 }, ...steps].entries()) {
      for (const operation of operations.slice(steps[i - 2]?.end ?? 0, end)) disk.do(operation);
      const restarted = await this.#starts.with(disk.now());
      if ('problem' in restarted) throw new Error(`nothing was lost, and yet: ${restarted.problem}`);
      views.push(restarted.view);
    }
    return views;
  }
}

interface Permitted {
  readonly before: View;
  readonly after: View;
  /** All of one moment. */
  readonly policies: readonly string[];
}

/** The policies are those of one moment, never some of each; lists are on their way from before to after. */
function difference(view: View, { before, after, policies }: Permitted): string | undefined {
  if (!policies.includes(view.policies))
    return `none of ${policies.map(each => `\n  ${each}`)}\nbut\n  ${view.policies}`;
  for (const what of ['releases', 'records'] as const) {
    const lost = before[what].filter(each => after[what].includes(each) && !view[what].includes(each));
    const strange = view[what].filter(each => !before[what].includes(each) && !after[what].includes(each));
    if (lost.length + strange.length > 0) return `${what}: lost ${lost}, strange ${strange}`;
  }
  const begins = ({ history }: View) => view.history.every((line, i) => history[i] === line);
  const kept = before.history.findIndex((line, i) => after.history[i] !== line);
  // Halfway the line may not stand there yet, which whoever starts with what was before would write.
  const isHalfway = view.policies !== before.policies && view.policies !== after.policies;
  const common = kept === -1 ? Math.min(before.history.length, after.history.length) : kept;
  const least = isHalfway ? common - 1 : common;
  if (!(begins(before) || begins(after)) || view.history.length < least)
    return `history: neither ${before.history} nor ${after.history}, but ${view.history}`;
  return undefined;
}

const stepAt = ({ steps }: Recording, done: number) => steps.find(({ end }) => end >= done)!;

function words(operation: Operation | undefined): string {
  if (operation === undefined) return 'none';
  return operation.kind === 'rename'
    ? `rename ${operation.from} to ${operation.to}`
    : `${operation.kind} ${operation.path}`;
}
