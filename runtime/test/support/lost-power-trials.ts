/**
 * Takes the power away after every operation of a course of deployments, starts the robot with every state that may then be found, and says what
 * is wrong: with what a start finds, or because it is neither what was before the step nor what is after it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type ReleaseStore } from '../../src/releases/release-store.js';
import { type FoundFolder, LostPower } from './lost-power.js';
import { type Operation, RecordingDisk, unsyncedDisk } from './recording-disk.js';
import type { Starts, View } from './store-after-restart.js';

export interface Step {
  readonly name: string;
  run(store: ReleaseStore): unknown;
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
  readonly steps: readonly { readonly name: string; readonly end: number }[];
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
  const steps = [{ name: 'open', end: disk.operations.length }];
  for (const { name, run } of course.steps) {
    await run(store);
    steps.push({ name, end: disk.operations.length });
  }
  return { name: course.name, start: () => LostPower.afterFound(before), operations: disk.operations, steps };
}

export class LostPowerTrials {
  readonly #starts: Starts;

  constructor(starts: Starts) {
    this.#starts = starts;
  }

  /**
   * @param dropped number of a sync that is left out
   * @param enough  problems, after which it ends
   */
  async run(recording: Recording, dropped?: number, enough = 10): Promise<Findings> {
    const { operations, steps, start, name } = recording;
    const views = await this.#viewsAtEnds(recording);
    const disk = start();
    const problems: string[] = [];
    let states = 0;
    for (let done = 0; done <= operations.length && problems.length < enough; done++) {
      if (done > 0 && done - 1 !== dropped) disk.do(operations[done - 1]!);
      const step = steps.findIndex(({ end }) => end >= done);
      const after = views[step + 1]!;
      const between = steps[step]!.end > done;
      for (const found of disk.found()) {
        states++;
        const where = `${name}: ${steps[step]!.name}, after operation ${done} (${words(operations[done - 1])})`;
        const wrong = await this.#wrong(found, between ? views[step]! : after, after);
        if (wrong !== undefined) problems.push(`${where}: ${wrong}`);
        if (problems.length >= enough) break;
      }
    }
    return { states, problems };
  }

  /** What a start finds that is neither `before` nor `after`, or worse; also where the power fails again during that start. */
  async #wrong(found: FoundFolder, before: View, after: View, again = true): Promise<string | undefined> {
    const restarted = await this.#starts.with(found);
    if ('problem' in restarted) return restarted.problem;
    const wrong = difference(restarted.view, before, after);
    if (wrong !== undefined || !again) return wrong;
    const disk = LostPower.afterFound(found);
    for (const operation of restarted.mended) {
      disk.do(operation);
      for (const later of disk.found()) {
        const worse = await this.#wrong(later, before, after, false);
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

/** The policies are those of before or those of after, never some of each; lists are on their way from one to the other. */
function difference(view: View, before: View, after: View): string | undefined {
  if (view.policies !== before.policies && view.policies !== after.policies)
    return `neither\n  ${before.policies} nor\n  ${after.policies}, but\n  ${view.policies}`;
  for (const what of ['releases', 'records'] as const) {
    const lost = before[what].filter(each => after[what].includes(each) && !view[what].includes(each));
    const strange = view[what].filter(each => !before[what].includes(each) && !after[what].includes(each));
    if (lost.length + strange.length > 0) return `${what}: lost ${lost}, strange ${strange}`;
  }
  const begins = ({ history }: View) => view.history.every((line, i) => history[i] === line);
  const kept = before.history.findIndex((line, i) => after.history[i] !== line);
  const least = kept === -1 ? Math.min(before.history.length, after.history.length) : kept;
  if (!(begins(before) || begins(after)) || view.history.length < least)
    return `history: neither ${before.history} nor ${after.history}, but ${view.history}`;
  return undefined;
}

function words(operation: Operation | undefined): string {
  if (operation === undefined) return 'none';
  return operation.kind === 'rename'
    ? `rename ${operation.from} to ${operation.to}`
    : `${operation.kind} ${operation.path}`;
}
