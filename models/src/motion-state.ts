/**
 * Who may move: limp → arming → running → holding → stopped. A pure reducer; the loop feeds it events and does what the state says.
 *
 * Invariants, each tested under its name:
 * - a start moves nothing: the first state is limp, and only an explicit `arm` leaves it
 * - arming needs a fresh position
 * - a stop latches: from `stopped` only an explicit `reset` leads out, and only to limp
 * - holding never resumes by itself: motion needs a new arming
 * - a stop makes every older motion void: the session counts up
 */
export type Motion = 'limp' | 'arming' | 'running' | 'holding' | 'stopped';

export interface MotionState {
  readonly motion: Motion;
  /** Counts up at every arming and every stop: a command of an older session is void. */
  readonly session: number;
  /** Why it holds or has stopped, in words. */
  readonly reason: string;
  readonly armingS: number;
  readonly nonFiniteTicks: number;
  readonly staleTicks: number;
}

export type MotionEvent =
  | { readonly kind: 'arm'; readonly freshPosition: boolean }
  /** One tick went by. `fresh`: the sample is new. `finite`: the policy's action was usable. */
  | { readonly kind: 'tick'; readonly dtS: number; readonly fresh: boolean; readonly finite: boolean }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'reset' };

export interface MotionLimits {
  readonly armingRampS: number;
  readonly nonFiniteTicks: number;
  readonly staleTicks: number;
}

export const initialMotion: MotionState = {
  motion: 'limp',
  session: 0,
  reason: '',
  armingS: 0,
  nonFiniteTicks: 0,
  staleTicks: 0,
};

/** Share of velocity that may be let through: ramps from 0 to 1 while arming. */
export function motionRamp(state: MotionState, limits: MotionLimits): number {
  switch (state.motion) {
    case 'running':
      return 1;
    case 'arming':
      return Math.min(1, state.armingS / limits.armingRampS);
    default:
      return 0;
  }
}

function stop(state: MotionState, reason: string): MotionState {
  return { ...state, motion: 'stopped', session: state.session + 1, reason };
}

export function reduceMotion(state: MotionState, event: MotionEvent, limits: MotionLimits): MotionState {
  const moving = state.motion === 'arming' || state.motion === 'running';
  switch (event.kind) {
    case 'arm':
      if (state.motion !== 'limp' && state.motion !== 'holding') return state;
      if (!event.freshPosition) return { ...state, reason: 'no fresh position to arm from' };
      return { ...initialMotion, motion: 'arming', session: state.session + 1 };
    case 'tick': {
      if (!moving) return state;
      const nonFiniteTicks = event.finite ? 0 : state.nonFiniteTicks + 1;
      const staleTicks = event.fresh ? 0 : state.staleTicks + 1;
      if (nonFiniteTicks >= limits.nonFiniteTicks)
        return stop(state, `the policy's action was not a finite number for ${nonFiniteTicks} ticks`);
      if (staleTicks >= limits.staleTicks) return stop(state, `no fresh position for ${staleTicks} ticks`);
      const armingS = state.armingS + event.dtS;
      const motion = state.motion === 'arming' && armingS >= limits.armingRampS ? 'running' : state.motion;
      if (
        motion === state.motion &&
        motion === 'running' &&
        nonFiniteTicks === state.nonFiniteTicks &&
        staleTicks === state.staleTicks
      )
        return state;
      return { ...state, motion, armingS, nonFiniteTicks, staleTicks };
    }
    case 'hold':
      return moving ? { ...state, motion: 'holding', session: state.session + 1, reason: event.reason } : state;
    case 'fault':
      return state.motion === 'stopped' ? state : stop(state, event.reason);
    case 'reset':
      return state.motion === 'stopped' ? { ...initialMotion, session: state.session } : state;
  }
}
