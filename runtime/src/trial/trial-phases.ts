/**
 * The phases of a trial as a table, and how one follows the other: a pure reducer. Who does what in a phase stands in trial-runner.ts.
 *
 * shadow: the old policy drives, the new one infers beside it. limited: the new one drives, at a share of velocity and acceleration.
 * full: it drives as it will. Whatever speaks against it leads to the rollback; the end of a run leaves it to the next.
 */
import type { Trial } from '../releases/store-state.js';

/** How long each phase lasts: time with fresh samples. */
export const phaseSeconds = { shadow: 5, limited: 5, full: 20 } as const;
export type TriedPhase = keyof typeof phaseSeconds;

/** Of velocity and acceleration. */
export const phaseShare = { shadow: 1, limited: 0.3, full: 1 } as const;

export type TrialStep =
  /** Nothing has been done yet. */
  | 'proposed'
  | TriedPhase
  /** It can't be exchanged for the one that runs: the next run tries it. */
  | 'waiting'
  /** The run is over, or nobody looks any more; the next run goes on. */
  | 'paused'
  | 'commit'
  | 'rollback';

export interface TrialState {
  readonly step: TrialStep;
  /** Phases that are left out. */
  readonly skip: Trial['skip'];
  /** Why it is rolled back, or waits. */
  readonly reason: string;
}

export type TrialEvent =
  /** It is taken up in the phase that the store has. `shadowed`: an old one drives, that it can be compared with and take over from. */
  | { readonly kind: 'begin'; readonly phase: TriedPhase; readonly shadowed: boolean }
  /** In this phase it was looked at for so long, and this speaks against it. */
  | { readonly kind: 'tried'; readonly seconds: number; readonly reasons: readonly string[] }
  /** It can't be tried in this run. */
  | { readonly kind: 'hindered'; readonly reason: string }
  /** It is damaged, not ours, or of another robot; or a deployer wants it gone. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The arm was stopped for safety. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** The run ends in order. */
  | { readonly kind: 'ended' };

const order = ['shadow', 'limited', 'full'] as const;

/** A phase in which something is tried. */
export function isTried(step: TrialStep): step is TriedPhase {
  return step in phaseSeconds;
}

/** Whether the new policy drives. */
export function drives(step: TrialStep): step is 'limited' | 'full' {
  return step === 'limited' || step === 'full';
}

/** What is neither done before `step` nor after `before`. */
export function leftOut(before: TrialStep, step: TrialStep): TriedPhase[] {
  if (!isTried(step)) return [];
  return order.slice(isTried(before) ? order.indexOf(before) + 1 : 0, order.indexOf(step));
}

/** The first phase from `phase` on that is not left out. */
function firstFrom(phase: TriedPhase, skip: Trial['skip'], shadowed: boolean): TriedPhase {
  if (phase === 'shadow' && (!shadowed || skip.shadow !== undefined)) return firstFrom('limited', skip, shadowed);
  if (phase === 'limited' && skip.limited !== undefined) return 'full';
  return phase;
}

const ended: readonly TrialStep[] = ['paused', 'commit', 'rollback'];

export function reduceTrial(state: TrialState, event: TrialEvent): TrialState {
  const { step, skip } = state;
  if (ended.includes(step)) return state;
  switch (event.kind) {
    case 'begin':
      return step === 'proposed' ? { ...state, step: firstFrom(event.phase, skip, event.shadowed) } : state;
    case 'tried': {
      if (!isTried(step)) return state;
      if (event.reasons.length > 0) return { ...state, step: 'rollback', reason: event.reasons.join('; ') };
      if (event.seconds < phaseSeconds[step]) return state;
      return {
        ...state,
        step: step === 'full' ? 'commit' : step === 'limited' ? 'full' : firstFrom('limited', skip, true),
      };
    }
    case 'hindered':
      return { ...state, step: 'waiting', reason: event.reason };
    case 'refused':
      return { ...state, step: 'rollback', reason: event.reason };
    case 'stopped':
      // In shadow it was the old one that drove: a fault of its is none of the new one's.
      return drives(step)
        ? { ...state, step: 'rollback', reason: `the arm was stopped: ${event.reason}` }
        : { ...state, step: 'paused' };
    case 'ended':
      return { ...state, step: 'paused' };
  }
}
