/**
 * How a trial ends: good, bad, or given up. Each in steps that whoever opens the store next can finish; each is called alone with the state
 * (`StoreFolder.change`).
 */
import { runningNow } from './running.js';
import type { StoreFolder, Told } from './store-folder.js';
import type { StoreState, Trial } from './store-state.js';

type More = Partial<Pick<Told, 'seconds' | 'figures' | 'by'>>;

export const diedOnTrial = 'the run ended while it was on trial';

const without = ({ trial: _, ...state }: StoreState): StoreState => state;
export const drivesByPhase = ({ phase }: Trial): boolean => phase === 'limited' || phase === 'full';

/** What must be done about a trial where no loop is at it, as the table in docs/deploy.md has it. */
function due(store: StoreFolder): 'nothing' | 'roll back' | 'commit' | 'back to shadow' {
  const { trial } = store.state();
  if (trial === undefined || trial.phase === 'shadow') return 'nothing';
  if (trial.phase === 'rollback') return 'roll back';
  if (runningNow(store) !== undefined) return 'nothing';
  if (store.linked('current') !== trial.digest) return 'back to shadow';
  if (store.has(trial.id, 'committed')) return 'commit';
  return trial.running ? 'roll back' : 'nothing';
}

export const isUnfinished = (store: StoreFolder): boolean => due(store) !== 'nothing';

export function finishTrial(store: StoreFolder): void {
  const { trial } = store.state();
  const what = due(store);
  if (trial === undefined || what === 'nothing') return;
  // Who left it so may have been killed before what can be seen was synced.
  store.disk.sync(store.folder);
  if (what === 'commit') commitTrial(store, trial);
  else if (what === 'roll back') rollBackTrial(store, trial, trial.reason ?? diedOnTrial);
  else backToShadow(store, trial);
}

/** The one before drives; this one is tried from the beginning. */
export function backToShadow(store: StoreFolder, trial: Trial): void {
  store.link('current', trial.replaces);
  store.write({ ...store.state(), trial: { ...trial, phase: 'shadow', running: false } });
}

/** Once its line stands in the history. */
export function commitTrial(store: StoreFolder, { replaces }: Trial): void {
  if (replaces !== undefined) store.link('previous', replaces);
  store.settle(without(store.state()));
}

export function rollBackTrial(store: StoreFolder, trial: Trial, reason: string, more: More = {}): void {
  const { id, digest, replaces } = trial;
  if (trial.phase !== 'rollback') store.write({ ...store.state(), trial: { ...trial, phase: 'rollback', reason } });
  store.link('current', replaces);
  if (!store.has(id, 'rolled-back')) store.note({ id, digest, event: 'rolled-back', words: reason, ...more });
  const { bad, ...state } = without(store.state());
  store.settle({ ...state, bad: { ...bad, [digest]: reason } });
}

/** Nobody found it bad. The link first: before the state says so the trial would begin anew. */
export function giveUpTrial(store: StoreFolder, trial: Trial, words: string, more: More = {}): void {
  if (drivesByPhase(trial)) store.link('current', trial.replaces);
  store.note({ id: trial.id, digest: trial.digest, event: 'rolled-back', words, ...more });
  store.write(without(store.state()));
}
